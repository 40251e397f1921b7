"""The series of a chain: per root and date when it settles and with which forward it is priced.

See `specs/gex-method.md` §5, §6.
"""

import math
from datetime import datetime, time
from typing import Any, Final

import numpy as np

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.gex.lines import Lines
from streaming.gex.pricing import Floats, years_to_expiry

_MORNING: Final = time(9, 30)
_ROOT_WIDTH: Final = 6
Row = dict[str, Any]


def series_rows(lines: Lines, ratio: Floats, *, first_row: int, asof: datetime, spot: float | None) -> list[Row]:
    """One row for every series that has not settled; `ratio` is forward over spot, NaN where spot is the forward."""
    if not len(lines):
        return []
    ends = np.append(lines.series_start[1:], len(lines)).tolist()
    spans = list(zip(lines.series_start.tolist(), ends, ratio.tolist(), strict=True))
    return [_row(lines, slice(low, high), own, asof, spot) for low, high, own in spans if low >= first_row]


def _row(lines: Lines, rows: slice, ratio: float, asof: datetime, spot: float | None) -> Row:
    settle_s = float(lines.settle_s[rows.start])
    settles_at = new_york(instant_of(settle_s * 1000))
    has_parity = not math.isnan(ratio)
    return {
        "root": str(lines.symbol[rows.start])[:_ROOT_WIDTH].rstrip(),
        "expiry": str(lines.dates[lines.date_code[rows.start]]),
        "settlement": "AM" if settles_at.time() == _MORNING else "PM",
        "settles_at": settles_at.isoformat(),
        "years": float(years_to_expiry(settle_s, asof.timestamp())),
        "contracts": rows.stop - rows.start,
        "forward": None if spot is None else spot * (ratio if has_parity else 1.0),
        "forward_mode": "parity" if has_parity else "spot",
    }
