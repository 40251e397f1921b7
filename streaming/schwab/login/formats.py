"""The JSON shapes in which programs keep a Schwab login: ours to write, all to read. Pure.

See specs/schwab-wire.md §1.5.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from streaming import clock
from streaming.errors import ContractError
from streaming.schwab.login.oauth import LOG_IN, LOGIN_LIFETIME
from streaming.schwab.login.tokens import Token, token_text

_MAX_NESTING: Final = 10
_ACCESS_LIFE_S: Final = 1800
_LOGIN_NAMES: Final = ("creation_timestamp", "refresh_token_issued")
_NESTS: Final = ("token", "tokens", "token_dictionary")
_CLOUD_LEVELS: Final = 2
"""So deep under names of others: `{"SecretString": "{…}"}` of one cloud, `{"payload": {"data": "…"}}` of another."""
_MOST_OPENED: Final = 64
"""Of one mapping; a cloud's answer has a dozen names."""
_ISSUED_NAMES: Final = ("access_token_issued", "issued_at", "obtained_at")
_END_NAMES: Final = ("refresh_expires_in", "refresh_token_expires_at", "refresh_expires_at")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where `refreshToken` becomes `refresh_token`."""
_PLAIN_BASE64: Final = bytes.maketrans(b"-_", b"+/")


def token_document(token: Token) -> dict[str, Any]:
    """The file's content: schwab-py's shape, with our own fields beside it."""
    inner: dict[str, Any] = {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token,
        "token_type": token.token_type,
        "scope": token.scope,
        "expires_in": _ACCESS_LIFE_S,
        "expires_at": int(token.expires_at.timestamp()) if token.expires_at else 0,
    }
    if token.id_token:
        inner["id_token"] = token.id_token
    document: dict[str, Any] = {"token": inner}
    if token.login_at is not None:
        document["creation_timestamp"] = int(token.login_at.timestamp())
    if token.refreshed_at is not None:
        document["refreshed_at"] = int(token.refreshed_at.timestamp())
    return document


def encode_token(token: Token) -> bytes:
    """The file's bytes, not encrypted."""
    return json.dumps(token_document(token), indent=1).encode()


def parse_token(raw: bytes, *, where: str, now: datetime | None = None) -> Token:
    """Read any JSON shape of §1.5; ContractError, naming `where`, when there is no refresh token in it.

    The innermost mapping with a refresh token counts. The login time is the earliest credible one on the
    way down: not after `now`, never the time of a refresh, and none is ever invented.
    """
    if (document := _decoded(raw)) is None:
        raise ContractError(f"{where} is not JSON.", remedy=LOG_IN)
    return token_of_tree(document, where=where, now=now)


def token_of_tree(document: object, *, where: str, now: datetime | None = None) -> Token:
    """As `parse_token`, for what is decoded already."""
    path = list(_way_down(document))
    innermost = next((node for node in reversed(path) if _refresh_token(node)), None)
    if innermost is None:
        what = "holds an access token only" if any(map(_access_token, path)) else "holds no refresh token"
        raise ContractError(f"{where} {what}.", remedy=LOG_IN)
    expires_at = next(filter(None, (_expires_at(node, path) for node in (innermost, *path))), None)
    scope = innermost.get("scope")
    return Token(
        access_token=_access_token(innermost),
        refresh_token=_refresh_token(innermost),
        expires_at=expires_at,
        login_at=_login_at(path, now),
        refreshed_at=next(filter(None, (_instant(node.get("refreshed_at")) for node in path)), None),
        id_token=token_text(innermost.get("id_token")) or None,
        scope=scope if isinstance(scope, str) and scope else "api",
    )


def _way_down(node: object) -> Iterator[Mapping[str, Any]]:
    """The nested mappings, outermost first, with names as Schwab writes them; text that hides one is opened."""
    for _ in range(_MAX_NESTING + 1):
        if isinstance(node, str):
            node = _decoded(node)
        if not isinstance(node, Mapping):
            return
        named = _named(node)
        yield named
        node = next((named[name] for name in _NESTS if _is_nest(named.get(name))), None)
        if node is None and not _refresh_token(named):  # where the login stands, nothing else is opened
            node = _holding(named)


def _is_nest(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, str) and isinstance(_decoded(value), (dict, str)))


def _holding(named: Mapping[str, Any], levels: int = _CLOUD_LEVELS) -> Mapping[str, Any] | None:
    """The first value under anybody's name, also one in a text, that a login seems to stand in, so many levels down."""
    opened = (_decoded(value) if isinstance(value, str) else value for value in islice(named.values(), _MOST_OPENED))
    twice = (_decoded(value) if isinstance(value, str) else value for value in opened)
    return next((value for value in twice if isinstance(value, Mapping) and _seems_to_hold(value, levels - 1)), None)


def _seems_to_hold(node: Mapping[str, Any], levels: int) -> bool:
    named = _named(node)
    nested = any(_is_nest(named.get(name)) for name in _NESTS)
    return nested or bool(_refresh_token(named)) or (levels > 0 and _holding(named, levels) is not None)


def _named(node: Mapping[str, Any]) -> dict[str, Any]:
    return {_HUMP.sub("_", str(name)).lower(): value for name, value in node.items()}


def _decoded(packed: bytes | str) -> object:
    """JSON, or JSON in base64; None for anything else."""
    raw = packed.encode("utf-8", "replace") if isinstance(packed, str) else packed
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        pass
    plain = raw.translate(_PLAIN_BASE64, b"\r\n \t=")
    try:
        return json.loads(base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _refresh_token(node: Mapping[str, Any]) -> str:
    """Under its usual name, the Rust client's, or that of the origin's snapshot of a refresh token."""
    return token_text(node.get("refresh_token")) or token_text(node.get("refresh")) or _snapshot(node, "rotated_at")


def _access_token(node: Mapping[str, Any]) -> str:
    return token_text(node.get("access_token")) or token_text(node.get("access")) or _snapshot(node, "issued_at")


def _snapshot(node: Mapping[str, Any], told_by: str) -> str:
    return token_text(node.get("token")) if told_by in node else ""


def _login_at(path: list[Mapping[str, Any]], now: datetime | None) -> datetime | None:
    found = [_instant(node.get(name)) for node in path for name in _LOGIN_NAMES]
    ends = [_instant(node.get(name)) for node in path for name in _END_NAMES]
    found += [end - LOGIN_LIFETIME for end in ends if end is not None]
    credible = [moment for moment in found if moment is not None and (now is None or moment <= now)]
    if not credible:  # the origin system's own stamp counts only where there is no better one
        updated = (_instant(node.get("updated_at")) for node in path)
        credible = [moment for moment in updated if moment is not None and (now is None or moment <= now)]
    return min(credible, default=None)


def _expires_at(node: Mapping[str, Any], path: list[Mapping[str, Any]]) -> datetime | None:
    """Stated, or counted from when the access token was issued where that is told."""
    stated = _instant(node.get("expires_at")) or _instant(node.get("access_expires_in"))
    if stated is not None:
        return stated
    life_s = node.get("expires_in")
    issued_at = next(filter(None, (_instant(outer.get(name)) for outer in path for name in _ISSUED_NAMES)), None)
    if issued_at is None or not isinstance(life_s, (int, float)) or not 0 < life_s <= _ACCESS_LIFE_S:
        return None
    return issued_at + timedelta(seconds=life_s)


def _instant(value: object) -> datetime | None:
    """Seconds or milliseconds as number or text, or ISO 8601 (naive means UTC); None when it is not a time."""
    return clock.instant(value, unit="any")
