"""The map of the rest of a session: against plain definitions, and what the engine says when the time has come."""

import math
from datetime import UTC, date, datetime, timedelta
from itertools import product

import numpy as np
import pytest

from streaming.chains.files.chain_files import parse_any
from streaming.clock import epoch_ms
from streaming.day_map import decode_map, encode_map
from streaming.gex.engine import GexEngine
from streaming.gex.results import ahead
from streaming.model import SCOPES
from streaming.symbols import is_am_settled, parse_ticker
from tests.data_builders.chains import spx_intraday
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

MONDAY, THIRD_FRIDAY, WINTER = date(2023, 6, 12), date(2023, 6, 16), date(2023, 12, 15)
IVS = {TODAY: 0.11, MONDAY: 0.12, THIRD_FRIDAY: 0.14, WINTER: 0.18}
LINES = tuple(
    Line(
        strike,
        side,
        iv,
        oi=100 + strike % 37 + 50 * (side == "P"),
        volume=strike % 91 + 20 * (side == "C"),
        expiry=expiry,
        root=root,
    )
    for expiry, iv in IVS.items()
    for root in (("SPX", "SPXW") if expiry == THIRD_FRIDAY else ("SPXW",))
    for strike in range(4230, 4375, 10)
    for side in "CP"
)
SHAPE = (ahead.PRICES, ahead.TIMES)
YEAR_S = 365 * 86_400


def engine_of(lines=LINES, *, ticker="SPX", **chain_options) -> GexEngine:
    engine = GexEngine(parse_ticker(ticker), scope="all")
    engine.on_chain(make_chain(lines, **chain_options))
    return engine


def map_of(engine: GexEngine, at: datetime = ASOF):
    """The whole map of what the engine computes now."""
    engine.compute(at)
    return list(engine.map_ahead(newer_than_ms=0))[-1]


def cells(made, figure: str, scope: str, weight: str):
    return np.array(getattr(made, figure)(scope, weight)).reshape(SHAPE)


def settles(line: Line) -> float:
    hour, minute = (9, 30) if is_am_settled(line.root) else (16, 0)
    summer = line.expiry < date(2023, 11, 5)
    day = datetime(line.expiry.year, line.expiry.month, line.expiry.day, hour, minute, tzinfo=UTC)
    return (day + timedelta(hours=4 if summer else 5)).timestamp()


def slow_cell(lines, price: float, at_s: float, begins_s: float) -> list[float]:
    """Net gamma and charm's flow by open interest and by volume, one contract at a time."""
    sums = [0.0] * 4
    for line in lines:
        if settles(line) <= at_s:
            continue
        now = max(settles(line) - ASOF.timestamp(), 60.0) / YEAR_S
        sign = 1.0 if line.side == "C" else -1.0

        def priced(seconds, line=line, now=now):
            deviation = line.iv * math.sqrt(now) * math.sqrt(max(settles(line) - seconds, 60.0) / YEAR_S / now)
            return deviation, math.log(price / line.strike) / deviation + deviation / 2.0

        deviation, d1 = priced(at_s)
        gamma = math.exp(-d1 * d1 / 2.0) / math.sqrt(2.0 * math.pi) / (price * deviation)
        delta, before = (sign * 0.5 * math.erfc(-sign * z / math.sqrt(2.0)) for z in (d1, priced(begins_s)[1]))
        for weight, contracts in enumerate((line.oi, line.volume)):
            sums[weight] += sign * contracts * 100.0 * price * price * 0.01 * gamma
            sums[2 + weight] -= sign * contracts * 100.0 * price * (delta - before)
    return sums


def test_every_cell_of_every_scope_is_what_its_contracts_add_up_to():
    made = map_of(engine_of())
    dates = {"zero": [TODAY], "one": [MONDAY], "full": [TODAY, MONDAY, THIRD_FRIDAY], "all": list(IVS)}
    for scope, own in dates.items():
        lines = [line for line in LINES if line.expiry in own]
        for row, column in ((0, 0), (17, 26), (30, 13), (31, 25), (60, 26)):
            expected = slow_cell(lines, made.prices[row], made.times_ms[column] / 1000.0, ASOF.timestamp())
            figures = product(("gamma", "flow"), [scope], ("oi", "vol"))
            found = [cells(made, *figure)[row, column] for figure in figures]
            size = sum(line.oi for line in lines) * 100.0 * 4300.0
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-8 * size), (scope, row, column)


