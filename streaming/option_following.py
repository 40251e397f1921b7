"""The options near the money stay streaming as spot and expiries move on."""

from collections.abc import Iterable
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.engine_room import EngineRoom

_EVERY_S: Final = 10.0
_BEFORE_CHAINS_S: Final = 0.5


class OptionStream(Protocol):
    """What can stream options."""

    async def follow_options(self, options: Iterable[str]) -> None:
        """Quote exactly these from now on."""
        ...


async def follow_near_options(room: EngineRoom, stream: OptionStream, *, limit: int, clock: Clock) -> None:
    """Ask for the `limit` options a ticker needs most, again whenever they change; until cancelled, or never."""
    followed: frozenset[str] = frozenset()
    while limit:
        wanted = room.near_symbols(limit)
        if wanted and frozenset(wanted) != followed:
            await stream.follow_options(wanted)
            followed = frozenset(wanted)
        await clock.sleep(_EVERY_S if followed else _BEFORE_CHAINS_S)
