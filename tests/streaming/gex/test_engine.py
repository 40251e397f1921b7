"""The engine: what ticks, quotes, polls and the clock do to a snapshot."""

import dataclasses
import warnings
from datetime import date, datetime, timedelta

import msgspec
import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms
from streaming.figures import headline
from streaming.gex.engine import GexEngine
from streaming.model import SCOPES, WEIGHTS, OptionQuote, WeightFigures
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, block_a_chain, make_chain

MONDAY = date(2023, 6, 12)
LINES = (
    Line(4250, "P", 0.14, 4000, 3000),
    Line(4300, "C", 0.11, 6000, 20_000),
    Line(4300, "P", 0.11, 5000, 26_000),
    Line(4350, "C", 0.10, 9000, 1500),
    Line(4250, "P", 0.14, 3000, 100, expiry=MONDAY),
    Line(4350, "C", 0.12, 4000, 300, expiry=MONDAY),
)


def engine_of(lines=LINES, *, ticker: str = "SPX", scope="all", **chain_options) -> GexEngine:
    engine = GexEngine(parse_ticker(ticker), scope=scope)
    engine.on_chain(make_chain(lines, **chain_options))
    return engine


def ms(at: datetime) -> int:
    return epoch_ms(at)


def quote(line: Line, at: datetime, **fields) -> OptionQuote:
    return OptionQuote(symbol=line.symbol, event_ms=ms(at), recv_ms=ms(at), **fields)


def test_before_the_first_chain_there_is_nothing():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_spot(4300.0, ms(ASOF))
    engine.on_option([quote(LINES[0], ASOF, iv=0.2)])
    assert engine.compute(ASOF) is None
    assert engine.near_symbols(10) == ()
    assert engine.ladder("all") == ()


def test_example_a_by_heart():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(block_a_chain())
    snapshot = engine.compute(ASOF)
    figures = snapshot.scopes["all"]
    assert figures.oi.net_gex_usd_per_1pct == pytest.approx(37418168.429412, rel=1e-9)
    assert figures.vol.net_gex_usd_per_1pct == pytest.approx(-47637623.652149, rel=1e-9)
    assert figures.oi.net_gex_usd_per_point == pytest.approx(748363.368588, rel=1e-9)
    assert figures.oi.zero_gamma == pytest.approx(4991.074813752607, abs=1e-6)
    assert figures.vol.zero_gamma == pytest.approx(5007.582986073734, abs=1e-6)
    assert figures.vol.ladder_split == pytest.approx(4984.965787685794, abs=1e-6)
    assert snapshot.ladder_split == figures.vol.ladder_split
    assert (figures.oi.call_wall, figures.oi.put_wall) == (5100.0, 4900.0)
    assert (figures.oi.call_wall_gross, figures.oi.put_wall_gross) == (5100.0, 4900.0)
    assert snapshot.sum_gex_vol == pytest.approx(-47.637623652149, rel=1e-9)
    assert snapshot.sum_gex_oi == pytest.approx(37.418168429412, rel=1e-9)
    assert [row[0] for row in snapshot.strikes] == [4900.0, 5000.0, 5100.0]
    assert snapshot.strikes[0][1:3] == pytest.approx((-498.1735939029362, -283.053178353941), rel=1e-9)


def test_the_headline_of_a_snapshot_is_what_the_board_shows():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(block_a_chain())
    shown = headline(engine.compute(ASOF))
    assert (shown["call_wall"], shown["put_wall"]) == (5100.0, 4900.0)
    assert shown["zero_gamma"] == pytest.approx(4991.074813752607, abs=1e-6)
    assert shown["net_gex"] == pytest.approx(-0.0476376, abs=1e-6)
    assert shown["scaled_gamma"] == pytest.approx(0.0374182, abs=1e-6)


def test_a_tick_between_polls_changes_the_figures():
    engine = engine_of()
    before = engine.compute(ASOF)
    engine.on_spot(4310.0, ms(ASOF) + 1000)
    after = engine.compute(ASOF + timedelta(seconds=1))
    assert (before.spot, after.spot) == (4300.0, 4310.0)
    assert after.sum_gex_oi != before.sum_gex_oi
    assert after.asof_ms == ms(ASOF) + 1000
    assert after.chain_ms == ms(ASOF)
    assert after.seq == before.seq + 1


