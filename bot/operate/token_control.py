"""`/token status|refresh|login` on the token store and the auth client."""

from streaming.errors import ConfigurationError
from streaming.schwab.login.auth_client import SchwabAuthClient, stored_status
from streaming.schwab.login.oauth import LoginAttempt
from streaming.status import TokenStatus
from streaming.streamer.runtime import Runtime


class TokenControl:
    """Implements `bot.services.TokenPort`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def status(self) -> TokenStatus:
        auth = self._runtime.auth
        return stored_status(self._runtime.tokens, configured=False) if auth is None else auth.status()

    async def refresh(self) -> TokenStatus:
        auth = self._auth()
        await auth.refresh()
        return auth.status()

    def begin_login(self) -> LoginAttempt:
        return self._auth().begin_login()

    async def finish_login(self, attempt: LoginAttempt, redirect_url: str) -> TokenStatus:
        auth = self._auth()
        await auth.finish_login(attempt, redirect_url)
        return auth.status()

    def _auth(self) -> SchwabAuthClient:
        if self._runtime.auth is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env and restart the bot."
            )
        return self._runtime.auth
