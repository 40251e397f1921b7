"""When New York's exchange is closed and when it closes early, by rules of our own; shares no code with `streaming`."""

from datetime import date, timedelta

MOURNED = {date(2025, 1, 9)}
"""For President Carter."""


def is_closed(day: date) -> bool:
    """Weekends, and the exchange's ten holidays where they are kept."""
    return day.weekday() >= 5 or day in MOURNED or day in _holidays(day.year)


def closes_early(day: date) -> bool:
    """Day after Thanksgiving; Christmas Eve and the day before Independence Day, unless that is a holiday itself."""
    if day.month == 11:
        return day.weekday() == 4 and 23 <= day.day <= 29
    return day.weekday() < 4 and (day.month, day.day) in {(12, 24), (7, 3)}


def _holidays(year: int) -> set[date]:
    new_year = date(year, 1, 1)
    kept = {
        new_year + timedelta(days=new_year.weekday() == 6),
        _monday(year, 1, 3),
        _monday(year, 2, 3),
        _easter(year) - timedelta(days=2),
        _monday(year, 6, 1) - timedelta(days=7),
        _observed(date(year, 7, 4)),
        _monday(year, 9, 1),
        _first(year, 11, 3) + timedelta(days=21),
        _observed(date(year, 12, 25)),
    }
    return kept | ({_observed(date(year, 6, 19))} if year >= 2022 else set())


def _observed(day: date) -> date:
    """Friday for a Saturday, Monday for a Sunday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _first(year: int, month: int, weekday: int) -> date:
    day = date(year, month, 1)
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _monday(year: int, month: int, number: int) -> date:
    return _first(year, month, 0) + timedelta(days=7 * (number - 1))


def _easter(year: int) -> date:
    """By the rule of Gauss, good for 1900 to 2099."""
    moon = (19 * (year % 19) + 24) % 30
    day = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    sunday = date(year, 3, 22) + timedelta(days=moon + day)
    if sunday == date(year, 4, 26) or (sunday == date(year, 4, 25) and moon == 28 and year % 19 > 10):
        return sunday - timedelta(days=7)
    return sunday
