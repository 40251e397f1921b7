"""None"""

from datetime import UTC, datetime, timedelta

import pytest

from streaming.calendar import NEW_YORK
from streaming.sim.local_schwab import _sources  # the rows as a session reads them
from streaming.sim.prices.hours import Phase, Reset, next_reset, phase_at
from streaming.sim.world.market import Market
from streaming.sim.world.shared_state import SharedState


def second_of(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("instant", "phase"),
    [
        ("2026-08-20T13:29:59", Phase.FUTURES),
        ("2026-08-20T13:30:00", Phase.CASH),
        ("2026-08-20T19:59:59", Phase.CASH),
        ("2026-08-20T20:00:00", Phase.FUTURES),
        ("2026-08-20T21:30:00", Phase.CLOSED),  # the daily pause
        ("2026-08-20T22:30:00", Phase.FUTURES),
        ("2026-08-21T22:30:00", Phase.CLOSED),  # Friday night
        ("2026-08-22T15:00:00", Phase.CLOSED),
        ("2026-08-23T22:30:00", Phase.FUTURES),  # Sunday evening
        ("2026-11-27T18:30:00", Phase.FUTURES),  # a half day has ended
        ("2026-11-26T15:00:00", Phase.FUTURES),  # Thanksgiving: no cash session
    ],
)
def test_the_phase_follows_the_exchanges(instant, phase):
    assert phase_at(second_of(instant), always_open=False)[0] is phase


def test_a_phase_says_until_when():
    assert phase_at(second_of("2026-08-20T15:00:00"), always_open=False)[1] == second_of("2026-08-20T20:00:00")


def test_an_always_open_market_never_closes():
    assert phase_at(second_of("2026-08-22T15:00:00"), always_open=True) == (Phase.CASH, float("inf"))


def at(day: int, *clock: int) -> datetime:
    return datetime(2026, 8, day, *clock, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("after", "reset", "when"),
    [
        (at(20, 1, 0), Reset.PRICES, at(20, 3, 30)),
        (at(20, 3, 30), Reset.VOLUME, at(20, 7, 28)),
        (at(20, 7, 28), Reset.CLOSES, at(20, 7, 29, 50)),
        (at(20, 9, 30), Reset.FUTURES, at(20, 18, 0)),
        (at(21, 9, 30), Reset.FUTURES, at(23, 18, 0)),  # a Friday: nothing until Sunday evening
    ],
)
def test_resets_follow_the_clock_of_new_york(after, reset, when):
    assert next_reset(after.timestamp()) == (when.timestamp(), reset)


@pytest.fixture(scope="module")
def overnight() -> dict[str, dict]:
    """Rows of a share and of an option at moments of one night and morning."""
    market = Market.generate(("SPX", "SPY"), start_at=at(20, 15, 59, 30), seed=3)
    rows = _sources(SharedState(market, None, None))
    option = "SPXW  260821C06880000"
    seen = {}
    moments = {
        "close": at(20, 16, 0, 5),
        "night": at(21, 3, 29, 59),
        "reset": at(21, 3, 30, 1),
        "morning": at(21, 7, 28, 1),
        "before": at(21, 7, 29, 51),
        "open": at(21, 9, 30, 2),
    }
    for name, moment in moments.items():
        market.advance(moment)
        every = frozenset(map(str, range(60)))
        share, line = rows["LEVELONE_EQUITIES"], rows["LEVELONE_OPTIONS"]
        seen[name] = {
            "share": share.live(("SPY",), every)["SPY"] | share.fixed("SPY"),
            "option": line.live((option,), every)[option] | line.fixed(option),
            "edition": market.edition,
        }
    return seen


def test_the_last_image_of_a_day_stays_through_the_night(overnight):
    assert overnight["night"]["share"] == overnight["close"]["share"]
    assert overnight["night"]["share"]["32"] == "Closed"


def test_half_past_three_zeroes_the_range_and_reloads_the_close_without_a_trade(overnight):
    night, reset = overnight["night"]["share"], overnight["reset"]["share"]
    assert [reset[name] for name in ("10", "11", "17")] == [0, 0, 0]
    assert reset["12"] == night["3"] != night["12"]
    assert (reset["35"], reset["8"]) == (night["35"], night["8"])
    assert overnight["reset"]["edition"] > overnight["night"]["edition"]


def test_half_past_three_zeroes_an_options_volume_range_and_volatility(overnight):
    night, reset = overnight["night"]["option"], overnight["reset"]["option"]
    assert night["8"] > 0
    assert [reset[name] for name in ("5", "6", "8", "10", "28")] == [0, 0, 0, 0, 0]
    assert reset["15"] == night["15"] > 0
    assert reset["9"] > night["9"]
    assert reset["39"] == night["39"]


def test_before_half_past_seven_the_volume_goes_and_options_get_their_close(overnight):
    reset, morning, before = (overnight[name] for name in ("reset", "morning", "before"))
    assert reset["share"]["8"] > morning["share"]["8"] == 0
    assert morning["option"]["15"] == 0
    assert before["option"]["7"] != morning["option"]["7"]


def test_the_open_starts_a_new_range(overnight):
    row = overnight["open"]["share"]
    assert 0 < row["11"] <= row["3"] <= row["10"]
    assert row["32"] == "Normal"
    assert overnight["open"]["option"]["10"] > 0
    assert overnight["open"]["option"]["27"] == 0


def test_futures_begin_their_day_in_the_evening():
    market = Market.generate(("SPX",), start_at=at(20, 17, 59, 58), seed=1)
    tape = market.tape("/ES")
    last = tape.last
    market.advance(at(20, 18, 0, 1))
    assert tape.close == last


def test_a_market_that_never_closes_rolls_its_day_at_once():
    market = Market.generate(("SPX",), start_at=at(20, 3, 29, 58), seed=1, always_open=True)
    before = market.board("$SPX")
    assert min(group.expiry.day for group in before.listed()) == at(20, 0).date()
    market.advance(at(20, 3, 30, 1))
    assert market.board("$SPX") is not before
    assert market.tape("$SPX").open > 0
    assert market.is_open


def test_a_halt_stops_a_symbol_and_its_options_until_it_is_lifted():
    market = Market.generate(("SPX", "SPY"), start_at=datetime(2026, 8, 20, 14, 30, tzinfo=UTC), seed=3)
    rows = _sources(SharedState(market, None, None))
    every = frozenset(map(str, range(60)))
    option = "SPXW  260820C06880000"

    def images() -> list[dict]:
        pairs = (("LEVELONE_EQUITIES", "$SPX"), ("LEVELONE_OPTIONS", option), ("LEVELONE_EQUITIES", "SPY"))
        return [rows[service].live((key,), every)[key] for service, key in pairs]

    market.halt("$SPX")
    before = images()
    market.advance(market.now + timedelta(seconds=5))
    after = images()
    assert after[:2] == before[:2]
    assert (before[0]["32"], before[1]["33"], before[2]["32"]) == ("Halted", "Halted", "Normal")
    assert after[2]["34"] > before[2]["34"]
    market.halt("$SPX", halted=False)
    market.advance(market.now + timedelta(seconds=2))
    assert images()[0]["35"] > before[0]["35"]
    assert images()[1]["33"] == "Normal"