def test_now_and_at_spot_it_is_the_published_total():
    engine = engine_of()
    snapshot = engine.compute(ASOF)
    made = map_of(engine)
    middle = ahead.PRICES // 2
    assert (made.prices[middle], made.times_ms[0], made.spot) == (4300.0, epoch_ms(ASOF), 4300.0)
    for scope in SCOPES:
        for weight in ("oi", "vol"):
            published = getattr(snapshot.scopes[scope], weight).net_gex_usd_per_1pct
            assert cells(made, "gamma", scope, weight)[middle, 0] == pytest.approx(published, rel=1e-6)
            assert np.abs(cells(made, "flow", scope, weight)[:, 0]).max() < 0.01, "nothing has been traded yet"


@pytest.mark.parametrize(("row", "column"), [(0, 0), (22, 0), (30, 9), (38, 20), (60, 26)])
def test_each_cell_is_what_the_engine_will_publish_when_price_and_time_are_there(row, column):
    made = map_of(engine_of())
    price, at_ms = made.prices[row], made.times_ms[column]
    later, same_price_now = engine_of(), engine_of()
    later.on_spot(price, at_ms)
    same_price_now.on_spot(price, epoch_ms(ASOF))
    then, now = (it.compute(ASOF).scopes for it in (later, same_price_now))
    for scope in SCOPES:
        for weight in ("oi", "vol"):
            at, before = getattr(then[scope], weight), getattr(now[scope], weight)
            gross = at.gross_gex_usd_per_1pct
            assert cells(made, "gamma", scope, weight)[row, column] == pytest.approx(
                at.net_gex_usd_per_1pct, abs=1e-6 * gross
            )
            sold = before.dex_dealer_usd - at.dex_dealer_usd
            assert cells(made, "flow", scope, weight)[row, column] == pytest.approx(sold, abs=1e-6 * at.dex_dealer_usd)


def test_a_scope_is_the_sum_of_its_parts():
    made = map_of(engine_of())
    assert made.scopes == {"zero": (0,), "one": (1,), "full": (0, 1, 2), "all": (0, 1, 2, 3)}
    for figure in ("gamma", "flow"):
        parts = [np.frombuffer(getattr(part, f"{figure}_oi"), "<f4").astype(float) for part in made.parts]
        assert np.array_equal(sum(parts).reshape(SHAPE), cells(made, figure, "all", "oi"))


def test_the_time_runs_from_the_quotes_to_the_close_and_prices_as_far_as_they_may_go():
    made = map_of(engine_of([line for line in LINES if line.expiry == TODAY] + [Line(4300, "C", 5.0, 1)]))
    close = datetime(2023, 6, 9, 20, tzinfo=UTC)
    assert made.ends_ms == epoch_ms(close)
    steps = np.diff([*made.times_ms, made.ends_ms])
    assert steps == pytest.approx((made.ends_ms - epoch_ms(ASOF)) / ahead.TIMES, abs=2)
    reach = made.prices[-1] / 4300.0 - 1.0
    assert reach == pytest.approx(5.0 * 0.11 * math.sqrt(2.5833 * 3600 / YEAR_S), rel=1e-3)
    assert made.prices[0] == pytest.approx(4300.0 * (1.0 - reach))


def test_after_the_close_it_is_the_next_session_without_what_has_settled_by_then():
    friday_evening = datetime(2023, 6, 9, 22, tzinfo=UTC)
    night = Line(4230, "C", 0.12, 10, 10, expiry=MONDAY, root="SPX")
    made = map_of(engine_of((*LINES, night), asof=friday_evening), friday_evening)
    monday = [datetime(2023, 6, 12, hour, minute, tzinfo=UTC) for hour, minute in ((13, 30), (20, 0))]
    assert [made.times_ms[0], made.ends_ms] == [epoch_ms(at) for at in monday]
    without = map_of(engine_of(asof=friday_evening), friday_evening)
    for scope in SCOPES:
        assert made.gamma(scope, "oi") == pytest.approx(without.gamma(scope, "oi")), "it settles at the opening"


@pytest.mark.parametrize(("left_s", "begins"), [(61, (2023, 6, 9, 19, 58, 59)), (60, (2023, 6, 12, 13, 30))])
def test_with_a_minute_left_it_is_the_next_session(left_s, begins):
    asof = datetime(2023, 6, 9, 20, tzinfo=UTC) - timedelta(seconds=left_s)
    made = map_of(engine_of(asof=asof), asof)
    assert made.times_ms[0] == epoch_ms(datetime(*begins, tzinfo=UTC))
    assert decode_map(encode_map(made)) == made


