"""A stream service's rows in Schwab's numbered fields (specs/schwab-wire.md §2.5).

A row is split in what never changes in a day (`fixed`) and what may change every second (`live`).
Field 0 is never sent; whole numbers travel without a decimal point.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any, Final, Protocol

Row = dict[str, Any]
_WHOLE: Final = frozenset({"NYSE_BOOK", "NASDAQ_BOOK", "OPTIONS_BOOK", "CHART_EQUITY", "CHART_FUTURES"})


class RowSource(Protocol):
    """One service's rows."""

    def fixed(self, key: str) -> Row | None:
        """What a full image adds to the live fields, `delayed` and `assetMainType` among it; None if unknown."""
        ...

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> Mapping[str, Row]:
        """The changing fields of all known keys now, as far as `fields` holds them."""
        ...


def only(row: Row, fields: frozenset[str]) -> Row:
    """The fields of a row that are wanted."""
    return {name: value for name, value in row.items() if name in fields}


def number(value: float, digits: int = 4) -> float | int:
    """A rounded number, without a decimal point when it is whole; 0 for what is not finite."""
    if not isfinite(value):
        return 0
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def change_of(service: str, sent: Row, now: Row) -> Row:
    """What a delta carries: the changed fields, or for books and bars everything once something changed."""
    if service in _WHOLE:
        return dict(now) if now != sent else {}
    return differences(sent, now)


def differences(sent: Row, now: Row) -> Row:
    if list(sent) != list(now):
        return {name: value for name, value in now.items() if sent.get(name) != value}
    pairs = zip(now.items(), sent.values(), strict=True)  # the same fields in the same order
    return {name: value for (name, value), old in pairs if value != old}


def image_of(row: Row) -> Row:
    """Head fields first, then numbers ascending, as production writes a full image."""
    return {name: row[name] for name in sorted(row, key=_place)}


@cache
def _place(name: str) -> int:
    return int(name) if name.isdigit() else -1
