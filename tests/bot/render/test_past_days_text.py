import pytest
from msgspec.structs import replace

from bot.render.past_days_text import days_text, rank_text, record_text, rows_of
from streaming.history.grades import LEVELS
from streaming.model import ScopeFigures, WeightFigures
from tests.support.history import day_row, graded, reports
from tests.support.snapshots import snapshot

TODAY = "2026-11-20"


def now(net=2.05e9):
    oi = WeightFigures(net_gex_usd_per_1pct=net, zero_gamma=6368.25, gross_gex_usd_per_1pct=9e9)
    return replace(snapshot(), scopes={"full": ScopeFigures(oi=oi)})


def lines_of(text):
    return text.splitlines()[1:-1]


def widest(text):
    return max(map(len, lines_of(text)))


def test_a_rank_says_its_n_and_nothing_from_few():
    text = rank_text(now(), reports(41), weight="oi", today=TODAY)
    assert lines_of(text)[:6] == [
        "SPX · full · by open interest",
        "now, among closes of past sessions",
        "",
        "net GEX                          +2.05Bn",
        "   20 sessions   0 %  z  −1.9  n 20",
        "   60 sessions  49 %  z  +0.0  n 41",
    ]
    assert f"spot to zero gamma{'+0.50%':>22}" in text
    assert widest(text) <= 40
    assert lines_of(rank_text(now(), reports(19), weight="oi", today=TODAY))[4] == "   20 sessions too few (n 19)"


def test_today_itself_and_days_that_are_not_whole_are_not_among_the_past():
    seen = reports(30)
    assert "n 29" in rank_text(now(), seen, weight="oi", today=seen[-1].day)
    partial = [replace(one, rows=tuple(replace(row, whole=False) for row in one.rows)) for one in seen]
    assert "too few (n 0)" in rank_text(now(), partial, weight="oi", today=TODAY)


def test_what_is_unknown_now_has_no_rank():
    text = rank_text(replace(now(), scopes={}, sum_gex_oi=None), reports(30), weight="oi", today=TODAY)
    assert lines_of(text)[3:5] == ["net GEX                                —", "  unknown now"]


def held_days(day, number):
    yield graded(day, held=number % 4 != 0)
    yield graded(day, weight="vol", touched=number < 10)
    yield graded(day, level="expected_high", weight=None, held=number % 4 != 0)
    yield graded(day, level="round_above", weight=None, held=number % 2 == 0)
    yield graded(day, level="round_below", weight=None)


def test_a_record_has_n_a_baseline_and_few_instead_of_a_rate_from_few():
    text = record_text("SPX", reports(24, grades=held_days), level=None, days=250)
    assert lines_of(text)[:6] == [
        "SPX · full · did levels hold?",
        "24 sessions, 2026-09-02 to 2026-10-06",
        "",
        "                      by OI   by volume",
        "level              n   held    n   held",
        "call wall         24    75%   10    few",
    ]
    assert "round strikes     48    75%" in text
    assert "previous hi/lo     0    few" in text
    assert "expected high     24    75%" in text
    assert "not a signal" in text
    assert widest(text) <= 41


def test_only_the_days_asked_for_count():
    assert "call wall         20    75%" in record_text("SPX", reports(24, grades=held_days), level=None, days=20)


def test_one_level_is_told_in_detail():
    text = record_text("SPX", reports(24, grades=held_days), level="call_wall", days=250)
    assert lines_of(text)[3:13] == [
        "call wall by open interest",
        "  n 24 of 24, 18 held",
        "  75%, 95 % interval 55% to 88%",
        "  median beyond 0.04 %, back 0.21 %",
        "  median time to a break 10 min",
        "  30 Sep   6450.00 held",
        "   1 Oct   6450.00 broken",
        "   2 Oct   6450.00 held",
        "   5 Oct   6450.00 held",
        "   6 Oct   6450.00 held",
    ]
    assert "  too few for a rate (under 20)" in text
    assert widest(text) <= 41


def test_the_expected_move_is_told_once_for_it_has_no_weight():
    text = record_text("SPX", reports(24, grades=held_days), level="expected_high", days=250)
    assert lines_of(text)[3:5] == ["expected high by the straddle", "  n 24 of 24, 18 held"]
    assert "by volume" not in text


def test_a_level_without_a_grade_is_none_of_none():
    assert "  n 0 of 0, 0 held" in record_text("SPX", reports(3), level="zero_gamma", days=250)


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_every_answer_fits_a_message(level):
    everything = [(name, weight) for name in LEVELS for weight in ("oi", "vol")]
    seen = reports(30, grades=lambda day, _: [graded(day, level=name, weight=weight) for name, weight in everything])
    assert len(record_text("NQ_NDX", seen, level=level, days=250)) < 2000


def test_days_are_a_table_of_closes():
    rows = rows_of(reports(3), "full", "oi")
    assert lines_of(days_text("SPX", rows)) == [
        "SPX · full · by open interest",
        "at the close; net GEX in $ Bn per 1 %",
        "            spot zero γ call  put    net",
        " 2 Sep    6400.0 6350.0 6500 6300 +0.100",
        " 3 Sep    6400.0 6350.0 6500 6300 +0.200",
        " 4 Sep    6400.0 6350.0 6500 6300 +0.300",
    ]


def test_many_days_are_twelve_rows_that_span_them_and_the_unknown_is_a_dash():
    rows = rows_of(reports(100, rows=lambda day, net: day_row(day, net=net, zero_gamma=None)), "full", "oi")
    lines = lines_of(days_text("SPX", rows))
    assert len(lines) == 15
    assert (lines[3][:6], lines[-1][:6]) == (" 2 Sep", "26 Jan")
    assert "—" in lines[3]
