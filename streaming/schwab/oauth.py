"""Schwab's OAuth: the authorise URL, the redirect it ends in, and what its refusals mean (schwab-api.md §1). Pure."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit

from pydantic import SecretStr

from streaming.errors import (
    ConfigurationError,
    ContractError,
    GexcordError,
    LoginRequiredError,
    RequestError,
    TransientError,
)
from streaming.schwab.http_errors import is_firewall_page
from streaming.schwab.tokens import Token, token_text
from streaming.schwab.tolerant import lenient_json

LOGIN_LIFETIME: Final = timedelta(days=7)
"""From the browser login, whatever is refreshed in between."""
LOG_IN: Final = "Log in with `/token login` in Discord or `python -m streaming token login`."
_CHECK_APP: Final = "Compare SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET with the app on the Schwab developer portal."
_DEAD: Final = frozenset({"unsupported_token_type", "refresh_token_authentication_error", "invalid_grant"})
_UNKNOWN_APP: Final = frozenset({"invalid_client", "unauthorized_client"})
_DEAD_LOGIN_WORDS: Final = ("refresh token invalid", "refresh token is invalid", "refresh token expired")
"""In the description of `invalid_client`: not the app is refused but the login (§1.4)."""
_ERROR_WORD: Final = re.compile(r'\s*\{\s*"error"\s*:\s*"([A-Za-z_]{1,64})"')
"""The beginning of an error body; what follows may be no JSON, for Schwab forgets to escape the inner document."""
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500
_GRANT_LIFE_S: Final = 1800.0
_LONGEST_GRANT_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class AppKey:
    """Which app is asking; its repr shows neither part."""

    client_id: SecretStr
    client_secret: SecretStr

    @property
    def fingerprint(self) -> str:
        """Tells one app from another without showing its key."""
        return hashlib.sha256(self.client_id.get_secret_value().encode()).hexdigest()[:16]


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
    refresh_token: str | None = field(repr=False)
    """None when the answer named none; the one that was spent is good still."""
    expires_in_s: float
    id_token: str | None = field(default=None, repr=False)
    scope: str = "api"
    odd: bool = False
    """Whether its life could not be and was taken for the usual half hour."""


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


def basic_authorization(app: AppKey) -> str:
    """The header value that tells Schwab which app is asking."""
    pair = f"{app.client_id.get_secret_value()}:{app.client_secret.get_secret_value()}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def parse_grant(body: bytes) -> TokenGrant:
    """Read a 200 answer of the token endpoint; TransientError for a page, ContractError for JSON without a token."""
    tree = lenient_json(body)
    if not isinstance(tree, Mapping):
        raise TransientError("Schwab's login server answered with something that is no JSON object.")
    access, refresh, id_token = (token_text(tree.get(name)) for name in ("access_token", "refresh_token", "id_token"))
    if not access:
        raise ContractError("Schwab's token endpoint answered without tokens.")
    life_s, scope = _life_s(tree.get("expires_in")), tree.get("scope")
    return TokenGrant(
        access_token=access,
        refresh_token=refresh or None,
        expires_in_s=life_s or _GRANT_LIFE_S,
        id_token=id_token or None,
        scope=scope if isinstance(scope, str) else "api",
        odd=life_s is None,
    )


def _life_s(stated: object) -> float | None:
    """None for what cannot be the life of a token, such as milliseconds or an amount beyond a day."""
    if isinstance(stated, bool) or not isinstance(stated, (int, float)):
        return None
    return float(stated) if 0 < stated <= _LONGEST_GRANT_S else None


def token_from(grant: TokenGrant, *, now: datetime, login_at: datetime | None, spent: str | None = None) -> Token:
    """The token to store; `login_at` is the browser login's time, kept through every refresh.

    `spent` is the refresh token that was sent, which a grant without one leaves in force; without either
    ContractError.
    """
    refresh_token = grant.refresh_token or spent
    if refresh_token is None:
        raise ContractError("Schwab's token endpoint answered a login without a refresh token.")
    return Token(
        access_token=grant.access_token,
        refresh_token=refresh_token,
        expires_at=now + timedelta(seconds=grant.expires_in_s),
        login_at=login_at,
        refreshed_at=now,
        id_token=grant.id_token,
        scope=grant.scope,
    )


def error_word(body: str) -> str:
    """The `error` of a JSON body of the token endpoint; empty for a page, plain text, nothing and a grant."""
    tree = _object(body)
    if tree is not None:
        word = tree.get("error")
        return word if isinstance(word, str) else ""
    found = _ERROR_WORD.match(body)
    return "" if found is None else found.group(1)


def _object(body: str) -> Mapping[str, object] | None:
    tree = lenient_json(body.encode("utf-8", "replace"))
    return tree if isinstance(tree, Mapping) else None


def refresh_error(status: int, body: str, *, age: timedelta | None, retry_after_s: float | None) -> GexcordError:
    """What a refused refresh means (§1.4): the JSON's `error` says it, then the status; nothing else is a verdict.

    `age` is the time since the browser login, None when unknown.
    """
    match _verdict(status, body):
        case "app":
            return _refused_client(body.lower(), age)
        case "login":
            return _refused_login(age)
        case _:
            return _other_error(status, body, retry_after_s)


def exchange_error(status: int, body: str, *, retry_after_s: float | None) -> GexcordError:
    """What a refused code means; a code lives about 30 seconds and works once."""
    match _verdict(status, body):
        case "app":
            return ConfigurationError("Schwab does not accept the app key or secret.", remedy=_CHECK_APP)
        case "login":
            return LoginRequiredError(
                "Schwab does not accept this code; codes live 30 seconds and work once.",
                remedy="Log in again and hand the address over at once. When that fails too, SCHWAB_CALLBACK_URL "
                "differs from the app's: it must be equal to the last character.",
            )
        case _:
            return _other_error(status, body, retry_after_s)


def _verdict(status: int, body: str) -> str:
    """`app`, `login` or nothing: pages, empty bodies and a server's own trouble judge nobody, whatever they say."""
    word = _word(status, body)
    if word in _UNKNOWN_APP:
        return "app"
    if word in _DEAD:
        return "login"
    return "app" if status == _UNAUTHORIZED and _object(body) is not None else ""


def _word(status: int, body: str) -> str:
    return "" if status >= _SERVER_ERRORS or status == _TOO_MANY else error_word(body)


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
    if any(words in text for words in _DEAD_LOGIN_WORDS) or (age is not None and age >= LOGIN_LIFETIME):
        return LoginRequiredError("The weekly Schwab login is over.", remedy=LOG_IN)
    if age is None:
        return LoginRequiredError(
            "Schwab accepts either the app key and secret or the stored login no longer.",
            remedy=f"{_CHECK_APP} {LOG_IN}",
        )
    return ConfigurationError("Schwab does not accept the app key or secret.", remedy=_CHECK_APP)


def _other_error(status: int, body: str, retry_after_s: float | None) -> GexcordError:
    if _word(status, body) == "invalid_request":
        return ContractError("Schwab calls our token request malformed.")
    what = "a page of its firewall" if is_firewall_page(body) else f"HTTP {status}"
    return TransientError(f"Schwab's login server answered with {what}.", retry_after_s=retry_after_s)
