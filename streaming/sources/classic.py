"""Snapshots that other programs write, in the variants of GEXBot's classic shape that exist. Pure.

On that wire an absent figure is 0, so an exact zero becomes None; only days to expiry, ladder values and
changes may be zero (`gex.md` §13). Figures are taken in the classic units, millions of dollars per 1 %.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from streaming.bus.codec import decode_snapshot
from streaming.errors import ContractError, RequestError
from streaming.model import SCOPES, GexSnapshot, MaxChange, ScopeName, StrikeRow
from streaming.symbols import parse_ticker

_WRAPPERS: Final = ("data", "result", "snapshot", "payload")
_WRAPPER_DEPTH: Final = 4
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "spot": ("spot", "spot_price", "price", "underlying_price", "last"),
    "zero_gamma": ("zero_gamma", "gamma_flip"),
    "major_pos_vol": ("major_pos_vol", "mpos_vol"),
    "major_neg_vol": ("major_neg_vol", "mneg_vol"),
    "major_pos_oi": ("major_pos_oi", "mpos_oi", "call_wall"),
    "major_neg_oi": ("major_neg_oi", "mneg_oi", "put_wall"),
    "sum_gex_vol": ("sum_gex_vol", "net_gex_vol", "net_gex"),
    "sum_gex_oi": ("sum_gex_oi", "net_gex_oi"),
}
_PRICES: Final = frozenset({"spot", "zero_gamma", "major_pos_vol", "major_neg_vol", "major_pos_oi", "major_neg_oi"})
_HIGHEST_PRICE: Final = 1e9
_CLOCK_SKEW_MS: Final = 2000
_TICKER_NAMES: Final = ("ticker", "symbol", "underlying")
_TIME_NAMES: Final = ("timestamp", "timestamp_ms", "ts", "time", "asof", "updated_at")
_CHANGE_NAMES: Final = ("max_priors", "maxchange", "max_change", "maxpriors")
_WINDOWS: Final = (
    ("current", "now", "0"),
    ("one", "1", "1m", "1min"),
    ("five", "5", "5m", "5min"),
    ("ten", "10", "10m", "10min"),
    ("fifteen", "15", "15m", "15min"),
    ("thirty", "30", "30m", "30min"),
)
_LARGEST_WHOLE: Final = 2**53
_LONGEST_SOURCE: Final = 24
_FIRST_INSTANT_S: Final = 946_684_800.0
"""2000-01-01; a smaller number is no time."""
_LAST_INSTANT_S: Final = 4_102_444_800.0
"""2100-01-01; a larger number counts thousandths, millionths or billionths of a second."""


def parse_snapshot(payload: bytes, *, received_ms: int) -> GexSnapshot:
    """A snapshot from JSON of our own or of the classic shape; a missing time is the time of receipt.

    ContractError when it is not a JSON object, names no ticker, or holds no figure beyond a spot. Our own may
    be a spot alone: that is a chain without any usable volatility, which a board shows as such.
    """
    fields = _fields(payload)
    own = _own(payload) if "v" in fields and "scopes" in fields else None
    if own is not None and _price(own.spot) is not None:
        return own
    snapshot = own or _classic(fields, received_ms)
    if not _usable(snapshot):
        raise ContractError(f"The snapshot of {snapshot.ticker} holds no figure beyond its spot.")
    return snapshot


def _own(payload: bytes) -> GexSnapshot | None:
    try:
        return decode_snapshot(payload)
    except ContractError:
        return None


def _fields(payload: bytes) -> dict[str, Any]:
    """The innermost object; what the wrappers around it say fills the gaps."""
    value = _decode(payload)
    fields: dict[str, Any] = {}
    for _ in range(_WRAPPER_DEPTH):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str):
            value = _decode(value.encode(errors="replace"))
        if not isinstance(value, dict):
            raise ContractError("A snapshot is not a JSON object.")
        inner = next((name for name in _WRAPPERS if isinstance(value.get(name), (dict, list, str))), None)
        fields |= {name: part for name, part in value.items() if name != inner}
        if inner is None:
            return fields
        value = value[inner]
    raise ContractError("A snapshot is wrapped too deeply.")


def _decode(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(payload)  # accepts the NaN and Infinity that Python programs write
    except (ValueError, RecursionError):
        raise ContractError("A snapshot is not valid JSON.") from None


def _classic(fields: Mapping[str, Any], received_ms: int) -> GexSnapshot:
    asof_ms = _asof_ms(fields, received_ms)
    figures: dict[str, Any] = {name: _figure(name, _first(fields, names)) for name, names in _NAMES.items()}
    return GexSnapshot(
        ticker=_ticker(_first(fields, _TICKER_NAMES)),
        timestamp=asof_ms // 1000,
        min_dte=_whole(fields.get("min_dte")),
        sec_min_dte=_whole(fields.get("sec_min_dte")),
        strikes=_strikes(fields.get("strikes")),
        max_priors=_changes(_first(fields, _CHANGE_NAMES)),
        asof_ms=asof_ms,
        computed_ms=_whole(fields.get("computed_ms")) or received_ms,
        seq=_whole(fields.get("seq")) or 0,
        source=_source(fields.get("source")),
        delayed=fields.get("delayed") is True,
        scope=_scope(fields.get("scope") or fields.get("category")),
        **figures,
    )


def _asof_ms(fields: Mapping[str, Any], received_ms: int) -> int:
    """The stated time; that of receipt where there is none, or one that has not come yet."""
    stated_ms = _instant_ms(_first(fields, _TIME_NAMES)) or received_ms
    return stated_ms if stated_ms <= received_ms + _CLOCK_SKEW_MS else received_ms


def _figure(name: str, value: Any) -> float | None:
    return _price(value) if name in _PRICES else _number(value) or None


def _usable(snapshot: GexSnapshot) -> bool:
    figures = (getattr(snapshot, name) for name in _NAMES if name != "spot")
    ladder = (value for row in snapshot.strikes for value in row[1:3])
    return any((*figures, *ladder))


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _number(value: Any) -> float | None:
    """A finite float from a number or its text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value.replace(",", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _price(value: Any) -> float | None:
    """A number that can be a price in points; None for anything else."""
    number = _number(value)
    return number if number is not None and 0 < number <= _HIGHEST_PRICE else None


def _whole(value: Any) -> int | None:
    """An integer that every JSON reader can hold; None for anything else."""
    number = _number(value)
    return int(number) if number is not None and abs(number) <= _LARGEST_WHOLE else None


def _ticker(value: Any) -> str:
    if not isinstance(value, str):
        raise ContractError("A snapshot names no ticker.")
    try:
        return parse_ticker(value).name
    except RequestError:
        raise ContractError(f"A snapshot names {value[:20]!r}, which is no ticker.") from None


def _source(value: Any) -> str:
    """The producer's name for itself, where a board can show it; else the way it came."""
    fits = isinstance(value, str) and 0 < len(value) <= _LONGEST_SOURCE and value.isprintable()
    return value if fits else "redis"


def _scope(value: Any) -> ScopeName | None:
    name = value.removeprefix("gex_") if isinstance(value, str) else ""
    return next((scope for scope in SCOPES if scope == name), None)


def _instant_ms(value: Any) -> int | None:
    """Epoch milliseconds from ISO text (UTC where it names no zone) or a count of s, ms, µs or ns."""
    number = _number(value)
    if number is None:
        return _iso_ms(value) if isinstance(value, str) else None
    while number > _LAST_INSTANT_S:
        number /= 1000.0
    return round(number * 1000) if number >= _FIRST_INSTANT_S else None


def _iso_ms(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * 1000)


def _strikes(value: Any) -> tuple[StrikeRow, ...]:
    """Rows in ascending order; rows without a strike are left out."""
    rows = (_strike(row) for row in value) if isinstance(value, list) else ()
    return tuple(sorted((row for row in rows if row is not None), key=lambda row: row[0]))


def _strike(row: Any) -> StrikeRow | None:
    if isinstance(row, dict):
        row = [row.get("strike"), _first(row, ("gex_vol", "vol")), _first(row, ("gex_oi", "oi")), row.get("priors")]
    if not isinstance(row, list):
        return None
    strike, vol, oi, priors, *_ = [*row, None, None, None, None]
    at = _price(strike)
    if at is None:
        return None
    known = tuple(_number(prior) for prior in priors) if isinstance(priors, list) else ()
    return (at, _number(vol), _number(oi), known)


def _changes(value: Any) -> tuple[MaxChange, ...]:
    """Six pairs in the order current, 1, 5, 10, 15, 30 minutes, or none at all."""
    if isinstance(value, dict):
        pairs = [_first(value, names) for names in _WINDOWS]
    elif isinstance(value, list) and value:
        pairs = list(value) if isinstance(value[0], (list, dict)) else [value]
    else:
        return ()
    if len(pairs) == len(_WINDOWS) - 1:
        pairs.insert(0, None)  # the five windows without "current"
    pairs = [*pairs, *[None] * len(_WINDOWS)][: len(_WINDOWS)]
    return tuple(_change(pair) for pair in pairs)


def _change(pair: Any) -> MaxChange:
    if isinstance(pair, dict):
        pair = [pair.get("strike"), _first(pair, ("change", "value", "gex"))]
    if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004  # a pair
        return (None, None)
    strike, change = _price(pair[0]), _number(pair[1])
    return (strike, change) if strike is not None and change is not None else (None, None)
