import math
from datetime import timedelta

from bot.render.charts.history_text import history_text
from tests.support.charts import NOON, day, full_snapshot, past
from tests.support.feed import snapshot


def text(seen, **changes):
    return history_text(seen[-1], past(seen[:-1]), scope="full", weight="oi", now=NOON)


def test_a_table_of_the_day_with_signs_and_units():
    assert text(day(3, every_s=3600)).split("\n") == [
        "```",
        "NQ_NDX · full · by open interest",
        "net GEX in $ Bn per 1 %, the rest points",
        "NY       spot  zero γ  call   put    net",
        "10:00 25000.0 24889.5 25100 24800 −0.900",
        "11:00 25012.5 24902.0 25100 24800 −0.900",
        "12:00 25024.7 24914.2 25100 24800 −0.900",
        "schwab · 20 Aug 2026 · 12:00:00 New York",
        "```",
    ]


def test_twelve_rows_span_the_time_and_nothing_is_wider_than_a_board():
    lines = text(day(300)).split("\n")[1:-1]
    rows = lines[3:-1]
    assert len(rows) == 12
    assert (rows[0][:5], rows[-1][:5]) == ("07:01", "12:00")
    assert max(map(len, lines)) <= 40


def test_minutes_that_would_look_alike_are_told_apart_by_their_seconds():
    lines = text(day(13, every_s=5.0)).split("\n")
    assert lines[3].startswith("min:s ")
    assert [line[:5] for line in lines[4:7]] == ["59:00", "59:05", "59:10"]


def test_the_unknown_is_a_dash():
    seen = [*day(2), full_snapshot(NOON + timedelta(minutes=1), spot=math.nan, scopes={}, scope=None)]
    assert "01:00       — 24951.5 25100 24800 −0.912" in text(seen).split("\n")


def test_a_gap_is_said_where_it_was():
    seen = [*day(5, until=NOON - timedelta(minutes=40)), *day(5)]
    lines = text(seen).split("\n")
    assert lines.index("        (nothing was received)") == 9


def test_every_exposure_is_in_billions_with_the_digits_of_the_message_and_keeps_its_column():
    tiny = snapshot(NOON, scopes={}, scope=None, sum_gex_oi=-3.14159, spot=651.2, major_pos_oi=655.0)
    assert text([tiny]).split("\n")[2:5] == [
        "net GEX in $ Bn per 1 %, the rest points",
        "min:s    spot  zero γ  call   put     net",
        "00:00  651.20 24951.5   655 24800 −0.0031",
    ]
    long = {"source": "another-producer-here", "delayed": True, "state": "closed"}
    huge = snapshot(NOON, scopes={}, scope=None, sum_gex_oi=-3.14159e6, **long)
    assert max(map(len, text([huge]).split("\n"))) <= 40
    assert text([huge]).split("\n")[-3:-1] == ["12:00:00 New York · delayed 0s", "market closed"]
    middling = snapshot(NOON, scopes={}, scope=None, sum_gex_oi=-32_540.0)
    assert text([middling]).split("\n")[4].endswith("  −32.5")
