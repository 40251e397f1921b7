"""Which expiries count: `zero`, `one`, `full` (90 days), `all` (`specs/gex-method.md` §10)."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK, new_york
from streaming.gex.pricing.lines import Lines
from streaming.model import ScopeName

FULL_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class ScopeSlices:
    """Row ranges of each scope in sorted lines; an empty scope has equal ends."""

    start: int
    """First row that has not settled."""
    rows: dict[ScopeName, slice]
    expiries: dict[ScopeName, tuple[str, ...]]
    listed: dict[ScopeName, NDArray[np.bool_]]
    """Per scope, which of the chain's strikes have a living line."""
    valid_s: tuple[float, float]
    """From the instant of the cut until the next line settles or the next New York day begins, epoch seconds."""
    dte: tuple[int | None, int | None]
    """Calendar days to the nearest expiry and to the next one, New York dates."""

    def holds_at(self, at: datetime) -> bool:
        """Whether the same cut would be made at another instant."""
        return self.valid_s[0] <= at.timestamp() < self.valid_s[1]


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
    rows = {name: slice(bounds[low], bounds[high]) for name, (low, high) in spans.items()}
    return ScopeSlices(
        start=start,
        rows=rows,
        listed={name: _listed(lines, part) for name, part in rows.items()},
        expiries={name: tuple(names[low:high]) for name, (low, high) in spans.items()},
        valid_s=(at.timestamp(), min(_midnight_s(at), float(lines.settle_s[start]) if start < len(lines) else np.inf)),
        dte=(int(days[0]) if days.size else None, int(days[1]) if days.size > 1 else None),
    )


def _listed(lines: Lines, rows: slice) -> NDArray[np.bool_]:
    listed = np.zeros(lines.strikes.size, np.bool_)
    listed[lines.strike_code[rows]] = True
    return listed


def _midnight_s(at: datetime) -> float:
    tomorrow = new_york(at).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), NEW_YORK).timestamp()
