"""Schwab's OAuth: the authorise URL, the redirect it ends in, and what its refusals mean (schwab-api.md §1). Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

import msgspec

from streaming.errors import (
    ConfigurationError,
    ContractError,
    GexcordError,
    LoginRequiredError,
    RequestError,
    TransientError,
)
from streaming.schwab.http_errors import is_firewall_page
from streaming.schwab.tokens import Token

LOGIN_LIFETIME: Final = timedelta(days=7)
"""From the browser login, whatever is refreshed in between."""
LOG_IN: Final = "Log in with `/token login` in Discord or `python -m streaming token login`."
_CHECK_APP: Final = "Compare SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET with the app on the Schwab developer portal."
_DEAD: Final = (
    "unsupported_token_type",
    "refresh_token_authentication_error",
    "invalid_grant",
    "refresh token invalid",
    "refresh token is invalid",
    "refresh token expired",
    "refresh token revoked",
    "invalid or expired",
    "invalid or revoked",
)
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One way to the login page and back: only a redirect with its `state` ends it, and only until `ends_at`."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """A successful answer of the token endpoint."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: float
    id_token: str | None = field(default=None, repr=False)
    scope: str = "api"


def authorize_url(api_url: str, *, client_id: str, callback_url: str, state: str) -> str:
    """Where a person signs in with the brokerage login."""
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": callback_url, "state": state}
    return f"{api_url}/v1/oauth/authorize?{urlencode(query)}"


def parse_redirect(text: str, *, state: str | None = None) -> str:
    """The authorisation code of a pasted redirect URL or of a bare code, decoded exactly once.

    Raises RequestError when there is no code in it, or when `state` is given and the URL does not carry it.
    """
    pasted = text.strip().strip("<>\"'")
    query = urlsplit(pasted).query if "://" in pasted or "?" in pasted else ""
    values = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    if "error" in values:
        raise RequestError(f"Schwab refused the login: {unquote(values['error'])[:60]}.", remedy=LOG_IN)
    if not query and state is not None:
        raise RequestError("That is not the whole address.", remedy="Paste the whole address the browser ended at.")
    if state is not None and unquote(values.get("state", "")) != state:
        raise RequestError("This redirect URL belongs to another login.", remedy="Use the newest login link.")
    code = _decoded(values.get("code", "") if query else pasted)
    if not code or any(character.isspace() for character in code) or "://" in code:
        raise RequestError("There is no code in that URL.", remedy="Paste the whole address the browser ended at.")
    return code


def _decoded(code: str) -> str:
    """A code ends in `@`; one that still shows `%40` was encoded twice on its way here."""
    once = unquote(code)
    return unquote(once) if once.endswith("%40") else once


def basic_authorization(client_id: str, client_secret: str) -> str:
    """The header value that tells Schwab which app is asking."""
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode("ascii")


def parse_grant(body: bytes) -> TokenGrant:
    """Read a 200 answer of the token endpoint; ContractError when it has no tokens in it."""
    try:
        tree: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        tree = None
    if not isinstance(tree, Mapping):
        raise ContractError("Schwab's token endpoint answered with something that is no JSON object.")
    access, refresh, expires_in = (tree.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise ContractError("Schwab's token endpoint answered without tokens.")
    id_token, scope = tree.get("id_token"), tree.get("scope")
    return TokenGrant(
        access_token=access,
        refresh_token=refresh,
        expires_in_s=float(expires_in) if isinstance(expires_in, (int, float)) and expires_in > 0 else 1800.0,
        id_token=id_token if isinstance(id_token, str) else None,
        scope=scope if isinstance(scope, str) else "api",
    )


def token_from(grant: TokenGrant, *, now: datetime, login_at: datetime | None) -> Token:
    """The token to store; `login_at` is the browser login's time, kept through every refresh."""
    return Token(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=now + timedelta(seconds=grant.expires_in_s),
        login_at=login_at,
        refreshed_at=now,
        id_token=grant.id_token,
        scope=grant.scope,
    )


def refresh_error(status: int, body: str, *, age: timedelta | None, retry_after_s: float | None) -> GexcordError:
    """What a refused refresh means (§1.4); `age` is the time since the browser login, None when unknown."""
    text = body.lower()
    if status == _UNAUTHORIZED or "invalid_client" in text:
        return _refused_client(text, age)
    if status == _BAD_REQUEST and any(mark in text for mark in _DEAD):
        return _refused_login(age)
    return _other_error(status, text, retry_after_s)


def exchange_error(status: int, body: str, *, retry_after_s: float | None) -> GexcordError:
    """What a refused code means; a code lives about 30 seconds and works once."""
    text = body.lower()
    if status == _UNAUTHORIZED or "invalid_client" in text:
        return ConfigurationError("Schwab does not accept the app key or secret.", remedy=_CHECK_APP)
    if status == _BAD_REQUEST and any(mark in text for mark in _DEAD):
        return LoginRequiredError(
            "Schwab does not accept this code; codes live 30 seconds and work once.",
            remedy="Log in again and hand the address over at once. When that fails too, SCHWAB_CALLBACK_URL differs "
            "from the app's: it must be equal to the last character.",
        )
    return _other_error(status, text, retry_after_s)


def _refused_login(age: timedelta | None) -> LoginRequiredError:
    if age is None:
        return LoginRequiredError("Schwab no longer accepts the stored login.", remedy=LOG_IN)
    if age >= LOGIN_LIFETIME:
        return LoginRequiredError("The weekly Schwab login is over.", remedy=LOG_IN)
    return LoginRequiredError(
        f"Schwab refused the stored login after {age.days} d {age.seconds // 3600} h: another login has replaced it.",
        remedy=f"{LOG_IN} Let all programs share one token file.",
    )


def _refused_client(text: str, age: timedelta | None) -> GexcordError:
    if "refresh token invalid" in text or (age is not None and age >= LOGIN_LIFETIME):
        return LoginRequiredError("The weekly Schwab login is over.", remedy=LOG_IN)
    if age is None:
        return LoginRequiredError(
            "Schwab accepts either the app key and secret or the stored login no longer.",
            remedy=f"{_CHECK_APP} {LOG_IN}",
        )
    return ConfigurationError("Schwab does not accept the app key or secret.", remedy=_CHECK_APP)


def _other_error(status: int, text: str, retry_after_s: float | None) -> GexcordError:
    if status == _BAD_REQUEST and "invalid_request" in text:
        return ContractError("Schwab calls our token request malformed.")
    what = "a page of its firewall" if is_firewall_page(text) else f"HTTP {status}"
    return TransientError(f"Schwab's login server answered with {what}.", retry_after_s=retry_after_s)
