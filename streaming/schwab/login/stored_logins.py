"""Noticing that somebody has logged in again: the token file is looked at until it says something else."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.schwab.login.token_store import TokenStore

_LOOK_EVERY_S: Final = 1.0
ASK_AGAIN_S: Final = 60.0
"""How long whoever lacks a login waits before asking again, which costs nothing while a refusal stands."""


class Logins(Protocol):
    """Where a new login shows."""

    def glance(self) -> object:
        """What is stored now, to compare with later; None without a usable login."""
        ...

    async def changed_from(self, seen: object) -> None:
        """Return once something else is stored than what was `seen`, and it is a login."""
        ...


class StoredLogins:
    """`Logins` on the token file: whoever writes it, this process, a shell or another bot, is noticed.

    `app` tells the app's key and secret; a login counts as changed when they do.
    """

    def __init__(
        self,
        store: TokenStore,
        clock: Clock,
        *,
        app: Callable[[], object] | None = None,
        every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._app = app or (lambda: None)
        self._every_s = every_s

    def glance(self) -> object:
        try:
            token = self._store.load()
        except GexcordError:  # no usable login, which is what None says; the auth client tells why
            return None
        return None if token is None else (token, self._store.version(), self._app())

    async def changed_from(self, seen: object) -> None:
        while (now := self.glance()) is None or now == seen:
            await self._clock.sleep(self._every_s)


async def another_chance(logins: Logins, seen: object, *, within_s: float = ASK_AGAIN_S) -> bool:
    """Wait for another login than `seen`, at most `within_s`; whether there is one.

    What is no refusal of Schwab's, such as a full disk, passes without another login.
    """
    try:
        async with asyncio.timeout(within_s):
            await logins.changed_from(seen)
    except TimeoutError:
        return False
    return True
