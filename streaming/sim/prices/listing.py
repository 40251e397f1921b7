"""Which expiries, strikes and futures contracts exist on a day. Pure; follows the exchange's calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK, next_session, session_on, settle_at
from streaming.sim.prices.instruments import Future, Underlying

ExpiryType = Literal["M", "Q", "S", "W"]
_DAILIES: Final = 7
_WEEKLY_DAYS: Final = 38
_MONTHLIES: Final = 4
_FRIDAY: Final = 4
_NEAR_DAYS: Final = 35
_ROLL_DAYS: Final = 8
_QUARTER_CODES: Final = {3: "H", 6: "M", 9: "U", 12: "Z"}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Expiry:
    """One root's contracts of one expiry date."""

    root: str
    day: date
    am: bool
    type: ExpiryType

    @property
    def settle_at(self) -> datetime:
        """The settlement instant in UTC."""
        return settle_at(self.day, am=self.am)

    @property
    def last_trading_day(self) -> date:
        """The day before expiry for AM contracts, the expiry itself for PM ones."""
        return previous_session(self.day) if self.am else self.day

    @property
    def last_trading_ms(self) -> int:
        """20:00 in New York on the last trading day, as Schwab writes it."""
        at = datetime.combine(self.last_trading_day, time(20), NEW_YORK)
        return int(at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class ListedContract:
    """One futures contract."""

    symbol: str
    expires_at: datetime
    description: str


def previous_session(day: date) -> date:
    """The last session date before `day`."""
    day -= timedelta(days=1)
    while session_on(day) is None:
        day -= timedelta(days=1)
    return day


def third_friday(year: int, month: int) -> date:
    """The monthly expiry: the third Friday, or the session before it when that is a holiday."""
    first = date(year, month, 1)
    friday = first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14)
    return friday if session_on(friday) is not None else previous_session(friday)


def ex_dividend_days(today: date) -> tuple[date, date]:
    """The last day, up to `today`, on which shares began to trade without a dividend, and the next: quarterly ones."""
    quarters = [
        third_friday(year, month) for year in (today.year - 1, today.year, today.year + 1) for month in _QUARTER_CODES
    ]
    return max(day for day in quarters if day <= today), min(day for day in quarters if day > today)


def expiry_type(day: date) -> ExpiryType:
    """S third Friday, Q last session of a quarter, M of a month, else W (specs/schwab-wire.md §3.2)."""
    if day == third_friday(day.year, day.month):
        return "S"
    if next_session(day).date.month != day.month:
        return "Q" if day.month in _QUARTER_CODES else "M"
    return "W"


def expiries_on(underlying: Underlying, today: date) -> tuple[Expiry, ...]:
    """What is listed on `today`, nearest first; AM and PM roots share third Fridays."""
    listed = []
    for day in _expiry_days(today):
        kind = expiry_type(day)
        if kind == "S" and underlying.am_root is not None:
            listed.append(Expiry(underlying.am_root, day, am=True, type=kind))
        listed.append(Expiry(underlying.pm_root, day, am=False, type=kind))
    return tuple(listed)


def _expiry_days(today: date) -> list[date]:
    days: set[date] = set()
    day = today if session_on(today) is not None else next_session(today).date
    for _ in range(_DAILIES):
        days.add(day)
        day = next_session(day).date
    last = today + timedelta(days=_WEEKLY_DAYS)
    while day <= last:
        if expiry_type(day) != "W" or next_session(day).date.isocalendar().week != day.isocalendar().week:
            days.add(day)
        day = next_session(day).date
    days.update(_monthlies(today))
    return sorted(days)


def _monthlies(today: date) -> list[date]:
    months = [(today.year + (today.month - 1 + k) // 12, (today.month - 1 + k) % 12 + 1) for k in range(_MONTHLIES + 1)]
    days = [third_friday(year, month) for year, month in months]
    return [day for day in days if day >= today][:_MONTHLIES]


def strike_ladder(underlying: Underlying, spot: float, days: int) -> NDArray[np.float64]:
    """The strikes of an expiry `days` away: fine steps near spot, coarse ones in the wings."""
    strikes: set[float] = set()
    for step, reach in underlying.near if days <= _NEAR_DAYS else underlying.far:
        low, high = np.ceil(spot * (1.0 - reach) / step), np.floor(spot * (1.0 + 0.6 * reach) / step)
        near_high = np.floor(spot * (1.0 + min(reach, 0.05)) / step)
        strikes.update((np.arange(low, max(high, near_high) + 1.0) * step).round(3).tolist())
    return np.array(sorted(strikes))


def active_contract(future: Future, today: date) -> ListedContract:
    """The contract most traded on `today`: the quarterly one until eight days before its expiry."""
    year, month = today.year, (today.month + 2) // 3 * 3
    while third_friday(year, month) - timedelta(days=_ROLL_DAYS) <= today:
        year, month = (year, month + 3) if month < 12 else (year + 1, 3)  # noqa: PLR2004 - December ends the year
    day = third_friday(year, month)
    return ListedContract(
        symbol=f"{future.root}{_QUARTER_CODES[month]}{year % 100:02d}",
        expires_at=datetime.combine(day, time(9, 30), NEW_YORK).astimezone(UTC),
        description=f"{future.description},{_MONTHS[month - 1]}-{year},ETH",
    )
