"""Max change as `specs/gex-method.md` §11 defines it, from every ladder ever seen.

Shares no code with `streaming.gex`.
"""

from collections.abc import Sequence
from datetime import datetime

Seen = tuple[datetime, dict[float, float]]
"""When a ladder was seen, and its net by strike."""


def max_change(now: Seen, past: Sequence[Seen]) -> list[tuple[float, float] | None]:
    """§11: the largest change against the previous ladder and over 1, 5, 10, 15, 30 minutes; None without a prior."""
    at, ladder = now
    ages = [((at - then).total_seconds(), values) for then, values in past]
    priors = [min((age for age in ages if age[0] > 0.0), key=lambda age: age[0], default=None)]
    for window in (60.0, 300.0, 600.0, 900.0, 1800.0):
        fits = [age for age in ages if window <= age[0] <= window + max(60.0, window / 4.0)]
        priors.append(min(fits, key=lambda age: age[0], default=None))
    return [None if prior is None else _largest_change(ladder, prior[1]) for prior in priors]


def _largest_change(now: dict[float, float], prior: dict[float, float]) -> tuple[float, float]:
    changes = [(strike, value - prior.get(strike, 0.0)) for strike, value in sorted(now.items())]
    return max(changes, key=lambda item: abs(item[1]))
