import asyncio
import math
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.choices import Style
from bot.feed.board import Board, BoardPlan
from bot.feed.channel import GoneMessageError
from bot.feed.illustration import Illustration
from bot.feed.ledger import LedgerAwayError, LedgerEntry
from bot.feed.pacing import AtOnce, Turn
from bot.feed.window import Slot
from streaming.bus.lease import LeaseLostError
from streaming.calendar import NEW_YORK
from streaming.clock import Clock, ShiftedClock, epoch_ms
from streaming.errors import OperatorError, RequestError, TransientError
from streaming.model import ReplayMark
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT, DictLedger, FakeChannel, Keeper, snapshot, without_colours
from tests.support.virtual_clock import VirtualClock

CHANNEL = 77


def snowflake(at: datetime) -> int:
    """An id that Discord would give then."""
    return (epoch_ms(at) - 1_420_070_400_000) << 22


class TimedChannel(FakeChannel):
    """Notes when it was asked for what."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.asked: list[tuple[str, float]] = []
        self._clock = clock

    async def _work(self, name: str) -> None:
        if name in {"send", "edit"}:
            self.asked.append((name, round(self._clock.monotonic() - 1000.0, 1)))
        await super()._work(name)


class Rig:
    """One board, its channel, and a process that can die and come back."""

    def __init__(self, start: datetime = OPEN_AT, **plan: object) -> None:
        self.clock = ManualClock(start)
        self.channel = FakeChannel()
        self.ledger = DictLedger()
        self.plan = BoardPlan(**plan)  # type: ignore[arg-type]
        self.told: list[str] = []
        self.leading = True
        self.slot = Slot(60)
        self.drawn = 0
        self.restart()
        self.feed()

    def restart(self) -> None:
        self.keeper = Keeper(CHANNEL, self.channel, self.ledger, self.clock)
        self.board = Board(
            CHANNEL,
            parse_ticker("NQ"),
            slot=self.slot,
            message=self.keeper.message,
            plan=self.plan,
            clock=self.clock,
            rng=random.Random(1),
            tell=self.told.append,
            still_ours=self._still_ours,
            wall_s=lambda: self.clock.now().timestamp(),
        )

    async def _still_ours(self) -> bool:
        return self.leading

    async def draw(self) -> Illustration:
        self.drawn += 1
        return Illustration(f"picture {self.drawn}".encode(), "what it shows")

    def illustrate(self, style: Style = "ansi") -> None:
        """From now on its messages have pictures."""
        self.plan = BoardPlan(draw=self.draw, style=style)
        self.restart()
        self.feed()

    def feed(self, **changes: object) -> None:
        self.slot.put(snapshot(self.clock.now(), **changes))

    def play(self, recorded: datetime, *, speed: float = 10.0, **changes: object) -> None:
        """A snapshot of `recorded` arrives from a replay."""
        mark = ReplayMark(of="schwab", speed=speed, sent_ms=epoch_ms(self.clock.now()))
        self.slot.put(snapshot(recorded, source="replay", replay=mark, **changes))

    async def play_on(self, begin: datetime, seconds: int, *, speed: float) -> None:
        """A replay from `begin` for so many real seconds, one snapshot and one beat a second."""
        for second in range(seconds):
            self.clock.advance(1.0)
            self.play(begin + timedelta(seconds=second * speed), speed=speed, spot=25000.0 + second)
            await self.step()

    async def step(self) -> None:
        """One beat, and what is done beside it."""
        await self.board.beat(self.clock.monotonic())
        await self.tidy()

    async def tidy(self) -> None:
        """What is done beside the beat, as a process does that has just read what is left to do."""
        if not self.keeper.chores.loaded:
            with suppress(LedgerAwayError):
                await self.keeper.chores.load()
        await self.board.tidy()
        await self.keeper.chores.work()

    async def beat(self, seconds: float = 1.0, **changes: object) -> None:
        """A second passes, a snapshot with another spot arrives, the board beats."""
        self.clock.advance(seconds)
        self.feed(**({"spot": 25000.0 + self.clock.monotonic() % 500} | changes))
        await self.step()

    async def run_for(self, seconds: float) -> None:
        """Run the board on the simulated clock, then stop it as a shutdown does."""
        task = asyncio.create_task(self.board.run())
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end and not task.done():
            self.feed(spot=25000.0 + self.clock.monotonic() % 500)
            await asyncio.sleep(0)
            await self.tidy()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    @property
    def message_session(self):
        return self.ledger.entries[CHANNEL].session

    @property
    def counters(self):
        return self.board.status().counters


async def test_the_first_beat_posts_and_the_next_ones_edit():
    rig = Rig()
    for _ in range(3):
        await rig.beat()
    assert rig.channel.deeds == ["send", "edit", "edit"]
    assert (rig.counters.posts, rig.counters.edits) == (1, 2)


async def test_a_text_that_did_not_change_is_not_sent():
    rig = Rig()
    await rig.beat(spot=1.0)
    await rig.step()
    assert rig.channel.deeds == ["send"]
    assert rig.counters.skips == 1


async def test_the_newest_snapshot_wins():
    rig = Rig()
    await rig.beat()
    for spot in (25001.0, 25002.0, 25003.0):
        rig.feed(spot=spot)
    await rig.step()
    assert "25003.00" in rig.channel.only
    assert rig.channel.deeds == ["send", "edit"]


async def test_edits_go_on_while_data_is_away_because_its_age_grows():
    rig = Rig()
    await rig.beat()
    for _ in range(40):
        rig.clock.advance(1)
        await rig.step()
    assert "old 40s" in rig.channel.only
    assert rig.counters.edits >= 35


async def test_without_any_data_the_board_says_that_it_waits():
    rig = Rig()
    rig.slot.latest = None
    await rig.step()
    assert "waiting for data from schwab" in rig.channel.only
    assert "since 09:40:00 New York" in rig.channel.only


async def test_a_mark_posts_anew_before_the_old_message_is_deleted():
    rig = Rig(OPEN_AT - timedelta(seconds=2))
    await rig.beat()
    old = rig.channel.log[0][1]
    await rig.beat()
    new = rig.channel.log[1][1]
    assert rig.channel.log == [("send", old), ("send", new), ("delete", old)]
    assert list(rig.channel.messages) == [new]
    assert rig.counters.reposts == 1


async def test_marks_come_every_refresh_minutes():
    rig = Rig(refresh_minutes=5)
    await rig.run_for(16 * 60)
    assert rig.counters.reposts == 3
    assert len(rig.channel.messages) == 1


async def test_without_marks_the_message_is_replaced_only_before_it_is_an_hour_old():
    rig = Rig(refresh_minutes=0)
    rig.channel._next_id = snowflake(OPEN_AT)
    await rig.run_for(54 * 60)
    assert rig.counters.reposts == 0
    rig.restart()
    rig.channel._next_id = snowflake(OPEN_AT + timedelta(minutes=55))
    await rig.run_for(3 * 60)
    assert rig.counters.reposts == 1
    assert len(rig.channel.messages) == 1


async def test_a_new_message_that_somebody_wants_comes_at_the_next_beat_and_marks_go_on():
    rig = Rig()
    await rig.beat()
    rig.board.repost()
    await rig.beat(6.0)
    assert rig.counters.reposts == 1
    await rig.beat(6.0)
    assert rig.counters.reposts == 1


async def test_the_rest_between_two_new_messages_is_over_when_a_board_wakes_for_the_second():
    """Of this moment and the one five seconds later, the difference is a little less than five."""
    rig = Rig()
    await rig.step()
    for wait_s in (20.6327594175783, 5.0):
        rig.clock.advance(wait_s)
        rig.board.repost()
        await rig.step()
    assert rig.counters.reposts == 2


async def test_beats_keep_their_cadence():
    rig = Rig()
    await rig.run_for(120)
    assert 118 <= rig.counters.updates <= 121
    assert rig.counters.missed == 0


async def test_a_source_of_the_same_pace_loses_no_beat_to_jitter():
    clock, slot, jitter = VirtualClock(OPEN_AT), Slot(60), random.Random(5)
    channel, board = board_in_virtual_time(clock, slot)
    slot.warmed()

    async def publish() -> None:
        for second in range(100):
            await clock.sleep(1000.0 + second + jitter.uniform(0.3, 0.7) - clock.monotonic())
            slot.put(snapshot(clock.now(), spot=25000.0 + second))

    task, source = asyncio.create_task(board.run()), asyncio.create_task(publish())
    await clock.run(lambda: clock.sleeping == 2 - source.done(), done=source.done)
    task.cancel()
    await asyncio.wait({task})
    assert len(channel.asked) >= 97


async def test_a_board_without_news_only_looks_now_and_then_what_time_does_to_its_text():
    clock, slot = VirtualClock(OPEN_AT), Slot(60)
    channel, board = board_in_virtual_time(clock, slot)
    slot.put(snapshot(clock.now(), delayed=True, asof_ms=epoch_ms(clock.now()) - 1_200_000))
    task = asyncio.create_task(board.run())
    await clock.run(lambda: clock.sleeping == 1, done=lambda: clock.monotonic() > 1120)
    task.cancel()
    await asyncio.wait({task})
    assert board.status().counters.updates <= 120 / 4 + 4
    assert "delayed" in channel.only or "stopped" in channel.only


async def test_live_figures_that_turn_old_are_said_so_at_once():
    clock, slot = VirtualClock(OPEN_AT), Slot(60)
    channel, board = board_in_virtual_time(clock, slot)
    slot.put(snapshot(clock.now()))
    task = asyncio.create_task(board.run())
    await clock.run(lambda: clock.sleeping == 1, done=lambda: len(channel.asked) == 2)
    assert channel.asked == [("send", 0.0), ("edit", 5.0)]
    assert "5s stale" in channel.only
    task.cancel()
    await asyncio.wait({task})


async def test_beats_that_pass_during_a_slow_edit_are_missed_not_made_up_for():
    rig = Rig()
    original = rig.channel.edit

    async def slow(message_id: int, content: str, _picture: Illustration | None = None) -> None:
        rig.clock.advance(3.5)
        await original(message_id, content)

    rig.channel.edit = slow  # type: ignore[method-assign]
    await rig.run_for(40)
    assert rig.counters.edits == pytest.approx(10, abs=2)
    assert rig.counters.missed == pytest.approx(30, abs=4)


async def test_a_message_deleted_by_a_person_is_posted_anew():
    rig = Rig()
    await rig.beat()
    rig.channel.messages.clear()
    for _ in range(2):
        await rig.beat()
    assert len(rig.channel.messages) == 1
    assert rig.counters.posts == 2
    assert rig.counters.errors == 0


async def test_the_days_last_message_keeps_its_figures_and_says_closed():
    rig = Rig(datetime(2026, 8, 20, 15, 59, 58, tzinfo=NEW_YORK))
    await rig.beat(spot=25123.25)
    for _ in range(3):
        await rig.beat(spot=25123.25)
    assert "25123.25" in rig.channel.only
    assert "closed 16:00 NY 20 Aug" in rig.channel.only
    deeds = list(rig.channel.deeds)
    await rig.beat(3600)
    assert rig.channel.deeds == deeds
    assert rig.board.status().reason == "after the close"


async def test_the_next_session_starts_a_message_of_its_own():
    rig = Rig(datetime(2026, 8, 20, 15, 59, 58, tzinfo=NEW_YORK))
    for _ in range(4):
        await rig.beat()
    first = rig.channel.only
    await rig.beat(17.6 * 3600)
    assert len(rig.channel.messages) == 2
    assert first in map(without_colours, rig.channel.messages.values())


async def test_nothing_is_posted_while_the_window_is_closed():
    rig = Rig(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK))
    await rig.beat()
    assert rig.channel.log == []
    assert (rig.board.status().state, rig.board.status().reason) == ("closed", "weekend")


async def test_force_opens_the_window_on_a_weekend():
    rig = Rig(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), force=True)
    await rig.beat()
    assert rig.channel.deeds == ["send"]


async def test_a_forced_board_closes_its_message_at_midnight_and_posts_the_next():
    rig = Rig(datetime(2026, 8, 20, 23, 59, 58, tzinfo=NEW_YORK), force=True)
    for _ in range(3):
        await rig.beat()
    old, new = rig.channel.messages.values()
    assert "closed" in old
    assert "live" in new


async def test_a_restart_adopts_the_message():
    rig = Rig()
    await rig.beat()
    rig.restart()
    await rig.beat()
    assert rig.channel.deeds == ["send", "edit"]


async def test_a_message_of_an_earlier_session_stops_saying_live_after_a_restart():
    rig = Rig()
    await rig.beat()
    rig.restart()
    await rig.beat(24 * 3600, spot=26000.0)
    yesterday, today = rig.channel.messages.values()
    assert "closed 16:00 NY 20 Aug" in yesterday
    assert "26000.00" not in yesterday, "today's figures are not yesterday's"
    assert "live" in today
    assert rig.channel.deeds == ["send", "edit", "send"]


async def test_a_restart_after_the_close_marks_the_last_message_closed_once_with_the_stored_figures():
    rig = Rig(datetime(2026, 8, 20, 15, 59, tzinfo=NEW_YORK))
    await rig.beat(spot=25123.25)
    rig.restart()
    rig.clock.advance(3600)
    for _ in range(3):
        await rig.step()
    assert "25123.25" in rig.channel.only
    assert "closed 15:59 NY 20 Aug" in rig.channel.only, "the figures are of that minute"
    assert rig.channel.deeds == ["send", "edit"]
    assert rig.ledger.entries[CHANNEL].closed


async def test_without_a_stored_snapshot_the_left_message_is_closed_without_figures():
    rig = Rig(datetime(2026, 8, 20, 15, 59, tzinfo=NEW_YORK))
    await rig.beat()
    rig.slot = Slot(60)
    rig.clock.advance(3 * 86_400)
    rig.restart()
    await rig.step()
    assert "live" in rig.channel.only, "the stored snapshots may not have been read yet"
    rig.clock.advance(20)
    for _ in range(2):
        await rig.step()
    assert "closed 16:00 NY 20 Aug" in rig.channel.only
    assert rig.channel.deeds == ["send", "edit"]
    assert rig.ledger.entries[CHANNEL].closed


async def test_a_message_that_said_goodbye_keeps_its_figures_when_the_next_run_is_another_day():
    rig = Rig()
    await rig.run_for(3)
    goodbye = rig.channel.only
    rig.restart()
    await rig.beat(24 * 3600)
    assert "feed stopped" in goodbye
    assert goodbye in map(without_colours, rig.channel.messages.values())


async def test_a_goodbye_counts_no_more_once_the_message_is_live_again():
    rig = Rig()
    await rig.run_for(3)
    rig.restart()
    await rig.beat()
    rig.restart()
    await rig.beat(24 * 3600)
    yesterday, _ = rig.channel.messages.values()
    assert "closed 16:00 NY 20 Aug" in yesterday


async def test_a_left_message_that_a_person_deleted_is_let_go():
    rig = Rig()
    await rig.beat()
    rig.channel.messages.clear()
    rig.restart()
    await rig.beat(24 * 3600)
    assert "live" in rig.channel.only


async def test_a_message_that_vanished_during_a_restart_is_posted_anew():
    rig = Rig()
    await rig.beat()
    rig.channel.messages.clear()
    rig.restart()
    for _ in range(2):
        await rig.beat()
    assert len(rig.channel.messages) == 1


async def test_missing_access_is_told_once_and_tried_again_slowly():
    rig = Rig()
    rig.channel.faults = [OperatorError("The bot may not post in channel 77.")] * 3
    for _ in range(100):
        await rig.beat()
    assert rig.told == ["The bot may not post in channel 77."]
    assert rig.board.status().state == "paused"
    for _ in range(200):
        await rig.beat()
    assert len(rig.channel.messages) == 1
    assert rig.board.status().state == "open"


async def test_a_transient_error_is_tried_again_soon_and_not_told():
    rig = Rig()
    rig.channel.faults = [TransientError("Discord answered 503.")]
    for _ in range(4):
        await rig.beat()
    assert len(rig.channel.messages) == 1
    assert rig.told == []
    assert rig.counters.errors == 1


async def test_discords_own_wish_for_a_pause_is_respected():
    rig = Rig()
    rig.channel.faults = [TransientError("Discord answered 429.", retry_after_s=20)]
    for _ in range(20):
        await rig.beat()
    assert rig.channel.log == []
    await rig.beat()
    await rig.beat()
    assert len(rig.channel.messages) == 1


async def test_a_refused_text_is_counted_and_the_board_lives_on():
    rig = Rig()
    await rig.beat()
    rig.channel.faults = [RequestError("Discord refuses a message.")]
    for _ in range(5):
        await rig.beat()
    assert rig.counters.last_error == "Discord refuses a message."
    assert rig.board.status().state == "open"


async def test_edits_go_on_while_the_ledger_is_away():
    rig = Rig(OPEN_AT - timedelta(seconds=5))
    await rig.beat()
    rig.ledger.away = True
    for _ in range(30):
        await rig.beat()
    assert rig.channel.deeds == ["send", *["edit"] * 30]
    rig.ledger.away = False
    for _ in range(8):
        await rig.beat()
    assert rig.counters.reposts == 1
    assert len(rig.channel.messages) == 1


async def test_nothing_is_posted_before_the_ledger_was_read():
    rig = Rig()
    rig.ledger.away = True
    for _ in range(10):
        await rig.beat()
    assert rig.channel.log == []
    rig.ledger.away = False
    for _ in range(70):
        await rig.beat()
    assert len(rig.channel.messages) == 1


async def test_a_stopped_board_says_so_and_is_adopted_later():
    rig = Rig()
    await rig.run_for(3)
    assert "feed stopped 09:40 NY 20 Aug" in rig.channel.only
    rig.restart()
    await rig.beat()
    assert "live" in rig.channel.only
    assert len(rig.channel.messages) == 1


async def test_a_board_that_is_no_longer_ours_is_not_written_to_at_the_end():
    rig = Rig()
    rig.leading = False
    await rig.run_for(3)
    assert "live" in rig.channel.only


async def test_the_first_beat_of_a_new_leader_edits_even_a_text_that_did_not_change():
    rig = Rig()
    await rig.beat()
    rig.restart()
    await rig.step()
    await rig.step()
    assert rig.channel.deeds == ["send", "edit"]


async def test_a_stop_lets_the_edit_in_flight_finish():
    rig = Rig()
    await rig.beat()
    rig.channel.delay_s = 0.05
    rig.feed(spot=25432.25)
    task = asyncio.create_task(rig.board.run())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "25432.25" in rig.channel.only
    assert rig.channel.deeds[-2:] == ["edit", "edit"]
    assert "feed stopped" in rig.channel.only


async def test_a_stop_ends_in_time_though_discord_hangs(monkeypatch):
    monkeypatch.setattr("bot.feed.board._FINISH_S", 0.05)
    monkeypatch.setattr("bot.feed.board._FAREWELL_S", 0.05)
    rig = Rig()
    await rig.beat()
    rig.channel.delay_s = 3600
    rig.feed(spot=25432.25)
    task = asyncio.create_task(rig.board.run())
    await asyncio.sleep(0.02)
    task.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert rig.channel.deeds == ["send"]


async def test_a_worn_out_message_is_replaced():
    from bot.feed.channel import WornMessageError

    rig = Rig()
    await rig.beat()
    rig.channel.faults = [WornMessageError("Too old.")]
    await rig.beat()
    assert rig.channel.deeds == ["send", "send", "delete"]
    assert len(rig.channel.messages) == 1


async def test_duplicates_of_an_earlier_session_are_removed_but_its_last_message_stays():
    rig = Rig()
    rig.channel.messages = {5: "a", 6: "b"}
    rig.ledger.entries[CHANNEL] = LedgerEntry(session="2026-08-19", message_id=6, superseded=(5,))
    await rig.beat()
    assert "closed 16:00 NY 19 Aug" in rig.channel.messages[6]
    assert 5 not in rig.channel.messages


FRIDAY = datetime(2026, 11, 20, 10, 2, 30, tzinfo=NEW_YORK)
SUNDAY = datetime(2026, 11, 22, 3, 0, tzinfo=NEW_YORK)


async def test_a_forced_board_shows_a_replay_at_any_hour_with_its_label():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(FRIDAY, 3, speed=10)
    assert rig.channel.deeds == ["send", "edit", "edit"]
    assert "REPLAY 20 Nov 2026 x10 · 10:02:50 NY" in rig.channel.only
    assert rig.message_session == "2026-11-20"


async def test_marks_follow_the_replayed_hour():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(FRIDAY, 60, speed=10)
    assert rig.counters.reposts == 2, "10:05 and 10:10 passed"
    assert len(rig.channel.messages) == 1


async def test_a_fast_replay_reposts_at_most_every_five_seconds():
    rig = Rig(SUNDAY, force=True, refresh_minutes=1)
    await rig.play_on(FRIDAY, 30, speed=300)
    assert 5 <= rig.counters.reposts <= 6
    assert rig.counters.edits >= 20


async def test_a_replay_that_begins_again_does_not_wait_for_the_marks_of_the_first_run():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(datetime(2026, 11, 20, 15, 0, tzinfo=NEW_YORK), 5, speed=10)
    await rig.play_on(FRIDAY, 20, speed=10)
    assert rig.counters.reposts == 1


async def test_a_replay_closes_with_its_session_and_under_its_label():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(datetime(2026, 11, 20, 15, 59, 0, tzinfo=NEW_YORK), 15, speed=10)
    assert "REPLAY 20 Nov 2026 x10" in rig.channel.only
    assert "replay · closed 16:00 NY 20 Nov" in rig.channel.only
    assert rig.board.status().reason == "after the close"


async def test_a_replay_recorded_in_the_evening_is_shown_and_not_closed():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(datetime(2026, 11, 20, 20, 0, tzinfo=NEW_YORK), 3, speed=10)
    assert rig.channel.deeds == ["send", "edit", "edit"]
    assert "REPLAY 20 Nov 2026" in rig.channel.only and "closed" not in rig.channel.only
    assert rig.board.status().reason == "open at any hour"


async def test_without_force_a_replay_shows_only_while_the_real_window_is_open():
    rig = Rig(SUNDAY)
    await rig.play_on(FRIDAY, 3, speed=10)
    assert rig.channel.log == []
    rig = Rig(datetime(2026, 11, 23, 11, 0, tzinfo=NEW_YORK))
    await rig.play_on(datetime(2026, 11, 20, 20, 0, tzinfo=NEW_YORK), 3, speed=10)
    assert "REPLAY 20 Nov 2026" in rig.channel.only
    assert rig.message_session == "2026-11-23"


async def test_a_replay_leaves_the_live_message_closed_with_live_figures_and_the_other_way_round():
    rig = Rig(datetime(2026, 11, 23, 11, 0, tzinfo=NEW_YORK), force=True)
    await rig.beat(spot=26111.0)
    await rig.play_on(FRIDAY, 3, speed=10)
    live, replay = map(without_colours, rig.channel.messages.values())
    assert "26111.00" in live and "closed 11:00 NY 23 Nov" in live and "REPLAY" not in live
    assert "25002.00" in replay and "REPLAY 20 Nov 2026" in replay
    await rig.beat(spot=26222.0)
    _, replay, live = map(without_colours, rig.channel.messages.values())
    assert "25002.00" in replay and "REPLAY 20 Nov 2026" in replay and "closed 10:0" in replay
    assert "26222.00" in live and "REPLAY" not in live
    assert rig.channel.deeds[-2:] == ["edit", "send"]


async def test_a_replay_that_died_is_old_and_does_not_run_into_the_evening():
    rig = Rig(SUNDAY, force=True)
    await rig.play_on(datetime(2026, 11, 20, 12, 0, tzinfo=NEW_YORK), 2, speed=60)
    for _ in range(400):
        rig.clock.advance(1)
        await rig.step()
    assert "old 6m" in rig.channel.only
    assert rig.board.status().state == "open"


MARK_IN_3_S = OPEN_AT - timedelta(seconds=3)
PASSING = TransientError("Discord answered 503.")


async def test_a_failing_delete_neither_freezes_the_new_message_nor_posts_again():
    rig = Rig(MARK_IN_3_S)
    await rig.beat()
    rig.channel.troubles["delete"] = PASSING
    for _ in range(50):
        await rig.beat()
    assert rig.channel.deeds.count("send") == 2
    assert rig.counters.edits >= 45
    assert rig.board.status().state == "open"
    rig.channel.troubles.clear()
    for _ in range(20):
        await rig.beat()
    assert len(rig.channel.messages) == 1


async def test_a_message_that_cannot_be_replaced_stays_current():
    rig = Rig(MARK_IN_3_S)
    await rig.beat()
    rig.channel.troubles["send"] = PASSING
    for _ in range(30):
        await rig.beat()
    assert rig.counters.edits >= 28
    rig.channel.troubles.clear()
    for _ in range(10):
        await rig.beat()
    assert rig.counters.reposts == 1
    assert len(rig.channel.messages) == 1


async def test_a_right_to_post_that_is_missing_is_told_once_while_edits_go_on():
    rig = Rig(MARK_IN_3_S)
    await rig.beat()
    rig.channel.troubles["send"] = OperatorError("The bot may not write in channel 77.")
    for _ in range(60):
        await rig.beat()
    assert rig.told == ["The bot may not write in channel 77."]
    assert rig.counters.edits >= 58
    rig.channel.troubles.clear()
    rig.board.wake()
    await rig.beat()
    assert rig.counters.reposts == 1
    assert rig.told[1:] == ["The board NQ_NDX in channel 77 works again."]


async def test_a_close_that_discord_does_not_take_is_retried_and_leaves_no_live_message():
    rig = Rig(datetime(2026, 8, 20, 15, 59, 57, tzinfo=NEW_YORK))
    await rig.beat(spot=25123.25)
    rig.channel.troubles["edit"] = PASSING
    for _ in range(10):
        await rig.beat(spot=25123.25)
    assert "live" in rig.channel.only
    rig.restart()
    rig.slot = Slot(60)
    rig.channel.troubles.clear()
    for _ in range(3):
        await rig.beat()
    assert "closed 16:00 NY 20 Aug" in rig.channel.only
    assert "25123.25" in rig.channel.only


async def test_a_false_unknown_message_leaves_nothing_behind():
    rig = Rig()
    await rig.beat()
    rig.channel.faults = [GoneMessageError("The message is no longer there.")] * 2
    for _ in range(10):
        await rig.beat()
    assert rig.channel.deeds.count("send") == 2
    assert len(rig.channel.messages) == 1


async def test_a_message_deleted_again_and_again_is_posted_ever_more_slowly_and_told_once():
    rig = Rig()
    for _ in range(75):
        await rig.beat()
        rig.channel.messages.clear()
    assert rig.channel.deeds.count("send") <= 4
    assert len(rig.told) == 1
    assert "keeps deleting" in rig.told[0]


async def test_a_board_that_waits_for_a_person_looks_after_15_30_and_60_seconds_and_at_once_when_woken():
    rig = Rig()
    asked = []

    async def refuse(content: str, *, nonce: str) -> int:
        asked.append(round(rig.clock.monotonic()) - 1001)
        raise OperatorError("The bot may not write in channel 77.")

    send, rig.channel.send = rig.channel.send, refuse  # type: ignore[method-assign]
    for _ in range(120):
        await rig.beat()
    assert asked == [0, 15, 45, 105]
    rig.channel.send = send  # type: ignore[method-assign]
    rig.board.wake()
    await rig.beat()
    assert len(rig.channel.messages) == 1


async def test_a_refusal_that_arrives_after_the_word_that_all_is_mended_is_looked_at_again_with_the_next_beat():
    rig = Rig()
    await rig.beat()
    edit = rig.channel.edit

    async def refuse_too_late(message_id: int, content: str, _picture: Illustration | None = None) -> None:
        rig.channel.edit = edit  # type: ignore[method-assign]
        rig.board.wake()
        raise OperatorError("The bot may not write in channel 77.")

    rig.channel.edit = refuse_too_late  # type: ignore[method-assign]
    await rig.beat()
    await rig.beat()
    assert rig.counters.edits == 1


async def test_a_board_that_lost_the_feed_ends_and_takes_back_what_it_posted():
    rig = Rig(MARK_IN_3_S)
    await rig.beat()
    rig.ledger.lost = True
    for _ in range(2):
        rig.clock.advance(1)
        rig.feed()
        with suppress(LeaseLostError):
            await rig.board.beat(rig.clock.monotonic())
    rig.clock.advance(1)
    with pytest.raises(LeaseLostError):
        await rig.board.beat(rig.clock.monotonic())
    assert rig.channel.deeds.count("send") == 1


async def test_a_new_leader_removes_a_live_board_that_the_ledger_does_not_know():
    rig = Rig()
    await rig.beat()
    rig.ledger.entries.clear()
    rig.restart()
    for _ in range(3):
        await rig.beat()
    assert len(rig.channel.messages) == 1
    assert rig.counters.posts == 1


async def test_the_growing_time_is_of_the_last_edit_and_renewed_while_figures_stand_still():
    rig = Rig(shows_age=True)
    await rig.beat()
    began_s = int(re.search(r"\n-# updated <t:(\d+):R>$", rig.channel.only)[1])
    assert began_s == int(rig.clock.now().timestamp())
    for second in range(110):
        if second == 70:
            before = rig.counters.edits  # until then the span of the changes was growing
        rig.clock.advance(1.0)
        rig.slot.put(msgspec.structs.replace(rig.slot.latest, asof_ms=rig.slot.latest.asof_ms + 1000))
        await rig.step()
    assert 2 <= rig.counters.edits - before <= 3, "every 15 s"
    await rig.beat(spot=26123.0)
    assert f"<t:{int(rig.clock.now().timestamp())}:R>" in rig.channel.only


async def test_without_the_setting_no_time_is_shown():
    rig = Rig()
    await rig.beat()
    assert "<t:" not in rig.channel.only


async def test_a_board_says_since_when_it_is_in_its_state():
    rig = Rig()
    await rig.beat()
    since = rig.board.status().since_at
    await rig.beat()
    assert rig.board.status().since_at == since
    rig.channel.faults = [TransientError("Discord answered 503.")] * 9
    await rig.beat(spot=26123.0)
    assert rig.board.status().state == "retrying"
    assert rig.board.status().since_at > since


async def test_a_message_that_a_deposed_process_wrote_over_is_written_anew_even_when_it_is_closed():
    rig = Rig(datetime(2026, 8, 20, 15, 59, 58, tzinfo=NEW_YORK))
    for _ in range(4):
        await rig.beat()
    closed = rig.channel.only
    (message_id,) = rig.channel.messages
    rig.channel.messages[message_id] = "live"
    rig.board.doubt()
    await rig.beat()
    assert rig.channel.only == closed


async def test_a_live_message_that_a_deposed_process_wrote_over_is_written_anew_although_nothing_changed():
    rig = Rig()
    await rig.beat()
    live = rig.channel.only
    (message_id,) = rig.channel.messages
    rig.channel.messages[message_id] = "older"
    rig.board.doubt()
    await rig.board.beat(rig.clock.monotonic())
    assert rig.channel.only == live


def board_in_virtual_time(clock: Clock, slot: Slot) -> tuple[TimedChannel, Board]:
    channel, rng = TimedChannel(clock), random.Random(1)
    message = Keeper(CHANNEL, channel, DictLedger(), clock).message
    ticker = parse_ticker("NQ")
    return channel, Board(
        CHANNEL, ticker, slot=slot, message=message, plan=BoardPlan(), clock=clock, rng=rng, tell=print
    )


async def deeds_of_a_board_that_waits(*, warm: bool = True) -> list[tuple[str, float]]:
    """What it does when its first snapshot comes after 0.3 s, and another one with every moment from then on."""
    clock, slot = VirtualClock(OPEN_AT), Slot(60)
    channel, board = board_in_virtual_time(clock, slot)
    slot.warm = warm

    async def publish() -> None:
        await clock.sleep(0.3)
        while True:
            slot.put(snapshot(clock.now(), spot=25000.0 + clock.monotonic()))
            await clock.sleep(0.05)

    task, source = asyncio.create_task(board.run()), asyncio.create_task(publish())
    await clock.run(lambda: clock.sleeping == 2, done=lambda: len(channel.asked) == 4)
    for each in (source, task):
        each.cancel()
        await asyncio.wait({each})
    return channel.asked[:4]


async def test_the_wait_is_said_at_once_and_the_first_figures_are_shown_as_they_come():
    assert await deeds_of_a_board_that_waits() == [("send", 0.0), ("edit", 0.3), ("edit", 1.3), ("edit", 2.3)]


async def test_nothing_is_said_before_what_is_stored_has_been_read():
    assert (await deeds_of_a_board_that_waits(warm=False))[0] == ("send", 0.3)


async def test_the_first_figures_are_shown_by_a_clock_that_never_stands_still():
    clock, slot = ShiftedClock(OPEN_AT), Slot(60)
    channel, board = board_in_virtual_time(clock, slot)
    slot.warm = True
    task = asyncio.create_task(board.run())
    async with asyncio.timeout(2.0):
        for deeds in (1, 2):
            while len(channel.asked) < deeds:
                await asyncio.sleep(0.005)
            slot.put(snapshot(clock.now()))
    task.cancel()
    await asyncio.wait({task})
    assert [deed for deed, _ in channel.asked[:2]] == ["send", "edit"]


async def test_each_new_message_gets_a_picture_with_the_edit_that_is_due():
    rig = Rig(OPEN_AT - timedelta(seconds=4))
    rig.illustrate()
    for _ in range(3):
        await rig.beat()
    first = rig.board.status().message_id
    assert rig.channel.pictures == {first: b"picture 1"}
    for _ in range(4):
        await rig.beat()
    second = rig.board.status().message_id
    assert second != first
    assert rig.channel.pictures[second] == b"picture 2"
    assert rig.drawn == 2
    counters = rig.board.status().counters
    assert (counters.posts, counters.reposts, counters.errors) == (1, 1, 0)


async def test_a_picture_that_discord_refuses_costs_no_message_and_no_edit():
    rig = Rig()
    rig.illustrate()
    rig.channel.troubles["picture"] = OperatorError("The bot lacks Attach Files.")
    for _ in range(4):
        await rig.beat()
    status = rig.board.status()
    assert (status.state, status.without_picture) == ("open", "The bot lacks Attach Files.")
    assert (status.counters.posts, status.counters.edits, rig.told) == (1, 3, [])


async def test_a_picture_is_tried_again_while_discord_is_away():
    rig = Rig()
    rig.illustrate()
    rig.channel.troubles["picture"] = TransientError("Discord is away.")
    await rig.beat()
    await rig.beat()
    assert rig.board.status().state == "retrying"
    rig.channel.troubles.clear()
    await rig.beat(10)
    assert list(rig.channel.pictures.values()) == [b"picture 1"]
    assert rig.board.status().without_picture is None


async def test_a_card_names_its_picture_in_every_later_text_also_the_last():
    rig = Rig()
    rig.illustrate("card")
    for _ in range(3):
        await rig.beat()
    (text,) = rig.channel.messages.values()
    assert text.endswith("::picture")
    rig.clock.advance(8 * 3600)
    await rig.step()
    (text,) = rig.channel.messages.values()
    assert "closed" in text
    assert text.endswith("::picture")


class NotedTurns(AtOnce):
    """Turns without waiting; notes what is asked for."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    @asynccontextmanager
    async def turn(
        self, channel_id: int, *, method: str, replaces: bool, within_s: float = math.inf
    ) -> AsyncIterator[Turn]:
        self.methods.append(method)
        async with super().turn(channel_id, method=method, replaces=replaces, within_s=within_s) as turn:
            yield turn


async def test_a_board_that_takes_a_message_over_waits_once_for_its_turn_to_edit_it():
    rig = Rig()
    await rig.beat()
    rig.restart()
    turns = rig.board._turns = NotedTurns()
    task = asyncio.create_task(rig.board.run())
    async with asyncio.timeout(5):
        while rig.channel.deeds[-1] != "edit":
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert turns.methods[0] == "PATCH"
