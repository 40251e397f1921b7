"""What a frame says of a row: its image at first, and then what changed (specs/schwab-wire.md §2.5). Pure."""

from functools import cache
from typing import Final

from streaming.sim.stream.numbered_rows import Row

_WHOLE: Final = frozenset({"NYSE_BOOK", "NASDAQ_BOOK", "OPTIONS_BOOK", "CHART_EQUITY", "CHART_FUTURES"})


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
