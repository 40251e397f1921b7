"""A snapshot of our own shape that somebody else may have written, made such that nobody stumbles over it. Pure.

JSON of the right types can still hold the year 9999, a strike of 1e300 or a link for a name. An odd value costs
itself: it becomes unknown, a row of a table is left out. Only without an identity is there no snapshot.
"""

from collections.abc import Mapping
from itertools import chain, pairwise
from typing import Any, Final

import msgspec

from streaming.bus.snapshots.names import is_note, is_producer, is_ticker, ticker_of
from streaming.chains.wire_values import HIGHEST_PRICE, LARGEST, LARGEST_WHOLE, LOWEST_PRICE, price, whole
from streaming.clock import is_instant
from streaming.errors import ContractError
from streaming.model import SCOPES, VIEWS, WEIGHTS, GexSnapshot, ReplayMark

MOST_ROWS: Final = 5_000
"""Of any one table; no exchange lists as many strikes of one underlying within reach of its price."""
UNNAMED: Final = "redis"
"""A producer without a name that can be shown is called by the way its snapshots came."""
_IDENTITY: Final = frozenset({"ticker", "timestamp", "asof_ms", "computed_ms", "seq", "source", "replay"})
_BY_PRICE: Final = frozenset({"strikes", "ladder", "sides", "profile", "flow_strikes"})
_BY_PLACE: Final = "max_priors"
_LONGEST_HOLDER: Final = 300
_NO_CHANGE: Final = (None, None)
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {"scopes": SCOPES, "views": VIEWS, "standing": WEIGHTS}
_ODD: Final = object()
Row = tuple[Any, ...]


def sound(snapshot: GexSnapshot) -> GexSnapshot:
    """The same snapshot without what cannot be; ContractError without a ticker or a quote time.

    ContractError too for a table of more than `MOST_ROWS` rows.
    """
    asof_ms, computed_ms = snapshot.asof_ms, snapshot.computed_ms
    if not is_instant(asof_ms):
        raise ContractError(f"The snapshot of {snapshot.ticker[:20]!r} has no time that can be.")
    rest: GexSnapshot = _record(snapshot, but=_IDENTITY)
    return msgspec.structs.replace(
        rest,
        ticker=ticker_of(snapshot.ticker),
        timestamp=asof_ms // 1000,
        computed_ms=computed_ms if is_instant(computed_ms) else asof_ms,
        seq=whole(snapshot.seq) or 0,
        source=producer(snapshot.source),
        spot=price(snapshot.spot),
        replay=None if snapshot.replay is None else sound_mark(snapshot.replay),
    )


def producer(name: object) -> str:
    """The producer's name for itself, where it can be shown; else the way it came."""
    return name if isinstance(name, str) and is_producer(name) else UNNAMED


def sound_mark(mark: ReplayMark) -> ReplayMark:
    """The same of a replay's mark; one that does not say when it was played was so long ago."""
    return msgspec.structs.replace(
        mark,
        of=producer(mark.of),
        speed=min(max(mark.speed, 0.0), LARGEST),
        sent_ms=mark.sent_ms if is_instant(mark.sent_ms) else 0,
        by=mark.by if mark.by is not None and len(mark.by) <= _LONGEST_HOLDER else None,
    )


def _record(record: Any, *, but: frozenset[str] = frozenset()) -> Any:
    """The record with defaults for its odd values, itself when there are none, `_ODD` when one has no default."""
    changes: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        fine = value if name in but else _value(name, value)
        if fine is _ODD:
            fine = _default(type(record), name)
        if fine is msgspec.NODEFAULT:
            return _ODD
        if fine is not value:
            changes[name] = fine
    return msgspec.structs.replace(record, **changes) if changes else record


def _default(kind: type[msgspec.Struct], name: str) -> Any:
    return next(field.default for field in msgspec.structs.fields(kind) if field.name == name)


def _value(name: str, value: Any) -> Any:
    """What may stay of a field's value; `_ODD` when nothing may."""
    match value:
        case tuple():
            return _rows(name, value)
        case dict():
            return _map(value, _KEYS.get(name, ()))
        case msgspec.Struct():
            return _record(value)
        case _:
            return value if _is_fine(name, value) else _ODD


def _is_fine(name: str, value: Any) -> bool:
    """Whether a single value, or every one of a row, can be what it is called."""
    match value:
        case None | bool():
            return True
        case int():
            return is_instant(value) if name.endswith("_ms") else abs(value) <= LARGEST_WHOLE
        case float():
            return abs(value) <= LARGEST
        case str():
            return is_ticker(value) if name == "symbol" else is_note(value)
        case tuple():
            return len(value) <= MOST_ROWS and all(_is_fine("", cell) for cell in value)
        case _:
            return False


def _rows(name: str, rows: Row) -> Row:
    """Without the odd members; a table by price without rows at prices that cannot be, ascending."""
    if len(rows) > MOST_ROWS:
        raise ContractError(f"A snapshot has more than {MOST_ROWS} rows in one table.")
    if name in _BY_PRICE:
        return _by_price(rows)
    if name == _BY_PLACE:
        kept = tuple(row if _is_fine("", row) else _NO_CHANGE for row in rows)
    else:
        cleaned = (_value("", row) if isinstance(row, msgspec.Struct) else row for row in rows)
        kept = tuple(row for row in cleaned if isinstance(row, msgspec.Struct) or _is_fine("", row))
    return rows if len(kept) == len(rows) and all(map(_is_same, kept, rows)) else kept


def _is_same(one: object, other: object) -> bool:
    return one is other


def _by_price(rows: Row) -> Row:
    if not _is_plain(rows):
        rows = tuple(row for row in rows if price(row[0]) is not None and _is_fine("", row))
    if any(before[0] > after[0] for before, after in pairwise(rows)):
        rows = tuple(sorted(rows, key=lambda row: row[0]))
    return rows


def _is_plain(rows: Row) -> bool:
    """Whether a table is of nothing but numbers within bounds, as our own curves are: a quicker look than by cell."""
    if not rows:
        return True
    try:
        cells, prices = [*chain.from_iterable(rows)], [row[0] for row in rows]
        bounded = -LARGEST <= min(cells) <= max(cells) <= LARGEST
        return bool(bounded and LOWEST_PRICE <= min(prices) <= max(prices) <= HIGHEST_PRICE)
    except TypeError:  # a cell that is unknown, or a row within the row
        return False


def _map(values: dict[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """Only what we know by name, each made sound."""
    made = {key: _record(value) for key, value in values.items() if key in known}
    kept = {key: value for key, value in made.items() if value is not _ODD}
    return values if len(kept) == len(values) and all(kept[key] is values[key] for key in kept) else kept
