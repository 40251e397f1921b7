"""Max change and flow as `specs/gex-method.md` §11 defines them, from all that was ever seen.

Shares no code with `streaming.gex`.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta

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


Volumes = tuple[datetime, Mapping[Hashable, float]]
"""When volumes were heard, and the day's volume of each contract listed."""


def traded(now: datetime, heard: Sequence[Volumes]) -> list[dict[Hashable, float] | None]:
    """§11: contracts traded since the volumes before, and over 1, 5, 10, 15, 30 minutes; None where that began unseen.

    `heard` is of one session and ends with what is heard now.
    """
    spans: list[dict[Hashable, float] | None] = []
    for window in (0.0, 60.0, 300.0, 600.0, 900.0, 1800.0):
        ages = [(now - at).total_seconds() for at, _ in heard[:-1]]
        begins = [age for age in ages if age > 0.0 and age >= window]
        stale = window > 0.0 and begins and min(begins) > window + max(60.0, window / 4.0)
        spans.append(None if not begins or stale else _since(now - timedelta(seconds=min(begins)), heard))
    return spans


def _since(begin: datetime, heard: Sequence[Volumes]) -> dict[Hashable, float]:
    return {
        contract: sum(count for at, count in _trades(contract, heard) if at > begin)
        for contract in {contract for _, volumes in heard for contract in volumes}
    }


def _trades(contract: Hashable, heard: Sequence[Volumes]) -> list[tuple[datetime, float]]:
    """The rises of one contract's volume; a fall is none, and is believed when it has stood for a minute."""
    trades: list[tuple[datetime, float]] = []
    counted: float | None = None
    fell: datetime | None = None
    for at, volumes in heard:
        volume = volumes.get(contract)
        if volume is None or counted is None:
            counted, fell = volume, None
        elif volume >= counted:
            trades.append((at, volume - counted))
            counted, fell = volume, None
        else:
            fell = fell or at
            if at - fell >= timedelta(seconds=60):
                counted, fell = volume, None
    return trades
