"""What customers traded of streamed options, through the inbox and the engine, against the slow model."""

import json
import math
import random
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms, instant_of
from streaming.engine.inbox import EngineInbox
from streaming.gex.engine import GexEngine
from streaming.gex.results import signed_flow
from streaming.gex.results.signed_flow import session_begin_ms
from streaming.model import FlowSum, OptionQuote, OptionTrades
from streaming.symbols import parse_ticker
from tests.support.option_lines import Line, make_chain
from tests.support.slow_flow import Update, dealers, summed, trades_of

SCHEMA = json.loads((Path(__file__).parents[4] / "specs" / "schemas" / "snapshot.json").read_text())
MINUTE = 60_000
NOON = datetime(2023, 6, 9, 12, 0, tzinfo=NEW_YORK)
NOON_MS = epoch_ms(NOON)
CALL = Line(4300, "C", 0.11, 6000, 20_000)
PUT = Line(4300, "P", 0.11, 5000, 26_000)
LINES = (CALL, PUT, Line(4250, "P", 0.14, 4000, 3000), Line(4350, "C", 0.10, 9000, 1500))


def engine_of(*lines, asof=NOON):
    engine = GexEngine(parse_ticker("SPX"), scope="full")
    engine.on_chain(make_chain(lines or LINES, asof=asof))
    return engine


def stream(engine, at_ms, line=CALL):
    engine.on_option([OptionQuote(symbol=line.symbol, iv=line.iv, event_ms=at_ms, recv_ms=at_ms)])


def traded(line, at_ms, *, bought=0, sold=0, unsure=0):
    return OptionTrades(line.symbol, at_ms // MINUTE * MINUTE, bought, sold, unsure)


def flow(engine, at_ms):
    return engine.compute(instant_of(at_ms)).signed_flow


def by_hand(engine, line, signed):
    """Delta and gamma of the line at the figures of the last `compute`, by the slow model's own normal distribution."""
    last = engine._last
    priced = last.selection.priced
    (place,), _ = priced.places_of(np.flatnonzero(last.lines.symbol == line.symbol))
    return dealers(
        signed,
        spot=last.spot,
        strike=line.strike,
        w=float(last.kernel.deviation[place]),
        is_call=line.side == "C",
        ratio=math.exp(float(priced.log_ratio[place])),
    )


def test_without_streamed_options_there_is_no_flow():
    engine = engine_of()
    engine.on_trades([traded(CALL, NOON_MS, bought=5)])
    assert flow(engine, NOON_MS) is None


def test_customers_who_buy_a_call_leave_dealers_short_its_delta_and_its_gamma():
    engine = engine_of()
    stream(engine, NOON_MS)
    engine.on_trades([traded(CALL, NOON_MS, bought=30, sold=10, unsure=20)])
    found = flow(engine, NOON_MS + 1000)
    delta, gamma = by_hand(engine, CALL, 20)
    assert (delta < 0, gamma < 0) == (True, True)
    assert delta == pytest.approx(-20 * 100 * 4300 * 0.5, rel=0.02), "at the money half a share each"
    assert (found.day.delta_usd, found.day.gamma_usd_per_1pct) == pytest.approx((delta, gamma), rel=1e-12)
    assert (found.day.contracts, found.day.unsure) == (60, 20 / 60)
    assert found.seen == 60 / 50_500


def test_customers_who_sell_a_put_leave_dealers_with_its_negative_delta_and_its_gamma():
    engine = engine_of()
    stream(engine, NOON_MS)
    engine.on_trades([traded(PUT, NOON_MS, sold=20)])
    day = flow(engine, NOON_MS + 1000).day
    assert day.delta_usd < 0 < day.gamma_usd_per_1pct
    assert (day.delta_usd, day.gamma_usd_per_1pct) == pytest.approx(by_hand(engine, PUT, -20), rel=1e-12)


def test_windows_are_of_whole_minutes_and_unknown_while_they_were_not_seen_whole():
    engine = engine_of()
    stream(engine, NOON_MS)
    engine.on_trades([traded(CALL, NOON_MS, bought=1)])
    running = flow(engine, NOON_MS + 59_000)
    assert (running.minute, running.minutes, running.day.contracts) == (None, (), 1)
    over = flow(engine, NOON_MS + MINUTE)
    assert (over.minute.contracts, over.five, over.thirty) == (1, None, None)
    assert [row[0] for row in over.minutes] == [NOON_MS]
    later = flow(engine, NOON_MS + 5 * MINUTE)
    assert later.minute == FlowSum(delta_usd=0.0, gamma_usd_per_1pct=0.0, contracts=0)
    assert (later.five.contracts, later.thirty) == (1, None)
    assert [row[0] for row in later.minutes] == [NOON_MS + step * MINUTE for step in range(5)]
    last = flow(engine, NOON_MS + 31 * MINUTE)
    assert (last.five.contracts, last.thirty.contracts, last.day.contracts) == (0, 0, 1)
    assert len(last.minutes) == 5


def test_a_stream_that_began_within_a_minute_did_not_see_it_whole():
    engine = engine_of()
    stream(engine, NOON_MS + 20_000)
    engine.on_trades([traded(CALL, NOON_MS + 20_000, bought=1)])
    found = flow(engine, NOON_MS + MINUTE)
    assert (found.since_ms, found.minute, found.minutes) == (NOON_MS + 20_000, None, ())
    assert found.day.contracts == 1


def test_the_session_begins_anew_at_the_open():
    early = NOON.replace(hour=9, minute=20)
    engine, before_ms, open_ms = engine_of(asof=early), epoch_ms(early), epoch_ms(NOON.replace(hour=9, minute=30))
    stream(engine, before_ms)
    engine.on_trades([traded(CALL, before_ms, bought=4)])
    assert flow(engine, open_ms - 1).day.contracts == 4
    engine.on_trades([traded(CALL, open_ms - MINUTE, bought=8), traded(CALL, open_ms, sold=3)])
    found = flow(engine, open_ms + 500)
    assert (found.day.contracts, found.since_ms, found.minute) == (3, open_ms, None)


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        (NOON, NOON.replace(hour=9, minute=30)),
        (NOON.replace(hour=23), NOON.replace(hour=9, minute=30)),
        (NOON.replace(hour=9, minute=29), NOON.replace(hour=0)),
        (NOON + timedelta(days=1), NOON.replace(hour=0) + timedelta(days=1)),
    ],
)
def test_a_session_begins_at_the_open_else_at_midnight(at, begins):
    assert session_begin_ms(at) == epoch_ms(begins)


