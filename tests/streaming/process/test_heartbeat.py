import asyncio
import socket

import pytest

from streaming.process.heartbeat import Heartbeat, tell_systemd
from tests.support.clock import ManualClock


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
    heartbeat = Heartbeat(ManualClock(), address)
    heartbeat.mark(False)
    assert heard(listener) == []
    for connected in (True, True, False, True):
        heartbeat.mark(connected)
    assert heard(listener) == ["READY=1"]


def test_stopping_is_told(systemd):
    listener, address = systemd
    Heartbeat(ManualClock(), address).stopping()
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

    heartbeat = Heartbeat(LateClock(), address)
    done = asyncio.Event()
    beats = []

    def progress():
        beats.append(True)
        if len(beats) == 3:
            done.set()

    task = asyncio.create_task(heartbeat.beat(progress))
    await done.wait()
    task.cancel()
    assert heartbeat.worst_lag_ms == pytest.approx(2500)
    assert heard(listener) == ["WATCHDOG=1"] * 3
    assert "held for 2.5 s" in caplog.text


async def test_a_heart_that_has_not_beaten_for_fifteen_seconds_is_not_alive():
    clock = ManualClock()
    heartbeat = Heartbeat(clock, None)
    assert heartbeat.beats
    await clock.sleep(15.0)
    assert not heartbeat.beats
    task = asyncio.create_task(heartbeat.beat(lambda: task.cancel()))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heartbeat.beats
