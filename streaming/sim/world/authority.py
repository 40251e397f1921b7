"""Who may sign in: codes, tokens and their lifetimes, as Schwab keeps them (specs/schwab-wire.md §1). No I/O."""

import base64
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from streaming.clock import Clock
from streaming.errors import RequestError

CODE_LIFE_S: Final = 30.0
ACCESS_LIFE_S: Final = 1800.0
LOGIN_LIFE_S: Final = 7 * 86400.0
_REALM: Final = base64.b64encode(b"oauth2.bdc.schwab.com").decode().rstrip("=")
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class RefusedError(RequestError):
    """A token request that is answered with an error: HTTP status and body."""

    def __init__(self, status: int, body: dict[str, Any] | str) -> None:
        super().__init__(f"The token request is refused with {status}.")
        self.status = status
        self.body = body


@dataclass(slots=True)
class InteractiveLogin:
    """One interactive login; the refresh token never changes and ends seven days later."""

    refresh_token: str
    ends_s: float
    access: dict[str, float] = field(default_factory=dict)
    """Access tokens and when they expire."""


@dataclass(slots=True)
class Authority:
    """Issues and checks; at most one login counts, the newest."""

    client_id: str
    client_secret: str
    clock: Clock
    rng: Random
    callback_url: str | None = None
    """When given, redirect URLs must equal it byte for byte."""
    access_life_s: float = ACCESS_LIFE_S
    login: InteractiveLogin | None = None
    refreshes: int = 0
    _codes: dict[str, tuple[float, str]] = field(default_factory=dict)

    def authorize(self, redirect_uri: str) -> str:
        """A fresh code for a signed-in user; it ends in `@`. RefusedError for a foreign callback."""
        if self.callback_url is not None and redirect_uri != self.callback_url:
            raise RefusedError(400, "Whitelabel Error Page: the callback is not registered for this app.")
        code = f"C0.{_REALM}.{self._random(32)}@"
        self._codes[code] = (self._now_s() + CODE_LIFE_S, redirect_uri)
        return code

    def exchange(self, basic: str | None, form: dict[str, str]) -> dict[str, Any]:
        """The token response to a form, or RefusedError (specs/schwab-wire.md §1.4)."""
        self._check_client(basic)
        grant = form.get("grant_type")
        if grant == "authorization_code" and "code" in form:
            return self._redeem(form["code"], form.get("redirect_uri", ""))
        if grant == "refresh_token" and "refresh_token" in form:
            return self._refresh(form["refresh_token"])
        raise RefusedError(400, {"error": "invalid_request", "error_description": "Missing or invalid parameter"})

    def accepts(self, access_token: str) -> bool:
        """Whether a bearer token is valid now."""
        expires_s = self.login.access.get(access_token) if self.login else None
        return expires_s is not None and self._now_s() < expires_s

    def sign_in(self) -> dict[str, Any]:
        """A login without a browser: the token response, and every earlier token is void."""
        self.login = InteractiveLogin(self._random(64) + "@", self._now_s() + LOGIN_LIFE_S)
        return self._response(self.login)

    def expire_access(self) -> None:
        """Void every access token; the refresh token stays good."""
        if self.login is not None:
            self.login.access.clear()

    def expire_login(self) -> None:
        """End the weekly login, and its tokens, now."""
        if self.login is not None:
            self.login.access.clear()
            self.login.ends_s = self._now_s()

    def _check_client(self, basic: str | None) -> None:
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if basic != f"Basic {pair}":
            raise RefusedError(401, {"error": "invalid_client", "error_description": "Unauthorized"})

    def _redeem(self, code: str, redirect_uri: str) -> dict[str, Any]:
        expires_s, issued_for = self._codes.pop(code, (0.0, ""))
        if self._now_s() >= expires_s or redirect_uri != issued_for:
            raise RefusedError(400, _unsupported("authorization code", code))
        return self.sign_in()

    def _refresh(self, refresh_token: str) -> dict[str, Any]:
        login = self.login
        if login is None or login.refresh_token != refresh_token or self._now_s() >= login.ends_s:
            raise RefusedError(400, _unsupported("refresh token", refresh_token))
        self.refreshes += 1
        return self._response(login)

    def _response(self, login: InteractiveLogin) -> dict[str, Any]:
        now_s = self._now_s()
        login.access = {token: until_s for token, until_s in login.access.items() if until_s > now_s}
        token = f"I0.{_REALM}.{self._random(43)}@"
        login.access[token] = now_s + self.access_life_s
        return {
            "expires_in": int(self.access_life_s),
            "token_type": "Bearer",
            "scope": "api",
            "refresh_token": login.refresh_token,
            "access_token": token,
            "id_token": ".".join(self._random(length) for length in (36, 180, 86)),
        }

    def uuid(self) -> str:
        """A random UUID from the injected source."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def _random(self, length: int) -> str:
        return "".join(self.rng.choices(_ALPHABET, k=length))

    def _now_s(self) -> float:
        return self.clock.now().timestamp()


def _unsupported(what: str, value: str) -> dict[str, Any]:
    """Schwab's error with an inner document whose quotes are not escaped a second time."""
    digest = f"{sum(value.encode()) * 2654435761 % 2**64:016x}"
    inner = (
        f'{{"error_description":"Exception while authenticating {what} [tokenDigest={digest}]",'
        '"error":"refresh_token_authentication_error"}'
    )
    return {"error": "unsupported_token_type", "error_description": f'400 Bad Request: "{inner}"'}
