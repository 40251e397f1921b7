"""The Schwab login while streaming: renewed in time, and waited for when a person must log in."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from streaming.errors import OperatorError
from streaming.schwab.login.stored_logins import Logins, another_chance

_LOG: Final = logging.getLogger(__name__)


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