def test_followed_roots_stay_the_roots_of_a_fresh_engine():
    engine = engine_of()
    engine.compute(ASOF)
    for second in range(1, 9):
        at = ASOF + timedelta(seconds=second)
        engine.on_spot(4300.0 + second / 2, ms(at))
        followed = engine.compute(at)
    fresh = engine_of()
    fresh.on_spot(4304.0, ms(at))
    swept = fresh.compute(at)
    for scope in SCOPES:
        for weight in ("oi", "vol"):
            mine, theirs = (getattr(found.scopes[scope], weight).zero_gamma_roots for found in (followed, swept))
            assert mine == pytest.approx(theirs, abs=1e-6)


def test_tidying_up_between_computations_changes_no_figure():
    tidy, plain = engine_of(), engine_of()
    assert not tidy.tidy()
    for second in range(12):
        at = ASOF + timedelta(seconds=second)
        for engine in (tidy, plain):
            engine.on_spot(4300.0 + second / 10, ms(at))
        mine, theirs = tidy.compute(at), plain.compute(at)
        assert tidy.tidy() is (second in {5, 10})
        for weight in ("oi", "vol"):
            found, expected = (getattr(item.scopes["all"], weight).zero_gamma_roots for item in (mine, theirs))
            assert found == pytest.approx(expected, abs=1e-6)


def test_a_rehearsal_says_what_the_computation_will_and_is_not_remembered():
    rehearsed, plain = engine_of(), engine_of()
    assert GexEngine(parse_ticker("SPX"), scope="all").rehearse(ASOF) is None
    for second in range(3):
        at = ASOF + timedelta(seconds=second)
        for engine in (rehearsed, plain):
            engine.on_spot(4300.0, ms(at))
            engine.on_option([quote(LINES[1], at, iv=0.15, volume=40_000 + 100 * second)])
        ladder = rehearsed.ladder("all")
        said = rehearsed.rehearse(at)
        assert rehearsed.ladder("all") == ladder, "that of the last computation still"
        found, expected = rehearsed.compute(at), plain.compute(at)
        for mine in (said, found):
            assert [mine.scopes[scope].by(weight).net_gex_usd_per_1pct for scope in SCOPES for weight in WEIGHTS] == [
                expected.scopes[scope].by(weight).net_gex_usd_per_1pct for scope in SCOPES for weight in WEIGHTS
            ]
        for name in ("seq", "strikes", "max_priors", "flow", "flow_strikes", "signed_flow"):
            assert getattr(found, name) == getattr(expected, name), name


def test_a_live_option_quote_changes_volatility_and_volume():
    engine = engine_of()
    before = engine.compute(ASOF)
    engine.on_option([quote(LINES[1], ASOF + timedelta(seconds=1), iv=0.15, volume=40_000, open_interest=7000)])
    after = engine.compute(ASOF + timedelta(seconds=1))
    assert after.sum_gex_vol > before.sum_gex_vol
    assert after.sum_gex_oi != before.sum_gex_oi
    assert after.asof_ms == ms(ASOF) + 1000


def test_a_live_volatility_that_became_unknown_leaves_the_polled_one_and_not_itself():
    engine, other = engine_of(), engine_of()
    engine.on_option([quote(LINES[1], ASOF + timedelta(seconds=1), iv=0.5)])
    for each in (engine, other):
        each.on_option([quote(LINES[1], ASOF + timedelta(seconds=2), iv=None)])
    assert engine.compute(ASOF).sum_gex_oi == other.compute(ASOF).sum_gex_oi


def test_volume_never_shrinks_and_strangers_are_ignored():
    engine = engine_of()
    before = engine.compute(ASOF)
    engine.on_option([quote(LINES[1], ASOF, volume=1), quote(Line(9999, "C", 0.1), ASOF, iv=0.5, volume=10**6)])
    after = engine.compute(ASOF)
    assert (after.sum_gex_vol, after.sum_gex_oi) == (before.sum_gex_vol, before.sum_gex_oi)


def test_a_newer_live_quote_survives_the_next_poll_and_an_older_one_does_not():
    later = ASOF + timedelta(seconds=10)
    engine = engine_of()
    engine.on_option([quote(LINES[1], later, iv=0.15)])
    live = engine.compute(later)
    engine.on_chain(make_chain(LINES, asof=later - timedelta(seconds=5)))
    assert engine.compute(later).sum_gex_oi == pytest.approx(live.sum_gex_oi, rel=1e-9)
    engine.on_chain(make_chain(LINES, asof=later + timedelta(seconds=5)))
    assert engine.compute(later).sum_gex_oi != pytest.approx(live.sum_gex_oi, rel=1e-3)


