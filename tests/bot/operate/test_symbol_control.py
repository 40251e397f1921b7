"""`/stream symbols`: what is answered, and what is stored."""

import pytest

from bot.operate import stream_control
from bot.operate.stream_control import SymbolControl
from streaming.clock import SystemClock
from streaming.errors import RequestError, TransientError
from streaming.status import StreamStatus
from streaming.streamer.streamed_symbols import SymbolChanges


class StandInStreamer:
    """A streamer of SPY for a ticker that needs $SPX and is better off with /ES; its data comes when told."""

    configured_symbols = ("SPY",)
    needed_symbols = ("$SPX",)
    useful_symbols = ("/ES",)

    def __init__(self, state="live", ages=None):
        self.changes = SymbolChanges()
        self.state = state
        self.ages = ages or {}
        self.left_out = {}
        self.asked_again = ()
        self.away = False

    async def load_changes(self):
        if self.away:
            raise TransientError("Redis does not answer.")
        return self.changes

    async def store_changes(self, changes):
        self.changes = changes

    def status(self):
        return StreamStatus(state=self.state, symbols=self.ages, left_out=self.left_out)

    async def ask_again(self, symbols):
        self.asked_again = symbols
        self.left_out = self.still_left_out


@pytest.fixture
def streamer():
    return StandInStreamer()


@pytest.fixture
def control(streamer, monkeypatch):
    monkeypatch.setattr(stream_control, "DATA_WITHIN_S", 0.06)
    return SymbolControl(streamer, SystemClock())


async def test_an_added_symbol_is_answered_with_its_first_data(streamer, control):
    streamer.ages = {"QQQ": 0.1}
    report = await control.add("qqq")
    assert report.ok and report.sentence.startswith("QQQ: streamed from now on; first data after ")
    assert streamer.changes.added == ("QQQ",)


async def test_a_symbol_that_stays_silent_is_named(streamer, control):
    streamer.ages = {"QQQ": 0.1, "ZZZZ": None}
    report = await control.add("QQQ, ZZZZ")
    assert "Nothing has arrived for ZZZZ yet" in report.sentence and "QQQ, ZZZZ: asked for" in report.sentence


@pytest.mark.parametrize("state", ["stopped", "backoff", "standby"])
async def test_without_a_stream_the_wish_is_kept_and_the_state_said(streamer, control, state):
    streamer.state = state
    report = await control.add("/MNQ:XCME")
    assert report.sentence == f"/MNQ: streamed as soon as the stream runs; it is {state} now."
    assert streamer.changes.added == ("/MNQ",)


@pytest.mark.parametrize("symbol", ["SPY", "$SPX", "/ES"])
async def test_what_is_streamed_already_is_not_added(streamer, control, symbol):
    assert (await control.add(symbol)).sentence == f"{symbol}: already streamed."
    assert streamer.changes == SymbolChanges()


@pytest.mark.parametrize("healed", [True, False])
async def test_a_symbol_that_schwab_refused_is_asked_for_again(streamer, control, healed):
    streamer.left_out = {"LEVELONE_EQUITIES": ("SPY",)}
    streamer.still_left_out = {} if healed else streamer.left_out
    streamer.ages = {"SPY": 0.1 if healed else None}
    report = await control.add("SPY, $SPX")
    assert streamer.asked_again == ("SPY",)
    assert streamer.changes == SymbolChanges()
    assert report.ok is healed
    assert ("first data after" if healed else "SPY: requested, but Schwab refuses SPY.") in report.sentence


async def test_a_removed_symbol_can_be_added_again(streamer, control):
    streamer.ages = {"SPY": 0.1}
    assert "no longer streamed, even after a restart" in (await control.remove("SPY")).sentence
    assert streamer.changes.removed == {"SPY"}
    assert "streamed from now on" in (await control.add("SPY")).sentence
    assert streamer.changes == SymbolChanges()


async def test_what_a_board_needs_stays_and_with_it_the_whole_order(streamer, control):
    with pytest.raises(RequestError, match="needed by the live messages"):
        await control.remove("SPY, $SPX")
    assert streamer.changes == SymbolChanges()


async def test_what_is_not_streamed_cannot_be_removed(control):
    with pytest.raises(RequestError, match="TSLA: not streamed"):
        await control.remove("TSLA")


@pytest.mark.parametrize("text", ["", " , ", "not!a!symbol"])
async def test_what_names_no_symbol_is_refused(control, text):
    with pytest.raises(RequestError):
        await control.add(text)
    with pytest.raises(RequestError):
        await control.remove(text)


async def test_the_list_tells_where_each_symbol_comes_from(streamer, control):
    streamer.changes = SymbolChanges(added=("QQQ",), removed=frozenset({"SPY"}))
    listed = await control.list()
    assert (listed.configured, listed.added, listed.removed) == ((), ("QQQ",), ("SPY",))
    assert listed.needed == ("$SPX", "/ES")


async def test_while_redis_is_away_that_is_said(streamer, control):
    streamer.away = True
    for order in (control.add("QQQ"), control.remove("SPY"), control.list()):
        with pytest.raises(TransientError):
            await order
