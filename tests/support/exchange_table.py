"""Writes `streaming/exchange_days.csv` with the package `holidays`: `python -m tests.support.exchange_table`.

Run it after a new release of the package; `tests/streaming/test_exchange_days.py` says when the two differ.
"""

from typing import Final

import holidays

from streaming.exchange_days import TABLE

_YEARS: Final = range(1998, 2100)
_KINDS: Final = {"closed": holidays.PUBLIC, "short": holidays.HALF_DAY}


def table() -> str:
    """A line a day: the date, `closed` or `short`, and why."""
    rows = [
        (day.isoformat(), kind, name.partition(" (markets close")[0])
        for kind, category in _KINDS.items()
        for day, name in holidays.NYSE(years=_YEARS, categories=(category,)).items()
        if day.year in _YEARS
    ]
    return "".join(f"{','.join(row)}\n" for row in sorted(rows))


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
