"""One line of a recording: when it came, and what. Pure.

Every line is a JSON object: `{"at": ms, "snapshot": {...}}` with the payload as it was published,
`{"at": ms, "id": "…", "tick": {...}}` with its id in the Redis stream, or `{"at": ms, "gap": {...}}` where
something was missed.
"""

from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from streaming.bus.snapshots.history_entry import market_day
from streaming.bus.snapshots.snapshot_history import without_curves
from streaming.errors import UNREADABLE, ContractError
from streaming.model import GexSnapshot

_HOUR_MS: Final = 3_600_000
_NO_TABLES: Final[dict[str, Any]] = dict.fromkeys(("expiries", "iv_faults", "by_expiry"), ())


class Gap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is not in the recording though it may have happened."""

    of: str
    """"snapshots" or "ticks"."""
    reason: str
    since_ms: int | None = None
    """The last sign of life before it."""
    lost: int | None = None
    """How many entries were missed; None when nobody can know."""


class RecordedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says; exactly one of the last three is there."""

    at: int
    """Milliseconds since 1970 at the recorder."""
    id: str | None = None
    snapshot: msgspec.Raw = msgspec.Raw()
    """Empty where there is none, as is `tick`."""
    tick: msgspec.Raw = msgspec.Raw()
    gap: Gap | None = None


_DECODER: Final = msgspec.json.Decoder(RecordedLine)
_ENCODER: Final = msgspec.json.Encoder()


def snapshot_line(at_ms: int, payload: bytes) -> bytes:
    """A snapshot, byte for byte where it is JSON on one line; what only other readers take is kept as text."""
    return b'{"at":%d,"snapshot":%b}\n' % (at_ms, _one_line(payload))


def tick_line(at_ms: int, entry_id: str, payload: bytes) -> bytes:
    """A tick under its id in the Redis stream."""
    return b'{"at":%d,"id":"%b","tick":%b}\n' % (at_ms, entry_id.encode(), _one_line(payload))


def gap_line(at_ms: int, gap: Gap) -> bytes:
    """The place of something missed."""
    return b'{"at":%d,"gap":%b}\n' % (at_ms, _ENCODER.encode(gap))


def parse_line(line: bytes) -> RecordedLine:
    """A line read back; ContractError for anything else."""
    try:
        found = _DECODER.decode(line)
    except UNREADABLE:
        raise ContractError("A line is not one of a recording.") from None
    if not bytes(found.snapshot) and not bytes(found.tick) and found.gap is None:
        raise ContractError("A line of a recording is empty.")
    return found


def levels_only(snapshot: GexSnapshot) -> GexSnapshot:
    """The same without its tables and what they were made of: a seventh of its bytes, every level and total of it."""
    lean = {name: replace(figures, **_NO_TABLES) for name, figures in without_curves(snapshot).scopes.items()}
    return replace(snapshot, strikes=(), max_priors=(), flow_strikes=(), views={}, scopes=lean)


def day_of(instant_ms: int) -> str:
    """The New York date of an instant; the zone is asked once an hour, and midnight there is a whole hour."""
    return _day_of_hour(instant_ms // _HOUR_MS)


@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> str:
    return market_day(hour * _HOUR_MS)


def _one_line(payload: bytes) -> bytes:
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except UNREADABLE:
        return _ENCODER.encode(payload.decode("utf-8", "replace"))
    return payload.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in payload else payload
