"""Snapshots that other programs write, in the variants of GEXBot's classic shape that exist. Pure.

On that wire an absent figure is 0, so an exact zero becomes None; only days to expiry, ladder values of now and
changes may be zero (`specs/gex-method.md` §11, §13). Figures are taken in the classic units, millions
of dollars per 1 %.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from streaming.bus.codec import decode_snapshot
from streaming.bus.snapshots.names import ticker_of
from streaming.bus.snapshots.sound import MOST_ROWS, producer, sound, sound_mark
from streaming.chains.wire_values import number, price, whole
from streaming.clock import instant_ms
from streaming.errors import UNREADABLE, ContractError
from streaming.model import SCOPES, GexSnapshot, MaxChange, ReplayMark, ScopeName, StrikeRow

_WRAPPERS: Final = ("data", "result", "snapshot", "payload")
_WRAPPER_DEPTH: Final = 4
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "spot": ("spot", "spot_price", "price", "underlying_price", "last"),
    "ladder_split": ("zero_gamma", "gamma_flip"),
    "major_pos_vol": ("major_pos_vol", "mpos_vol"),
    "major_neg_vol": ("major_neg_vol", "mneg_vol"),
    "major_pos_oi": ("major_pos_oi", "mpos_oi", "call_wall"),
    "major_neg_oi": ("major_neg_oi", "mneg_oi", "put_wall"),
    "sum_gex_vol": ("sum_gex_vol", "net_gex_vol", "net_gex"),
    "sum_gex_oi": ("sum_gex_oi", "net_gex_oi"),
}
_PRICES: Final = frozenset({"spot", "ladder_split", "major_pos_vol", "major_neg_vol", "major_pos_oi", "major_neg_oi"})
_CLOCK_SKEW_MS: Final = 2000
_MOST_PRIORS: Final = 5
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
MOST_BYTES: Final = 1_000_000
"""Ten times what the largest chain's snapshot takes."""


class _Marked(msgspec.Struct):
    """Names that only a snapshot of our own has; looked for before anything is taken apart."""

    v: msgspec.Raw
    scopes: msgspec.Raw


_MARKED: Final = msgspec.json.Decoder(_Marked)


def parse_snapshot(payload: bytes, *, received_ms: int) -> GexSnapshot:
    """A snapshot from JSON of our own or of the classic shape; a missing time is the time of receipt.

    Nothing in it is longer, larger or of another time than can be: what is becomes unknown. ContractError when it is
    larger than `MOST_BYTES`, not a JSON object, names no ticker, or holds no figure beyond a spot. Our own may be a
    spot alone: that is a chain without any usable volatility, which a board shows as such.
    """
    if len(payload) > MOST_BYTES:
        raise ContractError(f"A snapshot of {len(payload):,} bytes is too large: {MOST_BYTES:,} are read.")
    own = _own(payload)
    if own is not None and own.spot is not None:
        return own
    snapshot = own or _classic(_fields(payload), received_ms)
    if not has_figures(snapshot):
        raise ContractError(f"The snapshot of {snapshot.ticker} has no figures except spot.")
    return snapshot


def _own(payload: bytes) -> GexSnapshot | None:
    try:
        _MARKED.decode(payload)
        found = decode_snapshot(payload)
    except (ContractError, *UNREADABLE):
        return None
    return sound(found)


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
    except UNREADABLE:
        pass
    try:
        return json.loads(payload)  # accepts the NaN and Infinity that Python programs write
    except (ValueError, RecursionError):
        raise ContractError("A snapshot is not valid JSON.") from None


def _classic(fields: Mapping[str, Any], received_ms: int) -> GexSnapshot:
    asof_ms = _asof_ms(fields, received_ms)
    figures: dict[str, Any] = {name: _figure(name, _first(fields, names)) for name, names in _NAMES.items()}
    return GexSnapshot(
        ticker=ticker_of(_first(fields, _TICKER_NAMES)),
        timestamp=asof_ms // 1000,
        min_dte=whole(fields.get("min_dte")),
        sec_min_dte=whole(fields.get("sec_min_dte")),
        strikes=_strikes(fields.get("strikes")),
        max_priors=_changes(_first(fields, _CHANGE_NAMES)),
        asof_ms=asof_ms,
        computed_ms=instant_ms(fields.get("computed_ms"), unit="ms") or received_ms,
        seq=whole(fields.get("seq")) or 0,
        source=producer(fields.get("source")),
        delayed=fields.get("delayed") is True,
        scope=_scope(fields.get("scope") or fields.get("category")),
        replay=_mark(fields.get("replay")),
        **figures,
    )


def _asof_ms(fields: Mapping[str, Any], received_ms: int) -> int:
    """The stated time; that of receipt where there is none, or one that has not come yet."""
    stated_ms = instant_ms(_first(fields, _TIME_NAMES), unit="any") or received_ms
    return stated_ms if stated_ms <= received_ms + _CLOCK_SKEW_MS else received_ms


def _figure(name: str, value: Any) -> float | None:
    return price(value) if name in _PRICES else number(value) or None


def has_figures(snapshot: GexSnapshot) -> bool:
    """Whether a snapshot says anything beyond its spot; zeros say nothing."""
    figures = (getattr(snapshot, name) for name in _NAMES if name != "spot")
    ladder = (value for row in snapshot.strikes for value in row[1:3])
    return any((*figures, *ladder))


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _mark(value: Any) -> ReplayMark | None:
    """A replay is never taken for live figures: ContractError for a mark that cannot be read."""
    if not isinstance(value, dict):
        return None
    try:
        mark = msgspec.convert(value, ReplayMark)
    except (msgspec.ValidationError, *UNREADABLE):
        raise ContractError("A replayed snapshot is marked in a way that cannot be read.") from None
    return sound_mark(mark)


def _scope(value: Any) -> ScopeName | None:
    name = value.removeprefix("gex_") if isinstance(value, str) else ""
    return next((scope for scope in SCOPES if scope == name), None)


def _strikes(value: Any) -> tuple[StrikeRow, ...]:
    """Rows in ascending order; rows without a strike are left out."""
    if isinstance(value, list) and len(value) > MOST_ROWS:
        raise ContractError(f"A snapshot has more than {MOST_ROWS} strikes.")
    rows = (_strike(row) for row in value) if isinstance(value, list) else ()
    return tuple(sorted((row for row in rows if row is not None), key=lambda row: row[0]))


def _strike(row: Any) -> StrikeRow | None:
    if isinstance(row, dict):
        row = [row.get("strike"), _first(row, ("gex_vol", "vol")), _first(row, ("gex_oi", "oi")), row.get("priors")]
    if not isinstance(row, list):
        return None
    strike, vol, oi, priors, *_ = [*row, None, None, None, None]
    at = price(strike)
    if at is None:
        return None
    known = tuple(number(prior) or None for prior in priors[:_MOST_PRIORS]) if isinstance(priors, list) else ()
    return (at, number(vol), number(oi), known)


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
    strike, change = price(pair[0]), number(pair[1])
    return (strike, change) if strike is not None and change is not None else (None, None)
