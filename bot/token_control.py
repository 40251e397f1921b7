"""`/token status|refresh` on the token store and the auth client."""

from streaming.errors import ConfigurationError
from streaming.runtime import Runtime
from streaming.status import TokenStatus


class TokenControl:
    """Implements `bot.services.TokenPort`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def status(self) -> TokenStatus:
        auth = self._runtime.auth
        if auth is None:
            return TokenStatus(configured=False, present=self._runtime.settings.schwab_token_path.exists())
        return auth.status()

    async def refresh(self) -> TokenStatus:
        auth = self._runtime.auth
        if auth is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env and restart the bot."
            )
        await auth.refresh()
        return auth.status()