def test_a_line_without_a_price_is_unsure_and_one_of_no_chain_is_not_seen():
    blank = Line(4400, "C", np.nan, 10, 10)
    engine = engine_of(CALL, PUT, blank)
    stream(engine, NOON_MS)
    engine.on_trades([traded(blank, NOON_MS, bought=5), traded(Line(9999, "C", 0.1), NOON_MS, bought=7)])
    day = flow(engine, NOON_MS + 1000).day
    assert (day.contracts, day.unsure, day.delta_usd) == (5, 1.0, 0.0)


def test_what_is_written_is_what_the_schema_says_and_comes_back():
    engine = engine_of()
    stream(engine, NOON_MS)
    engine.on_trades([traded(CALL, NOON_MS, bought=3)])
    snapshot = engine.compute(instant_of(NOON_MS + 7 * MINUTE))
    payload = encode_snapshot(snapshot)
    jsonschema.validate(json.loads(payload), SCHEMA, cls=jsonschema.Draft202012Validator)
    assert parse_snapshot(payload, received_ms=NOON_MS).signed_flow == snapshot.signed_flow


def test_trades_wait_for_a_spot_within_bounds(monkeypatch):
    monkeypatch.setattr(signed_flow, "MOST_PENDING", 3)
    engine = GexEngine(parse_ticker("SPX"), scope="full")
    engine.on_chain(make_chain(LINES, spot=0.0, asof=NOON))
    stream(engine, NOON_MS)
    engine.on_trades([traded(CALL, NOON_MS, bought=count) for count in (1, 2, 4, 8, 16)])
    assert flow(engine, NOON_MS) is None
    engine.on_spot(4300.0, NOON_MS)
    assert flow(engine, NOON_MS + 1).day.contracts == 28


def test_minutes_that_no_window_needs_are_forgotten():
    engine = engine_of()
    stream(engine, NOON_MS)
    for minute in range(120):
        engine.on_trades([traded(CALL, NOON_MS + minute * MINUTE, bought=1)])
        found = flow(engine, NOON_MS + minute * MINUTE + 1000)
    assert len(engine._flow._minutes) <= 31
    assert (found.day.contracts, found.thirty.contracts) == (120, 30)


@pytest.mark.parametrize("seed", range(6))
def test_a_made_tape_through_inbox_and_engine_sums_as_the_slow_model_does(seed):
    rng = random.Random(seed)
    engine, inbox = engine_of(), EngineInbox([parse_ticker("SPX")])
    by_symbol = {line.symbol: line for line in LINES}
    volumes = {line.symbol: int(line.volume) for line in LINES}
    updates, parts, valued = [], [], 0
    now_ms = NOON_MS
    for _ in range(60):
        batch = []
        for _ in range(rng.randint(1, 12)):
            now_ms += rng.randint(0, 900)
            symbol = rng.choice(list(volumes))
            volumes[symbol] += rng.choice((0, 0, 1, 7, 40))
            bid = round(rng.uniform(1.0, 9.0), 2)
            state = Update(
                now_ms, symbol, volumes[symbol], round(bid + rng.choice((-0.1, 0.0, 0.1, 0.2, 0.3)), 2), bid, bid + 0.2
            )
            batch.append(state)
        updates += batch
        inbox.take(
            [
                OptionQuote(
                    symbol=one.symbol, iv=by_symbol[one.symbol].iv, volume=one.volume, last=one.last, bid=one.bid,
                    ask=one.ask, event_ms=one.at_ms, recv_ms=one.at_ms,
                )
                for one in batch
            ]
        )  # fmt: skip
        taken = inbox.empty()
        engine.on_option(taken.quotes)
        engine.on_trades(taken.trades)
        engine.on_spot(4300.0 + rng.uniform(-5, 5), now_ms)
        found = flow(engine, now_ms)
        fresh = trades_of(updates)[valued:]
        valued += len(fresh)
        parts += [(trade, *by_hand(engine, by_symbol[trade.symbol], trade.signed)) for trade in fresh]
    begin_ms = now_ms // MINUTE * MINUTE
    for part, minutes in ((found.minute, 1), (found.five, 5)):
        wanted = summed(parts, begin_ms - minutes * MINUTE, begin_ms)
        if begin_ms - minutes * MINUTE < NOON_MS:
            assert part is None
            continue
        delta, gamma, contracts, unsure = wanted
        assert (part.delta_usd, part.gamma_usd_per_1pct) == pytest.approx((delta, gamma), rel=1e-9, abs=1e-3)
        assert (part.contracts, part.unsure) == (contracts, pytest.approx(unsure / contracts))
    delta, gamma, contracts, unsure = summed(parts, NOON_MS, now_ms + 1)
    assert (found.day.delta_usd, found.day.gamma_usd_per_1pct) == pytest.approx((delta, gamma), rel=1e-9, abs=1e-3)
    assert (found.day.contracts, found.day.unsure) == (contracts, pytest.approx(unsure / contracts))
    assert unsure > 0
