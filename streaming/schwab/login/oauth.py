"""Schwab's OAuth: the authorise URL, the redirect it ends in, and what its refusals mean. Pure.

See specs/schwab-wire.md §1.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
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
from streaming.schwab.login.tokens import Token, token_text
from streaming.schwab.wire.tolerant import lenient_json

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
_WHOLE: Final = "Paste the whole address the browser ended at, to its last character."
_AMPERSANDS: Final = ("&amp;", "&#38;", "&#x26;")
"""How an `&` looks where an address was copied out of a page's text."""
_AROUND: Final = "<>\"'`()[]{}*|\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb"
_BEHIND: Final = ".,;:!" + _AROUND
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


@dataclass(frozen=True, slots=True)
class Callback:
    """Where Schwab sends the browser back to."""

    host: str
    port: int | None
    """None when the URL names none."""
    path: str


def parse_callback(url: str) -> Callback:
    """The parts of SCHWAB_CALLBACK_URL; ConfigurationError says what cannot be a registered callback."""
    if "," in url or any(character.isspace() for character in url):
        raise ConfigurationError(
            "SCHWAB_CALLBACK_URL holds more than one URL.",
            remedy="Keep one of those that are registered for the app, such as https://127.0.0.1:8182.",
        )
    try:
        parts = urlsplit(url)
        return Callback(parts.hostname or "", parts.port, parts.path or "/")
    except ValueError:
        raise ConfigurationError(
            "SCHWAB_CALLBACK_URL has an impossible port or host.",
            remedy="A port is a number from 1 to 65535, as in https://127.0.0.1:8182.",
        ) from None


class CutShortError(RequestError):
    """A pasted address lacks its end; what comes next may be the rest of it."""


def parse_redirect(text: str, *, state: str | None = None) -> str:
    """The authorisation code of a pasted redirect URL or of a bare code, decoded exactly once.

    What copying adds (spaces, line breaks, quotes, code marks, a dot at the end, `&amp;`) is understood. Raises
    CutShortError when the end is missing, and RequestError when there is no code in it, or when `state` is given and
    the URL does not carry it.
    """
    pasted = _address(text, state)
    query = _query(pasted) if "://" in pasted or "?" in pasted else ""
    values = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    if "error" in values:
        raise RequestError(f"Schwab refused the login: {_word_of(values['error'])}.", remedy=LOG_IN)
    if not query and state is not None:
        raise RequestError("That is not the whole address.", remedy=_WHOLE)
    if state is not None:
        _check_state(unquote(values.get("state", "")), state, has_code="code" in values)
    code = _decoded(values.get("code", "") if query else pasted)
    if not code or "://" in code or not token_text(code):
        raise RequestError("There is no code in that URL.", remedy=_WHOLE)
    return code


def _address(text: str, state: str | None) -> str:
    """The address in a pasted text, without what copying put around, into and behind it."""
    for entity in _AMPERSANDS:
        text = text.replace(entity, "&")
    begins = text.find("https://")
    if begins > 0:
        text = text[begins:]
    if "://" in text:  # an address has no white space in it, so what is there came from a line's end
        text = "".join(character for character in text if character.isprintable() and not character.isspace())
    end = f"state={state}"
    if state and end in text and "code=" not in text.partition(end)[2]:
        text = text.partition(end)[0] + end
    return text.strip().strip(_AROUND).rstrip(_BEHIND)


def _query(address: str) -> str:
    try:
        return urlsplit(address).query
    except ValueError:
        raise RequestError("That is not an address.", remedy=_WHOLE) from None


def _check_state(found: str, wanted: str, *, has_code: bool) -> None:
    if found == wanted:
        return
    if has_code and wanted.startswith(found):
        raise CutShortError("The address is cut short: its end, after `state=`, is missing.", remedy=_WHOLE)
    raise RequestError("This redirect URL belongs to another login.", remedy="Use the newest login link.")


def _word_of(error: str) -> str:
    """Schwab's word for a refusal as far as it is one."""
    return "".join(character for character in unquote(error) if character.isalnum() or character == "_")[:60]


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
        raise TransientError("Schwab's login server answered with something that is not a JSON object.")
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
                remedy="Log in again and paste the address at once. If that fails too, SCHWAB_CALLBACK_URL "
                "differs from the app's: the two must match exactly.",
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
    return "app" if status == HTTPStatus.UNAUTHORIZED and _object(body) is not None else ""


def _word(status: int, body: str) -> str:
    return (
        "" if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS else error_word(body)
    )


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
            "Schwab no longer accepts the app key and secret, or the stored login.",
            remedy=f"{_CHECK_APP} {LOG_IN}",
        )
    return ConfigurationError("Schwab does not accept the app key or secret.", remedy=_CHECK_APP)


def _other_error(status: int, body: str, retry_after_s: float | None) -> GexcordError:
    if _word(status, body) == "invalid_request":
        return ContractError("Schwab calls our token request malformed.")
    what = "a page of its firewall" if is_firewall_page(body) else f"HTTP {status}"
    return TransientError(f"Schwab's login server answered with {what}.", retry_after_s=retry_after_s)