def test_a_half_day_ends_at_one():
    asof = datetime(2023, 11, 24, 17, 30, tzinfo=UTC)
    made = map_of(engine_of([Line(4300, "C", 0.1, 10, expiry=date(2023, 11, 24))], asof=asof), asof)
    assert made.ends_ms == epoch_ms(datetime(2023, 11, 24, 18, tzinfo=UTC))


@pytest.mark.parametrize("iv", [0.025, 0.06, 0.12, 0.3])
@pytest.mark.parametrize("spans", [0.0, 0.02, 0.3, 1.0, 2.9, 3.1, 9.0, 60.0])
def test_lines_of_any_life_and_width_are_as_exact_as_if_priced_at_every_cell(monkeypatch, spans, iv):
    left_s = datetime(2023, 6, 9, 20, tzinfo=UTC).timestamp() - ASOF.timestamp()
    lines = [Line(4299 + 0.1 * n, "C", 0.12, 1) for n in range(20)]
    lines += [Line(strike, "C", iv, 100, expiry=MONDAY) for strike in range(4250, 4355, 5)]
    ends = [left_s] * 20 + [left_s * (1.0 + spans)] * 21
    engine = engine_of(lines, settle_s=[ASOF.timestamp() + seconds for seconds in ends])
    quick = map_of(engine)
    monkeypatch.setattr(ahead, "_are_smooth", lambda bundles, _axes: np.zeros(len(bundles), np.bool_))
    direct = map_of(engine)
    for name in ("gamma", "flow"):
        found, expected = (cells(made, name, "all", "oi") for made in (quick, direct))
        assert np.abs(found - expected).max() <= 1e-6 * max(np.abs(expected).max(), 1e6)


def test_two_series_are_two_even_where_strike_and_deviation_are_the_same():
    lines = [Line(4300, "C", 0.2, 100), Line(4300, "C", 0.1, 100, expiry=MONDAY)]
    made = map_of(engine_of(lines, settle_s=[ASOF.timestamp() + hours * 3600 for hours in (2, 8)]))
    today, monday = (cells(made, "gamma", scope, "oi")[30] for scope in ("zero", "one"))
    assert today[0] == monday[0] > 0.0
    assert today[-1] == 0.0 < monday[-1]


def test_few_prices_and_times_tell_the_rest_of_a_wide_line(monkeypatch):
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(parse_any(spx_intraday().payload))
    snapshot = engine.compute(ASOF)
    quick = map_of(engine)
    monkeypatch.setattr(ahead, "_are_smooth", lambda bundles, _axes: np.zeros(len(bundles), np.bool_))
    direct = map_of(engine)
    for scope in SCOPES:
        for weight in ("oi", "vol"):
            figures = getattr(snapshot.scopes[scope], weight)
            for name, size in (("gamma", figures.gross_gex_usd_per_1pct), ("flow", figures.gross_gex_usd_per_1pct)):
                apart = np.abs(cells(quick, name, scope, weight) - cells(direct, name, scope, weight)).max()
                assert apart <= 1e-6 * size, (scope, weight, name)


def test_a_future_has_its_own_points_and_no_map_without_a_basis():
    engine = engine_of(ticker="ES")
    assert list(engine.map_ahead(newer_than_ms=0)) == []
    engine.compute(ASOF)
    assert list(engine.map_ahead(newer_than_ms=0)) == []
    engine.on_spot(4300.0, epoch_ms(ASOF))
    engine.on_relative("future", 4312.5, epoch_ms(ASOF))
    made, plain = map_of(engine), map_of(engine_of())
    assert (made.ticker, made.spot) == ("ES_SPX", 4312.5)
    assert np.array(made.prices) - np.array(plain.prices) == pytest.approx(12.5)
    assert made.parts == plain.parts


def test_there_is_none_unless_the_quotes_are_newer_and_none_of_nothing():
    engine = engine_of()
    assert list(engine.map_ahead(newer_than_ms=0)) == []
    engine.compute(ASOF)
    assert list(engine.map_ahead(newer_than_ms=epoch_ms(ASOF))) == []
    assert list(engine.map_ahead(newer_than_ms=epoch_ms(ASOF) - 1))[-1] is not None
    bare = engine_of([Line(4300, "C", math.nan, 10)])
    bare.compute(ASOF)
    assert list(bare.map_ahead(newer_than_ms=0)) == []
