import asyncio
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from streaming.bus import keys
from streaming.bus.codec import decode_snapshot
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.calendar import NEW_YORK
from streaming.clock import SystemClock
from streaming.errors import TransientError
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.history.keeper import DueDay, HistoryKeeper, HistoryOrder, close_in_child, due_days
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.recording_files import parts_in
from streaming.recording.writer import RecordWriter
from tests.support.history import DAY, path, recorded, session_of
from tests.support.snapshots import ASOF, snapshot
from tests.support.waiting import until

ISO = DAY.isoformat()


def new_york(hour, day=DAY):
    return datetime.combine(day, time.fromisoformat(hour), NEW_YORK)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (new_york("16:29"), []),
        (new_york("16:30"), [DueDay(ISO, is_over=False)]),
        (new_york("00:14", DAY + timedelta(days=1)), [DueDay(ISO, is_over=False)]),
        (new_york("00:15", DAY + timedelta(days=1)), [DueDay(ISO, is_over=True)]),
    ],
)
def test_a_session_is_due_half_an_hour_after_its_close_and_again_when_its_day_is_over(now, due):
    assert due_days({ISO: 7}, {}, now) == due


def test_a_closed_session_is_due_again_only_when_more_has_come():
    assert due_days({ISO: 7}, {ISO: 7}, new_york("17:00")) == []
    assert due_days({ISO: 8}, {ISO: 7}, new_york("17:00")) == [DueDay(ISO, is_over=False)]


def test_a_half_day_is_due_after_its_own_close_and_a_day_without_a_session_when_it_is_over():
    half_day, sunday = date(2026, 11, 27), date(2026, 11, 29)
    assert due_days({half_day.isoformat(): 1}, {}, new_york("13:30", half_day))
    assert not due_days({sunday.isoformat(): 1}, {}, new_york("23:59", sunday))
    assert due_days({sunday.isoformat(): 1}, {}, new_york("00:15", date(2026, 11, 30)))


def test_a_file_named_after_a_day_that_cannot_be_is_left_alone():
    assert due_days({"9999-99-99": 1}, {}, new_york("17:00")) == []


class HourClock(SystemClock):
    """Any hour at all; whoever sleeps long wakes at once."""

    def __init__(self, now):
        self.time = now

    def now(self):
        return self.time

    async def sleep(self, seconds):
        await asyncio.sleep(0.01)


class Closer:
    """Notes the days that it is told to close; fails as often as it is told."""

    def __init__(self, fails=0):
        self.days, self.fails = [], fails

    async def __call__(self, order, day):
        self.days.append(day)
        if len(self.days) <= self.fails:
            raise TransientError("No.")


def order(tmp_path, **changes):
    return HistoryOrder(**({"path": tmp_path, "max_mb": 100, "tickers": {"SPX"}} | changes))


