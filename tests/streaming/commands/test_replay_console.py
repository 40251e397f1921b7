import asyncio
import io
import os
import pty
import signal
from contextlib import suppress

from streaming.clock import epoch_ms
from streaming.commands.replay import pause_keys, progress_line, show_progress
from tests.support.recordings import BEGIN
from tests.support.waiting import until


class Player:
    market_ms = None
    played = 12
    ticks = 34
    paused = False


async def test_a_signal_pauses():
    toggled = []
    with pause_keys(lambda: toggled.append(1), io.StringIO()) as how:
        os.kill(os.getpid(), signal.SIGUSR1)
        await until(lambda: toggled == [1])
    assert how == f"`kill -USR1 {os.getpid()}` pauses and resumes it."


async def test_where_there_is_no_such_signal_it_says_how_it_ends(monkeypatch):
    monkeypatch.delattr(signal, "SIGUSR1")
    with pause_keys(lambda: None, io.StringIO()) as how:
        assert how == "Ctrl+C ends it."


async def test_space_and_enter_on_a_terminal_pause_and_the_terminal_is_left_as_it_was(monkeypatch):
    import termios

    ours, theirs = pty.openpty()
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    before, toggled = termios.tcgetattr(theirs), []
    with os.fdopen(theirs) as terminal:
        with pause_keys(lambda: toggled.append(1), terminal) as how:
            os.write(ours, b" x\r")
            await until(lambda: len(toggled) == 2)
        assert "Space or Enter" in how
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_the_line_says_the_recorded_hour_and_how_much_was_played():
    player = Player()
    assert progress_line(player) == "nothing played yet"
    player.market_ms = epoch_ms(BEGIN)
    assert progress_line(player) == "2026-11-20 10:29:55 New York · 12 snapshots · 34 ticks"
    player.paused = True
    assert progress_line(player).endswith(" · paused")


async def test_outside_a_terminal_lines_are_rare_and_whole(monkeypatch):
    monkeypatch.setattr("streaming.commands.replay._EVERY_S_IN_A_LOG", 0.01)
    out = io.StringIO()
    task = asyncio.create_task(show_progress(Player(), out))
    await until(lambda: out.getvalue().count("\n") >= 2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert set(out.getvalue().splitlines()) == {"nothing played yet"}
