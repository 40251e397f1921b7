"""The Schwab login while streaming: renewed in time, and waited for when a person must log in."""

import asyncio
import logging
from contextlib import suppress
from typing import Final, Protocol

from streaming.errors import OperatorError
from streaming.schwab.stored_logins import Logins

_LOG: Final = logging.getLogger(__name__)
_LOOK_AGAIN_S: Final = 300.0


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
        self.trouble: str | None = None
        """Why a person must act; None while nobody must."""

    async def run(self) -> None:
        """Renew until cancelled; after a refusal, go on as soon as another login is stored, or in five minutes."""
        while True:
            try:
                await self._auth.keep_fresh()
            except OperatorError as error:
                seen = self._logins.glance()
                self.trouble = error.sentence
                _LOG.error("The Schwab login needs a person; the open connection streams on. %s", error.sentence)
                with suppress(TimeoutError):  # what is no refusal of Schwab's, such as a full disk, may pass unseen
                    async with asyncio.timeout(_LOOK_AGAIN_S):
                        await self._logins.changed_from(seen)
                self.trouble = None
