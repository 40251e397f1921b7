"""The days of a year on which the New York Stock Exchange is closed or ends at 13:00, from 1998 on. Pure.

Source: nyse.com/markets/hours-calendars, and Rule 7.2 for what falls on a weekend. A test compares 1998 to 2060 with
the package `holidays`, whose import would cost each process of ours 25 ms and 2 MB, and an installation 15 MB.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_DAY: Final = timedelta(days=1)
_FIRST_JUNETEENTH: Final = 2022
_MOURNING: Final = "National Day of Mourning for former President"
_ATTACKS: Final = "Closed following Attacks on the World Trade Center"
_CLOSED_ONCE: Final = {
    date(2001, 9, 11): _ATTACKS,
    date(2001, 9, 12): _ATTACKS,
    date(2001, 9, 13): _ATTACKS,
    date(2001, 9, 14): _ATTACKS,
    date(2004, 6, 11): f"{_MOURNING} Ronald Reagan",
    date(2007, 1, 2): f"{_MOURNING} Gerald R. Ford",
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): f"{_MOURNING} George H. W. Bush",
    date(2025, 1, 9): f"{_MOURNING} Jimmy Carter",
}
_SHORT_ONCE: Final = {
    date(1999, 12, 31): "New Year's Eve",
    date(2002, 7, 5): "Day after Independence Day",
    date(2003, 12, 26): "Friday after Christmas Day",
}
_FULL_THIRD_OF_JULY: Final = 2002
"""The year with the short day after the holiday instead."""


def closed_days(year: int) -> dict[date, str]:
    """Each with the holiday's name."""
    named = (*_fixed_holidays(year), *_floating_holidays(year), *_CLOSED_ONCE.items())
    return {day: name for day, name in named if day.year == year}


def short_days(year: int) -> dict[date, str]:
    """Each with the reason; before a holiday only on a weekday whose holiday keeps its day."""
    eves = (
        (date(year, 7, 3), "Day before Independence Day", year != _FULL_THIRD_OF_JULY),
        (date(year, 12, 24), "Christmas Eve", True),
    )
    found = {day: name for day, name, is_short in eves if is_short and _MONDAY <= day.weekday() < _THURSDAY + 1}
    found[_nth(year, 11, _THURSDAY, 4) + _DAY] = "Day after Thanksgiving Day"
    return found | {day: name for day, name in _SHORT_ONCE.items() if day.year == year}


def _fixed_holidays(year: int) -> Iterator[tuple[date, str]]:
    """By date, but on the Friday before a Saturday and on the Monday after a Sunday."""
    dates = {"New Year's Day": (1, 1), "Independence Day": (7, 4), "Christmas Day": (12, 25)}
    if year >= _FIRST_JUNETEENTH:
        dates["Juneteenth National Independence Day"] = (6, 19)
    for name, (month, number) in dates.items():
        day = date(year, month, number)
        moved = {_SATURDAY: day - _DAY, _SUNDAY: day + _DAY}.get(day.weekday())
        yield (day, name) if moved is None else (moved, f"{name} (observed)")


def _floating_holidays(year: int) -> Iterator[tuple[date, str]]:
    yield _nth(year, 1, _MONDAY, 3), "Martin Luther King Jr. Day"
    yield _nth(year, 2, _MONDAY, 3), "Washington's Birthday"
    yield _easter(year) - 2 * _DAY, "Good Friday"
    june = date(year, 6, 1)
    yield june - _DAY * (june.weekday() or 7), "Memorial Day"
    yield _nth(year, 9, _MONDAY, 1), "Labor Day"
    yield _nth(year, 11, _THURSDAY, 4), "Thanksgiving Day"


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The first, second, … of a weekday in a month."""
    first = date(year, month, 1)
    return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (number - 1))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, of_century = divmod(year, 100)
    golden, leap_centuries = year % 19, century // 4
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, number = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, number + 1)