def test_a_live_quote_survives_a_poll_of_another_expiry():
    engine = engine_of(LINES)
    engine.on_option([quote(LINES[1], ASOF + timedelta(seconds=5), iv=0.15)])
    live = engine.compute(ASOF + timedelta(seconds=5))
    chain = make_chain(LINES)
    own = {day: epoch_ms(ASOF) for day in np.unique(chain.expiry).astype("datetime64[D]").tolist()}
    later = dataclasses.replace(chain, asof=ASOF + timedelta(seconds=9))
    engine.on_chain(dataclasses.replace(later, polled_ms=own))
    kept = engine.compute(ASOF + timedelta(seconds=9))
    engine.on_chain(later)
    dropped = engine.compute(ASOF + timedelta(seconds=9))
    assert live and kept and dropped
    assert kept.chain_ms == epoch_ms(ASOF)
    assert kept.sum_gex_oi == pytest.approx(live.sum_gex_oi, rel=1e-3)
    assert dropped.sum_gex_oi != pytest.approx(live.sum_gex_oi, rel=1e-3)


def test_a_poll_without_any_open_interest_keeps_the_last():
    engine = engine_of()
    before = engine.compute(ASOF)
    engine.on_chain(make_chain([dataclasses.replace(line, oi=0.0) for line in LINES]))
    assert engine.compute(ASOF).sum_gex_oi == pytest.approx(before.sum_gex_oi)


def test_the_forward_is_not_measured_again_from_old_option_quotes():
    quoted = [
        dataclasses.replace(line, bid=mid - 0.5, ask=mid + 0.5)
        for line, mid in zip(LINES, (5.0, 25.0, 20.0, 8.0, 12.0, 14.0), strict=True)
    ]
    engine = engine_of(quoted)
    first = engine._book.ratio.copy()
    engine.on_chain(make_chain(quoted, spot=4310.0, asof=ASOF + timedelta(seconds=5)))
    assert np.array_equal(engine._book.ratio, first, equal_nan=True)
    moved = [dataclasses.replace(quoted[1], bid=30.0, ask=31.0), *quoted[:1], *quoted[2:]]
    engine.on_chain(make_chain(moved, spot=4310.0, asof=ASOF + timedelta(seconds=9)))
    assert not np.array_equal(engine._book.ratio, first, equal_nan=True)


def test_the_chains_own_spot_counts_when_the_ticks_have_stopped():
    engine = engine_of()
    engine.on_spot(4310.0, ms(ASOF) + 1000)
    engine.on_chain(make_chain(LINES, spot=4320.0, asof=ASOF + timedelta(minutes=5)))
    assert engine.compute(ASOF + timedelta(minutes=5)).spot == 4320.0


@pytest.mark.parametrize("price", [0.0, 1e-320, -1.0, float("nan"), float("inf")])
def test_a_price_that_is_none_is_ignored(price: float):
    engine = engine_of()
    engine.on_spot(price, ms(ASOF) + 1000)
    assert engine.compute(ASOF).spot == 4300.0


def test_an_older_tick_never_replaces_a_newer_one():
    engine = engine_of()
    engine.on_spot(4310.0, ms(ASOF) + 2000)
    engine.on_spot(4290.0, ms(ASOF) + 1000)
    assert engine.compute(ASOF).spot == 4310.0


def test_max_change_waits_for_its_windows_and_clears_after_a_gap():
    engine = engine_of()
    first = engine.compute(ASOF)
    assert first.max_priors == ((None, None),) * 6
    at = ASOF + timedelta(seconds=59)
    engine.on_option([quote(LINES[1], at, volume=30_000)])
    almost = engine.compute(at)
    assert almost.max_priors[0][0] == 4300.0
    assert almost.max_priors[1] == (None, None)
    one = engine.compute(ASOF + timedelta(seconds=60))
    assert one.max_priors[1][0] == 4300.0
    assert one.max_priors[1][1] > 0.0
    assert one.strikes[1][3][0] == pytest.approx(first.strikes[1][1])
    assert one.strikes[1][3][1:] == (None,) * 4
    gap = engine.compute(ASOF + timedelta(minutes=8))
    assert gap.max_priors[2] == (None, None)


def test_max_change_has_all_windows_after_half_an_hour():
    engine = engine_of()
    for second in range(0, 1830, 10):
        snapshot = engine.compute(ASOF + timedelta(seconds=second))
    assert len(snapshot.max_priors) == 6
    assert all(change is not None for _, change in snapshot.max_priors)
    assert all(value is not None for value in snapshot.strikes[0][3])


