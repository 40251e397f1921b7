"""The days on which the New York Stock Exchange is closed or ends at 13:00, as the package `holidays` has them.

They stand in `exchange_days.csv`, which `python -m tests.support.exchange_table` writes with that package: to import it
here would cost each process of ours 5 MB and 25 ms. A test compares the two, so no new release's days are missed.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, Literal

DayKind = Literal["closed", "short"]
TABLE: Final = Path(__file__).with_name("exchange_days.csv")


def closed_days(year: int) -> dict[date, str]:
    """Each with the holiday's name; none for a year outside the table (1998 to 2099)."""
    return dict(_days(year, "closed"))


def short_days(year: int) -> dict[date, str]:
    """Each with the reason; none for a year outside the table."""
    return dict(_days(year, "short"))


def _days(year: int, kind: DayKind) -> Iterator[tuple[date, str]]:
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith(f"{year}-"):
            day, of_kind, name = line.split(",", 2)
            if of_kind == kind:
                yield date(*map(int, day.split("-"))), name
