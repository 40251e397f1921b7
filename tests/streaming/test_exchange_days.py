"""streaming/exchange_days.py against the package `holidays`, which knows what was and what the rules say will be."""

import holidays
import pytest

from streaming.exchange_days import closed_days, short_days

YEARS = range(1998, 2061)


@pytest.mark.parametrize(("ours", "category"), [(closed_days, holidays.PUBLIC), (short_days, holidays.HALF_DAY)])
def test_closed_and_short_days_are_those_that_others_know(ours, category):
    theirs = holidays.NYSE(years=YEARS, categories=(category,))
    found = {day: name for year in YEARS for day, name in ours(year).items()}
    assert found == {day: name.removesuffix(" (markets close at 1:00pm)") for day, name in theirs.items()}