def test_at_the_settlement_instant_the_scope_rolls_to_the_next_date():
    engine = engine_of(scope="zero")
    close = datetime(2023, 6, 9, 16, 0, tzinfo=NEW_YORK)
    engine.compute(close - timedelta(seconds=61))
    before = engine.compute(close - timedelta(seconds=1))
    after = engine.compute(close)
    assert before.scopes["zero"].expiries == ("2023-06-09",)
    assert after.scopes["zero"].expiries == ("2023-06-12",)
    assert (before.min_dte, before.sec_min_dte) == (0, 3)
    assert (after.min_dte, after.sec_min_dte) == (3, None)
    assert before.max_priors[0] != (None, None)
    assert after.max_priors == ((None, None),) * 6


@pytest.mark.parametrize(
    ("hour", "minute", "state"),
    [(9, 31, "warming"), (13, 25, "live"), (15, 56, "closing"), (16, 0, "closed"), (8, 0, "closed")],
)
def test_the_state_follows_the_clock_of_a_live_chain(hour: int, minute: int, state: str):
    at = datetime(2023, 6, 9, hour, minute, tzinfo=NEW_YORK)
    assert engine_of(asof=at).compute(at).state == state


def test_a_delayed_chain_lives_at_its_own_quote_time():
    engine = engine_of(delayed=True)
    snapshot = engine.compute(ASOF + timedelta(days=30))
    assert snapshot.state == "live"
    assert snapshot.scopes["zero"].expiries == ("2023-06-09",)
    assert snapshot.delayed


def test_a_futures_ticker_has_no_levels_before_a_basis():
    snapshot = engine_of(ticker="ES_SPX").compute(ASOF)
    assert snapshot.ticker == "ES_SPX"
    assert (snapshot.spot, snapshot.basis, snapshot.basis_ms) == (None, None, None)
    assert snapshot.major_pos_oi is snapshot.major_neg_oi is snapshot.ladder_split is None
    assert snapshot.strikes == ()
    assert snapshot.scopes["all"].oi.zero_gamma_roots == ()
    assert snapshot.scopes["all"].oi.zero_gamma is None
    assert snapshot.sum_gex_oi is not None


def test_a_futures_ticker_shifts_every_level_by_the_basis():
    index = engine_of().compute(ASOF)
    engine = engine_of(ticker="ES_SPX")
    engine.on_spot(4300.0, ms(ASOF))
    engine.on_relative("future", 4339.65, ms(ASOF))
    future = engine.compute(ASOF)
    assert future.spot == pytest.approx(4339.65)
    assert future.sum_gex_oi == index.sum_gex_oi
    assert [row[0] for row in future.strikes] == pytest.approx([row[0] + 39.65 for row in index.strikes])
    for weight in ("oi", "vol"):
        mine, theirs = (getattr(found.scopes["all"], weight) for found in (future, index))
        for name in WeightFigures.__struct_fields__:
            if name.startswith(("zero_gamma", "ladder_split", "major", "call_wall", "put_wall")) and not name.endswith(
                ("roots", "directions", "note", "slope", "usd_per_1pct")
            ):
                assert getattr(mine, name) == pytest.approx(getattr(theirs, name) + 39.65), name
        assert mine.zero_gamma_roots == pytest.approx([level + 39.65 for level in theirs.zero_gamma_roots])
        assert mine.net_gex_usd_per_1pct == theirs.net_gex_usd_per_1pct


def test_a_basis_that_is_no_longer_live_is_held_and_ages():
    engine = engine_of(ticker="ES_SPX")
    engine.on_spot(4300.0, ms(ASOF))
    engine.on_relative("future", 4339.65, ms(ASOF))
    later = ASOF + timedelta(minutes=10)
    engine.on_relative("future", 4500.0, ms(later))
    snapshot = engine.compute(later)
    assert snapshot.basis == pytest.approx(39.65)
    assert snapshot.basis_ms == ms(ASOF)


def test_an_empty_chain_has_no_figures_and_does_not_raise():
    snapshot = engine_of([]).compute(ASOF)
    assert snapshot.scopes["all"].oi == WeightFigures()
    assert snapshot.sum_gex_oi is snapshot.sum_gex_vol is snapshot.ladder_split is None
    assert snapshot.scopes["all"].contracts == 0
    assert (snapshot.min_dte, snapshot.strikes) == (None, ())


