"""Which expiries count: `zero`, `one`, `full` (90 days), `all` (`gex.md` §10)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from streaming.calendar import new_york
from streaming.gex.lines import Lines
from streaming.model import ScopeName

FULL_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class ScopeSlices:
    """Row ranges of each scope in sorted lines; an empty scope has equal ends."""

    start: int
    """First row that has not settled."""
    rows: dict[ScopeName, slice]
    expiries: dict[ScopeName, tuple[str, ...]]
    next_settle_s: float
    """When the first of the living lines settles; infinity when there are none."""
    dte: tuple[int | None, int | None]
    """Calendar days to the nearest expiry and to the next one, New York dates."""


def slice_scopes(lines: Lines, at: datetime) -> ScopeSlices:
    """Cut sorted lines at an instant; a line whose settlement instant has come is gone."""
    start = int(np.searchsorted(lines.settle_s, at.timestamp(), side="right"))
    first = int(lines.date_code[start]) if start < len(lines) else lines.dates.size
    today = np.datetime64(new_york(at).date(), "D")
    days = (lines.dates[first:] - today).astype(np.int64)
    ends = np.searchsorted(lines.date_code, np.arange(first, lines.dates.size), side="right")
    near = int(np.count_nonzero(days <= FULL_DAYS))
    spans: dict[ScopeName, tuple[int, int]] = {
        "zero": (0, min(1, days.size)),
        "one": (min(1, days.size), min(2, days.size)),
        "full": (0, near),
        "all": (0, days.size),
    }
    bounds = [start, *ends.tolist()]
    names = [str(day) for day in lines.dates[first:]]
    return ScopeSlices(
        start=start,
        rows={name: slice(bounds[low], bounds[high]) for name, (low, high) in spans.items()},
        expiries={name: tuple(names[low:high]) for name, (low, high) in spans.items()},
        next_settle_s=float(lines.settle_s[start]) if start < len(lines) else float("inf"),
        dte=(int(days[0]) if days.size else None, int(days[1]) if days.size > 1 else None),
    )
