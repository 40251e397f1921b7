"""The Schwab login while streaming: renewed in time, and waited for when a person must log in."""

import logging
from typing import Final, Protocol

from streaming.errors import OperatorError
from streaming.schwab.login.stored_logins import Logins, another_chance

_LOG: Final = logging.getLogger(__name__)


class KeptFresh(Protocol):
    """What renews the access token."""

    async def keep_fresh(self) -> None:
        """Renew before each expiry; ends only with OperatorError."""
        ...


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
        while True:
            try:
                await self._auth.keep_fresh()
            except OperatorError as error:
                seen = self._logins.glance()
                self._note(error.sentence)
                if await another_chance(self._logins, seen):
                    self._logged = None
                self.trouble = None

    def _note(self, sentence: str) -> None:
        """Log what is new; the auth client counts the repeats."""
        self.trouble = sentence
        if sentence != self._logged:
            self._logged = sentence
            _LOG.error("The Schwab login needs a person; the open connection streams on. %s", sentence)
