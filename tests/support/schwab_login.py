"""A token endpoint for tests, and a client with a stored login."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from aiohttp import web
from pydantic import SecretStr

from streaming.clock import Clock
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.oauth import AppKey
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from tests.support.http import Seen

LOGIN_AT = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
CALLBACK = "https://127.0.0.1:8182/"


class TokenEndpoint:
    """Hands out `access-1`, `access-2` ... unless told to answer something else."""

    def __init__(self) -> None:
        self.refreshes = 0
        self.answer: Callable[[], web.Response] | None = None

    def __call__(self, seen: Seen) -> web.Response:
        self.refreshes += 1
        if self.answer is not None:
            return self.answer()
        body = {
            "expires_in": 1800,
            "token_type": "Bearer",
            "scope": "api",
            "refresh_token": seen.form.get("refresh_token", "refresh-new@"),
            "access_token": f"access-{self.refreshes}",
            "id_token": "a.b.c",
        }
        return web.json_response(body)


def refused(status: int, error: str) -> Callable[[], web.Response]:
    """An answer of the token endpoint that is no success."""
    return lambda: web.Response(status=status, text=json.dumps({"error": error}), content_type="application/json")


def stored(
    path: Path, clock: Clock, *, seconds_left: float = 1800.0, login_at: datetime | None = LOGIN_AT
) -> TokenStore:
    """A store with the token `access-0`."""
    store = TokenStore(path / "tokens" / "schwab_token.json")
    expires_at = clock.now() + timedelta(seconds=seconds_left)
    store.save(Token("access-0", "refresh-0@", expires_at=expires_at, login_at=login_at))
    return store


def auth_client(
    http: httpx.AsyncClient,
    store: TokenStore,
    url: str,
    clock: Clock,
    *,
    corrected: Callable[[], AppKey] | None = None,
) -> SchwabAuthClient:
    """A client of the token endpoint at `url`."""
    return SchwabAuthClient(
        http,
        store,
        client_id=SecretStr("app-key"),
        client_secret=SecretStr("app-secret"),
        api_url=url,
        callback_url=CALLBACK,
        clock=clock,
        corrected=corrected,
    )
