"""The options near the money stay streaming as spot and expiries move on."""

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.engine.host import EngineError
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
_EVERY_S: Final = 10.0
_BEFORE_CHAINS_S: Final = 0.5


class OptionStream(Protocol):
    """What can stream options."""

    async def follow_options(self, options: Iterable[str]) -> None:
        """Quote exactly these from now on."""
        ...


class NearOptions(Protocol):
    """What knows which options matter."""

    async def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings."""
        ...


async def follow_near_options(engines: NearOptions, stream: OptionStream, *, limit: int, clock: Clock) -> None:
    """Ask for the `limit` options a ticker needs most, again whenever they change; until cancelled, or never."""
    followed: frozenset[str] = frozenset()
    while limit:
        wanted = await _wanted(engines, limit)
        if wanted and frozenset(wanted) != followed:
            await stream.follow_options(wanted)
            followed = frozenset(wanted)
        await clock.sleep(_EVERY_S if followed else _BEFORE_CHAINS_S)


async def _wanted(engines: NearOptions, limit: int) -> tuple[str, ...]:
    """Nothing while the engines are being started again: what is followed stays."""
    try:
        return await engines.near_symbols(limit)
    except (TransientError, EngineError) as error:
        _LOG.debug("the options near the money are not known: %s", error)
        return ()