@asynccontextmanager
async def keeping(redis, tmp_path, clock, closer, told):
    keeper = HistoryKeeper(redis, clock, order(tmp_path), tell=told.append, close_day=closer)
    task = asyncio.create_task(keeper.run(lambda: None))
    try:
        async with asyncio.timeout(5):
            while not task.done() and (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
                await asyncio.sleep(0.005)
        yield keeper
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_journal_has_the_levels_of_the_followed_market_once_for_each_quote_time(redis, tmp_path):
    store = SnapshotStore(redis)
    async with keeping(redis, tmp_path, HourClock(ASOF), Closer(), []) as keeper:
        first = snapshot()
        later = replace(snapshot(seq=2, spot=6401.0), asof_ms=first.asof_ms + 6000)
        for seen in (first, replace(first, seq=9), replace(later, source="simulated"), snapshot("NDX"), later):
            await store.put(seen)
        assert (keeper.status().state, keeper.status().days, keeper.status().last_day) == ("keeping", 0, None)
        await until(lambda: keeper.recorder.status().written_bytes and keeper.recorder.status().snapshots >= 2)
        await until(lambda: keeper.status().journal_bytes and keeper.status().last_write_at)
        assert (keeper.status().snapshots, keeper.status().journal_days) == (2, 1)
        assert await redis.hget(keys.HISTORY_METRICS, "state") == b"keeping"
    assert keeper.status().state == "stopped"
    found = [decode_snapshot(bytes(line.snapshot)) for line in read_parts(parts_in(tmp_path / "journal"), ReadCounts())]
    assert [(seen.ticker, seen.spot, seen.source) for seen in found] == [
        ("SPX", 6400.25, "test"),
        ("SPX", 6401.0, "test"),
    ]
    assert all(not seen.strikes and seen.scopes["full"].oi == first.scopes["full"].oi for seen in found)


async def test_a_session_is_closed_and_its_journal_goes_when_the_day_is_over(redis, tmp_path):
    recorded(tmp_path / "journal", session_of(path(("10:00", 6400.0), ("10:01", 6400.0))))
    clock, closer = HourClock(new_york("16:29")), Closer()
    async with keeping(redis, tmp_path, clock, closer, []):
        await asyncio.sleep(0.1)
        assert closer.days == []
        clock.time = new_york("16:31")
        await until(lambda: closer.days)
        await asyncio.sleep(0.1)
        assert closer.days == [ISO]
        assert parts_in(tmp_path / "journal")
        clock.time = new_york("00:15", DAY + timedelta(days=1))
        await until(lambda: not parts_in(tmp_path / "journal"))
        assert closer.days == [ISO, ISO]


async def test_a_closing_that_fails_is_tried_again_and_told_when_it_lasts(redis, tmp_path):
    recorded(tmp_path / "journal", session_of(path(("10:00", 6400.0), ("10:01", 6400.0))))
    closer, told = Closer(fails=4), []
    async with keeping(redis, tmp_path, HourClock(new_york("17:00")), closer, told):
        await until(lambda: len(closer.days) == 5)
    assert told == [f"The history of {ISO} could not be written: No."]
    assert parts_in(tmp_path / "journal")


async def test_its_status_tells_of_the_days_kept_and_of_what_is_wrong_until_it_is_over(redis, tmp_path):
    recorded(tmp_path / "journal", session_of(path(("10:00", 6400.0), ("10:01", 6400.0))))
    HistoryFiles(tmp_path).add_report(DayReport(ticker="NDX", day="2026-11-19"))
    closer = Closer(fails=1_000_000)
    async with keeping(redis, tmp_path, HourClock(new_york("17:00")), closer, []) as keeper:
        await until(lambda: keeper.status().last_error == f"{ISO} is not closed: No.")
        assert (keeper.status().days, keeper.status().last_day) == (1, "2026-11-19")
        closer.fails = 0
        await until(lambda: keeper.status().last_error is None)


async def test_it_stands_by_while_another_process_keeps_the_folder(redis, tmp_path):
    with RecordWriter(tmp_path / "journal", max_mb=1):
        keeper = HistoryKeeper(redis, HourClock(ASOF), order(tmp_path), tell=print, close_day=Closer())
        task = asyncio.create_task(keeper.run(lambda: None))
        await asyncio.sleep(0.1)
        assert not task.done()
        await until(lambda: keeper.status().state == "standby")
        assert keeper.status().last_error is None
    await until(lambda: keeper.recorder.status().state == "recording")
    task.cancel()
    await asyncio.wait({task})


async def test_a_day_is_closed_by_a_process_of_its_own(tmp_path):
    recorded(tmp_path / "journal", session_of(path(("09:30", 6400.0), ("16:00", 6400.0), step_s=600)))
    await close_in_child(order(tmp_path), ISO)
    files = HistoryFiles(tmp_path)
    assert files.parquet("levels", "SPX", ISO).exists()
    assert not files.parquet("curves", "SPX", ISO).exists()
    with files.alone(), pytest.raises(TransientError, match="Another process writes"):
        await close_in_child(order(tmp_path), ISO)


async def test_where_whole_snapshots_are_recorded_their_ladders_become_curves(tmp_path):
    spots = path(("09:30", 6400.0), ("09:31", 6400.0))
    recorded(tmp_path / "journal", session_of(spots))
    figures = {"full": replace(snapshot().scopes["full"], ladder=((6400.0, 1.0, 2.0),))}
    recorded(tmp_path / "recordings", session_of(spots, scopes=figures))
    await close_in_child(order(tmp_path, recordings=tmp_path / "recordings"), ISO)
    assert sorted(file.table for file in HistoryFiles(tmp_path).parquet_files()) == ["curves", "levels"]
