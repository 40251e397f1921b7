"""One entry of a history in Redis: which day it is of, and its payload. Pure."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from streaming.calendar import latest_session, new_york
from streaming.clock import date_of, instant_ms, instant_of

_NO_DAY: Final = ""


class HistoryEntry(NamedTuple):
    """What `SnapshotHistory` writes, read back."""

    id: bytes
    day: str
    """ISO date in New York of the quotes."""
    asof_ms: int
    payload: bytes

    @property
    def id_ms(self) -> int:
        """When it came, by the server's clock."""
        return int(self.id.partition(b"-")[0])


def entry_of(reply: tuple[bytes, Mapping[bytes, bytes]]) -> HistoryEntry | None:
    """An entry as redis-py gives it; None for one that another program put there in a shape of its own."""
    entry_id, fields = reply
    payload = fields.get(b"data")
    asof_ms = instant_ms(_text(fields.get(b"asof_ms")), unit="ms")
    day = _text(fields.get(b"day"))
    if payload is None or asof_ms is None or date_of(day) is None:
        return None
    return HistoryEntry(entry_id, day, asof_ms, payload)


def market_day(asof_ms: int) -> str:
    """The date in New York of an instant, as ISO text."""
    return new_york(instant_of(asof_ms)).date().isoformat()


def outranks(day: str, held: str, *, now_ms: int, computed_ms: int) -> bool:
    """Whether a snapshot of `day` may clear a history that holds the day `held`; all clocks but ours may be wrong.

    A later day may, once it has come. An earlier one may not clear the newest session's day or one since; what is
    older than that gives way unless the producer itself saw its day come. A day that has not come gives way to all.
    """
    today, newest_session = market_day(now_ms), latest_session(instant_of(now_ms)).isoformat()
    computed = market_day(computed_ms)
    if held > max(today, computed) or held == _NO_DAY:
        return True
    if day > held:
        return day <= today or held < newest_session
    return computed < held < newest_session


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else ""
