"""The HTTP API as its process sees it; where it is turned off, as it is by default, no web server is imported."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streaming.api.admission import Admission, ApiStatus
from streaming.api.routes import Desk
from streaming.errors import ConfigurationError
from streaming.settings import StreamSettings


def missing_token(settings: StreamSettings) -> ConfigurationError | None:
    """What a person must set before the API can be served, or None."""
    if not settings.api_port or settings.api_token is not None:
        return None
    return ConfigurationError(
        "API_PORT is set and API_TOKEN is not.",
        remedy="Set API_TOKEN, such as `python -m streaming token new-key` prints, or API_PORT to 0.",
    )


class Api:
    """The API while it is served, or not at all."""

    def __init__(self, desk: Desk, admission: Admission | None, url: str | None) -> None:
        self._clock = desk.clock
        self._admission = admission
        self.url = url
        """None where it is turned off."""

    def status(self) -> ApiStatus | None:
        """What was counted; None where it is turned off."""
        return None if self._admission is None else self._admission.status(self._clock.monotonic())


@asynccontextmanager
async def serve_api(settings: StreamSettings, desk: Desk) -> AsyncIterator[Api]:
    """Answer on API_ADDRESS while inside; port 0 serves nothing.

    UnavailableError when the port or the address cannot be had, ConfigurationError without a token.
    """
    if (missing := missing_token(settings)) is not None:
        raise missing
    if not settings.api_port or settings.api_token is None:
        yield Api(desk, None, None)
        return
    from streaming.api.server import serve

    async with serve(settings, settings.api_token.get_secret_value(), desk) as (admission, url):
        yield Api(desk, admission, url)
