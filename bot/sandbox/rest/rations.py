"""Edits that Discord rations by the hour: of messages older than an hour, and of published ones."""

from typing import Final

from bot.sandbox.world.api_errors import refusal
from bot.sandbox.world.records import Message, MessageFlag
from bot.sandbox.world.world import World
from streaming.clock import Clock

ONE_HOUR_S: Final = 3_600.0
OLD_EDITS_PER_HOUR: Final = 1_000
PUBLISHED_EDITS_PER_HOUR: Final = 3


class Ration:
    """So many in an hour that begins with the first; beyond it the refusal of `code`, which says when it ends."""

    def __init__(self, clock: Clock, allowed: int, code: int) -> None:
        self._clock = clock
        self._allowed = allowed
        self._code = code
        self._used = 0
        self._since_s = clock.monotonic()

    def spend(self) -> None:
        """Use one up; ApiError with the time left when the hour's are gone."""
        left_s = ONE_HOUR_S - (self._clock.monotonic() - self._since_s)
        if left_s <= 0:
            self._used, self._since_s, left_s = 0, self._clock.monotonic(), ONE_HOUR_S
        if self._used >= self._allowed:
            raise refusal(self._code, retry_after_s=left_s)
        self._used += 1


class EditRations:
    """One for all old messages (30046, discord-api-docs#4413), one for each published message (20022, #2258)."""

    def __init__(self, world: World, old: int = OLD_EDITS_PER_HOUR, published: int = PUBLISHED_EDITS_PER_HOUR) -> None:
        self._world = world
        self._old = Ration(world.clock, old, 30046)
        self._published_allowed = published
        self._published: dict[int, Ration] = {}

    def admit(self, message: Message) -> None:
        """Count one edit, or raise the refusal of the ration that is used up."""
        if message.flags & MessageFlag.CROSSPOSTED:
            self._ration_of(message).spend()
        if (self._world.clock.now() - message.created_at).total_seconds() >= ONE_HOUR_S:
            self._old.spend()

    def _ration_of(self, message: Message) -> Ration:
        ration = self._published.get(message.id)
        if ration is None:
            ration = self._published[message.id] = Ration(self._world.clock, self._published_allowed, 20022)
        return ration
