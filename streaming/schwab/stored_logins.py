"""Noticing that somebody has logged in again: the token file is looked at until it says something else."""

from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.schwab.token_store import TokenStore
from streaming.schwab.tokens import Token

_LOOK_EVERY_S: Final = 1.0


class Logins(Protocol):
    """Where a new login shows."""

    def glance(self) -> object:
        """What is stored now, to compare with later; None without a usable login."""
        ...

    async def changed_from(self, seen: object) -> None:
        """Return once something else is stored than what was `seen`, and it is a login."""
        ...


class StoredLogins:
    """`Logins` on the token file: whoever writes it, this process, a shell or another bot, is noticed."""

    def __init__(self, store: TokenStore, clock: Clock, *, every_s: float = _LOOK_EVERY_S) -> None:
        self._store = store
        self._clock = clock
        self._every_s = every_s

    def glance(self) -> Token | None:
        try:
            return self._store.load()
        except GexcordError:  # no usable login, which is what None says; the auth client tells why
            return None

    async def changed_from(self, seen: object) -> None:
        while (now := self.glance()) is None or now == seen:
            await self._clock.sleep(self._every_s)
