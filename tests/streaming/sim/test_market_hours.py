import json
from datetime import date

import pytest

from streaming.sim.market_hours import hours_body


@pytest.mark.parametrize("name", ["markets_open_2025-07-21.json", "markets_closed_2025-07-20.json"])
def test_hours_are_those_of_production(shared_data, name):
    real = json.loads((shared_data / "schwab" / "rest" / "fixtures_2025" / name).read_text())
    day = date.fromisoformat(name.removesuffix(".json")[-10:])
    ours = hours_body(tuple(real), day)
    for market in ("equity", "option") if "open" in name else real:
        assert ours[market] == real[market]


def test_a_half_day_ends_at_one():
    regular = hours_body(("equity",), date(2026, 11, 27))["equity"]["EQ"]["sessionHours"]["regularMarket"]
    assert regular[0]["end"] == "2026-11-27T13:00:00-05:00"
