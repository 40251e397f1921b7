"""Polls of one expiry at a time: what is renewed in place is what loading everything afresh would give, bit for bit."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import chain as flatten

import numpy as np
import pytest
from msgspec.structs import replace

from streaming.engine.protocol import Load
from streaming.engine.room import EngineRoom
from streaming.model import GexSnapshot
from streaming.symbols import parse_ticker
from tests.data_builders.market import Market, Series, make_market
from tests.data_builders.shapes import schwab_chain

DAYS = ("2026-08-20", "2026-08-21", "2026-08-24", "2026-09-18")
SPX = parse_ticker("SPX")


def quoted(seed: int, *, step: float = 10.0) -> dict[date, bytes]:
    """Schwab's answers, one an expiry: the same contracts whatever the seed, other figures throughout."""
    both_roots = {"2026-08-21", "2026-09-18"}
    roots = [(day, root) for day in DAYS for root in (("SPX", "SPXW") if day in both_roots else ("SPXW",))]
    listed = [Series(root, day, step=step) for day, root in roots]
    market = make_market("SPX", 6881.25, "2026-08-20T10:30", listed, seed=seed)
    return {day: schwab_chain(only(market, day)) for day in map(date.fromisoformat, DAYS)}


def only(market: Market, day: date) -> Market:
    return Market(market.ticker, market.spot, market.asof, tuple(line for line in market.lines if line.expiry == day))


BEGIN = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)
Poll = tuple[date, bytes, float]
"""An expiry, its answer, and how many seconds after the beginning it was quoted."""


def poll(room: EngineRoom, day: date, answer: bytes, later_s: float) -> None:
    planned = tuple(date.fromisoformat(name) for name in DAYS)
    asof = BEGIN + timedelta(seconds=later_s)
    room.load(Load(SPX.underlying, "schwab", asof, day, planned, planned), answer)


def lasting(snapshot: GexSnapshot) -> GexSnapshot:
    """Without what depends on how often an engine was asked."""
    rows = tuple(row[:3] for row in snapshot.strikes)
    return replace(snapshot, seq=0, max_priors=(), strikes=rows, flow=(), flow_strikes=(), signed_flow=None)


def polled(*polls: Poll, each: bool) -> GexSnapshot:
    """The snapshot after polls, computed after each or only at the end."""
    room = EngineRoom([SPX], scope="full")
    for day, answer, later_s in polls:
        poll(room, day, answer, later_s)
        if each:
            room.compute("SPX", BEGIN + timedelta(seconds=later_s))
    return lasting(room.compute("SPX", BEGIN + timedelta(seconds=60)))


FIRST = [(day, answer, 0.0) for day, answer in quoted(1).items()]
OTHERS = quoted(2)
FINER = quoted(3, step=5.0)


@pytest.mark.parametrize("days", [DAYS[:1], DAYS[1:2], DAYS[3:], DAYS])
def test_polls_of_the_same_contracts_give_the_figures_of_a_fresh_load(days: tuple[str, ...]):
    again = [(date.fromisoformat(day), OTHERS[date.fromisoformat(day)], 20.0 + 5.0 * n) for n, day in enumerate(days)]
    newest = {day: (day, answer, later_s) for day, answer, later_s in [*FIRST, *again]}
    found = polled(*FIRST, *again, each=True)
    assert found == polled(*newest.values(), each=False)
    assert found != polled(*FIRST, each=False)


def test_polls_that_list_more_strikes_give_the_figures_of_a_fresh_load():
    day = date.fromisoformat(DAYS[1])
    more, back = (day, FINER[day], 20.0), (day, OTHERS[day], 40.0)
    rest = [one for one in FIRST if one[0] != day]
    assert polled(*FIRST, more, each=True) == polled(*rest, more, each=False)
    assert polled(*FIRST, more, back, each=True) == polled(*rest, back, each=False)


def dearer_calls(answer: bytes) -> bytes:
    """The same answer with a higher forward: calls cost three points more, all else is as it was."""
    document = json.loads(answer)
    strikes = [listed for expiry in document["callExpDateMap"].values() for listed in expiry.values()]
    for contract in flatten.from_iterable(strikes):
        contract["bid"] += 3.0
        contract["ask"] += 3.0
    return json.dumps(document).encode()


def test_a_poll_with_other_quotes_alone_moves_the_forward_of_its_series_alone():
    day, answer, _ = FIRST[3]
    moved = (day, dearer_calls(answer), 30.0)
    found = polled(*FIRST, moved, each=True)
    assert found == polled(*FIRST[:3], moved, each=False)
    before = polled(*FIRST[:3], (day, answer, 30.0), each=False)
    nets = [{row[0]: row[2] for row in shot.scopes["all"].by_expiry} for shot in (before, found)]
    assert [name for name in nets[0] if nets[0][name] != nets[1][name]] == [DAYS[3]]


def test_a_poll_leaves_the_order_of_lines_alone():
    room = EngineRoom([SPX], scope="full")
    for one in FIRST:
        poll(room, *one)
    book = room._engines["SPX"]._book
    before = book.lines
    poll(room, date.fromisoformat(DAYS[2]), OTHERS[date.fromisoformat(DAYS[2])], 9.0)
    assert book.lines.symbol is before.symbol
    assert not np.array_equal(book.lines.bid, before.bid)
