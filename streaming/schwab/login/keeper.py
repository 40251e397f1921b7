"""The Schwab login while streaming: renewed in time, and waited for, by looking at its file, when a person must act."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import GexcordError, OperatorError, TransientError
from streaming.schwab.login.login_store import LoginStore

_LOG: Final = logging.getLogger(__name__)
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
    """`Logins` on the stored login: whoever writes it, this process, a shell or another bot, is noticed.

    `app` tells the app's key and secret; a login counts as changed when they do.
    """

    def __init__(
        self,
        store: LoginStore,
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
        while True:
            with suppress(TransientError):  # the place does not answer: nothing is known to have changed
                await self._store.look()
            if (now := self.glance()) is not None and now != seen:
                return
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


class KeptFresh(Protocol):
    """What renews the access token."""

    async def keep_fresh(self) -> None:
        """Renew before each expiry; ends only with OperatorError."""
        ...


async def keep_login(
    fresh: Callable[[], Awaitable[None]],
    logins: Logins,
    *,
    refused: Callable[[OperatorError], Awaitable[None]],
    again: Callable[[bool], None],
) -> None:
    """Have the login kept `fresh` until cancelled; after a refusal, from the moment another login is stored.

    What keeps it fresh ends only with OperatorError, which goes to `refused`; `again` is told, before it is asked
    anew, whether another login is there or a minute has passed.
    """
    while True:
        try:
            await fresh()
        except OperatorError as error:
            seen = logins.glance()
            await refused(error)
            again(await another_chance(logins, seen))


class LoginKeeper:
    """Renews in the background, so that a reconnect finds a good token and trouble is known before it hurts.

    The open stream goes on meanwhile: Schwab looks at the token at LOGIN only.
    """

    def __init__(self, auth: KeptFresh, logins: Logins) -> None:
        self._auth = auth
        self._logins = logins
        self._logged: str | None = None
        self.trouble: str | None = None
        """Why a person must act; None while nobody must."""

    async def run(self) -> None:
        """Renew until cancelled; after a refusal, go on as soon as another login is stored, or in a minute."""
        await keep_login(self._auth.keep_fresh, self._logins, refused=self._note, again=self._again)

    async def _note(self, error: OperatorError) -> None:
        """Log what is new; the auth client counts the repeats."""
        self.trouble = error.sentence
        if error.sentence != self._logged:
            self._logged = error.sentence
            _LOG.error("The Schwab login needs a person; the open connection streams on. %s", error.sentence)

    def _again(self, is_another: bool) -> None:
        self.trouble = None
        if is_another:
            self._logged = None