def test_a_chain_of_nothing_but_sentinels_counts_them():
    sentinels = (-9.99, np.nan, 0.0, 26.0, 0.02, np.inf)
    bad = [dataclasses.replace(line, iv=iv) for line, iv in zip(LINES, sentinels, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        snapshot = engine_of(bad).compute(ASOF)
    figures = snapshot.scopes["all"]
    assert (figures.contracts, figures.contracts_unpriced) == (6, 6)
    assert figures.weight_unpriced_oi == 1.0
    assert figures.oi == WeightFigures()
    assert snapshot.sum_gex_oi is None
    assert snapshot.max_priors == ((None, None),) * 6


@pytest.mark.parametrize("spot", [float("nan"), 0.0, -5.0])
def test_without_a_spot_there_are_no_figures_until_a_tick(spot: float):
    engine = engine_of(spot=spot)
    snapshot = engine.compute(ASOF)
    assert snapshot.spot is None
    assert snapshot.scopes["all"].oi == WeightFigures()
    engine.on_spot(4300.0, ms(ASOF))
    assert engine.compute(ASOF).scopes["all"].oi.net_gex_usd_per_1pct is not None


def test_before_the_open_volume_is_zero_and_never_replaced_by_open_interest():
    snapshot = engine_of([dataclasses.replace(line, volume=0.0) for line in LINES]).compute(ASOF)
    figures = snapshot.scopes["all"].vol
    assert snapshot.sum_gex_vol == 0.0
    assert (figures.call_wall, figures.put_wall, figures.zero_gamma, snapshot.ladder_split) == (None,) * 4
    assert figures.zero_gamma_note == "no exposure"
    assert snapshot.sum_gex_oi != 0.0


def test_the_same_input_gives_the_same_bits():
    one, two = (engine_of() for _ in range(2))
    for second in range(25):
        at = ASOF + timedelta(seconds=second)
        for engine in (one, two):
            engine.on_spot(4300.0 + second % 7, ms(at))
        assert msgspec.json.encode(one.compute(at)) == msgspec.json.encode(two.compute(at))


def test_near_symbols_are_the_strikes_around_spot_nearest_expiry_first():
    symbols = engine_of().near_symbols(3)
    assert symbols == (LINES[1].symbol, LINES[2].symbol, LINES[0].symbol)
    assert len(engine_of().near_symbols(100)) == 6
    assert engine_of().near_symbols(0) == ()


def test_near_symbols_rest_while_spot_jitters():
    engine = engine_of()
    engine.on_spot(4301.0, ms(ASOF) + 1)
    assert engine.near_symbols(4) == engine_of().near_symbols(4)


def test_dropping_bad_volatilities_is_a_choice():
    lines = [Line(4300, "C", 0.0, 100), Line(4300, "P", 0.11, 50)]
    mirror, drop = (
        GexEngine(parse_ticker("SPX"), scope="all", volatility="line", bad_iv=mode) for mode in ("mirror", "drop")
    )
    for engine in (mirror, drop):
        engine.on_chain(make_chain(lines))
    assert mirror.compute(ASOF).sum_gex_oi > 0.0 > drop.compute(ASOF).sum_gex_oi
    assert mirror.compute(ASOF).scopes["all"].contracts_mirrored == 1
    assert drop.compute(ASOF).scopes["all"].contracts_unpriced == 1


def test_the_risk_reversal_is_that_of_the_expiry_nearest_to_thirty_days_and_uses_every_line():
    days = (date(2023, 6, 12), date(2023, 7, 10), date(2023, 9, 15))
    wings = (("C", 4300, 0.150), ("C", 4386, 0.138), ("C", 4472, 0.130), ("P", 4300, 0.150), ("P", 4214, 0.165),
             ("P", 4128, 0.180))  # fmt: skip
    lines = [Line(strike, side, iv, expiry=day) for day in days for side, strike, iv in wings]
    figures = engine_of([*lines, Line(4300, "C", 0.15, 10, expiry=days[1])]).compute(ASOF).scopes["all"]
    assert figures.rr25_expiry == "2023-07-10"
    assert figures.rr25 == pytest.approx(-0.0397, abs=0.002)
    assert engine_of(LINES).compute(ASOF).scopes["one"].rr25 is None


def test_every_expiry_adds_up_to_the_whole_and_settled_ones_are_gone():
    settled = Line(4300, "C", 0.11, 10**6, 10**6, expiry=date(2023, 6, 8))
    snapshot = engine_of([*LINES, settled]).compute(ASOF)
    assert snapshot.sum_gex_oi == pytest.approx(engine_of().compute(ASOF).sum_gex_oi, rel=1e-12)
    rows = snapshot.scopes["all"].by_expiry
    assert [row[0] for row in rows] == ["2023-06-09", "2023-06-12"]
    assert sum(row[1] for row in rows) == pytest.approx(snapshot.scopes["all"].vol.net_gex_usd_per_1pct)
    assert sum(row[2] for row in rows) == pytest.approx(snapshot.scopes["all"].oi.net_gex_usd_per_1pct)
