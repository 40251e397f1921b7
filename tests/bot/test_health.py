import asyncio
import socket
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.health import EVERY_S, Health, Presence, presence_text, tell_systemd
from streaming.calendar import NEW_YORK
from streaming.errors import TransientError
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot


@pytest.fixture
def systemd(tmp_path):
    """A datagram socket where systemd would listen, and its address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = str(tmp_path / "notify")
        listener.bind(address)
        listener.setblocking(False)
        yield listener, address


def heard(listener):
    messages = []
    while True:
        try:
            messages.append(listener.recv(100).decode())
        except BlockingIOError:
            return messages


def test_readiness_waits_for_discord_and_is_told_once_however_often_the_connection_is_lost(systemd):
    listener, address = systemd
    health = Health(ManualClock(), address)
    health.mark(False)
    assert heard(listener) == []
    for connected in (True, True, False, True):
        health.mark(connected)
    assert heard(listener) == ["READY=1"]


def test_stopping_is_told(systemd):
    listener, address = systemd
    Health(ManualClock(), address).stopping()
    assert heard(listener) == ["STOPPING=1"]


def test_an_abstract_address_works():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0gexcord-test-notify")
        listener.setblocking(False)
        tell_systemd("READY=1", "@gexcord-test-notify")
        assert heard(listener) == ["READY=1"]


def test_nobody_listening_is_no_error(tmp_path, caplog):
    tell_systemd("READY=1", None)
    assert caplog.text == ""
    tell_systemd("WATCHDOG=1", str(tmp_path / "gone"))
    assert "does not take WATCHDOG=1" in caplog.text


async def test_the_heartbeat_measures_how_late_the_loop_is_and_feeds_the_watchdog(systemd, caplog):
    listener, address = systemd

    class LateClock(ManualClock):
        lags = iter([0.0, 2.5, 0.0])

        async def sleep(self, seconds):
            lag = next(self.lags, None)
            if lag is None:
                await asyncio.Event().wait()
            await super().sleep(seconds + lag)

    health = Health(LateClock(), address)
    done = asyncio.Event()
    beats = []

    def progress():
        beats.append(True)
        if len(beats) == 3:
            done.set()

    task = asyncio.create_task(health.beat(progress))
    await done.wait()
    task.cancel()
    assert health.worst_lag_ms == pytest.approx(2500)
    assert heard(listener) == ["WATCHDOG=1"] * 3
    assert "held for 2.5 s" in caplog.text


OPEN = datetime(2026, 8, 20, 11, 0, tzinfo=NEW_YORK)
SEEN = snapshot("SPX", asof=OPEN)


@pytest.mark.parametrize(
    ("seen", "at", "words"),
    [
        (SEEN, OPEN + timedelta(seconds=1), "SPX live, 1s old"),
        (SEEN, OPEN + timedelta(seconds=9), "SPX stale, 9s old"),
        (SEEN, OPEN + timedelta(minutes=3), "SPX old, 3m old"),
        (msgspec.structs.replace(SEEN, delayed=True), OPEN + timedelta(minutes=15), "SPX delayed, 15m old"),
        (msgspec.structs.replace(SEEN, source="simulated"), OPEN, "SIMULATED · SPX running, 0s old"),
        (None, OPEN, "SPX: no data"),
        (SEEN, datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), "SPX closed until Mon 09:35 New York"),
    ],
)
def test_the_line_names_ticker_state_and_age(seen, at, words):
    assert presence_text("SPX", seen, at, force=False) == words


def test_a_forced_feed_is_never_closed():
    saturday = datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK)
    assert presence_text("SPX", None, saturday, force=True) == "SPX: no data"


class Bot:
    def __init__(self):
        self.said = []

    def is_ready(self):
        return True

    def is_closed(self):
        return False

    async def change_presence(self, activity):
        self.said.append(activity.name)


async def test_it_is_said_three_times_a_minute_also_while_the_store_is_away():
    clock, bot, progressed = ManualClock(OPEN), Bot(), []

    async def latest(ticker):
        if len(bot.said) % 2:
            raise TransientError("Redis is away")
        return SEEN

    task = asyncio.create_task(
        Presence(bot, latest, "SPX", clock, force=False).run(lambda: progressed.append(clock.now()))
    )
    while len(bot.said) < 4:
        await asyncio.sleep(0)
    task.cancel()
    assert EVERY_S >= 60 / 5, "Discord takes five a minute"
    assert bot.said[:2] == ["SPX live, 0s old", "SPX: no data"]
    assert progressed[1] - progressed[0] == timedelta(seconds=EVERY_S)
