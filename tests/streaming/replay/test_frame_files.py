import gzip

import pytest

from streaming.errors import RequestError
from streaming.model import Level2Event, TickEvent
from streaming.replay.frame_files import replay_frames
from tests.data_builders.frames import as_file, equities, nasdaq_book, one_per_service, options
from tests.support.clock import ManualClock
from tests.support.frames import data_frame


class Sink:
    def __init__(self):
        self.events = []

    def publish(self, events):
        self.events += events


class SleepingClock(ManualClock):
    def __init__(self):
        super().__init__()
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await super().sleep(seconds)


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def clock():
    return SleepingClock()


@pytest.fixture
def recorded(tmp_path):
    """Writes frames as a recording."""

    def write(frames):
        path = tmp_path / "frames.jsonl"
        path.write_bytes(as_file(frames))
        return path

    return write


async def test_frames_become_merged_events(recorded, sink, clock):
    report = await replay_frames(recorded(equities()), speed=0, sink=sink, clock=clock)
    assert (report.lines, report.frames, report.events, report.malformed) == (3, 3, 9, 0)
    spy = [event for event in sink.events if event.symbol == "SPY"]
    assert [(event.bid, event.ask, event.last) for event in spy] == [
        (766.8, 766.9, 766.85),
        (766.8, 767.0, 766.85),
        (766.7, 767.0, 766.75),
    ]
    assert {event.source for event in sink.events} == {"replay"}


async def test_a_replay_keeps_the_pace_of_the_recording(recorded, sink, clock):
    await replay_frames(recorded(equities()), speed=2.0, sink=sink, clock=clock)
    assert clock.slept == pytest.approx([0.0, 1.003 / 2, 1.003 / 2])


async def test_speed_zero_never_pauses(recorded, sink, clock):
    await replay_frames(recorded(one_per_service()), speed=0, sink=sink, clock=clock)
    assert sum(clock.slept) == 0.0


async def test_long_gaps_are_cut_short(recorded, sink, clock):
    report = await replay_frames(recorded(one_per_service()), speed=1.0, sink=sink, clock=clock)
    assert report.frames == len(one_per_service())
    assert max(clock.slept) == 10.0


async def test_only_market_events_are_published(recorded, sink, clock):
    report = await replay_frames(recorded(options()), speed=0, sink=sink, clock=clock)
    assert [type(event) for event in sink.events] == [TickEvent, TickEvent]
    assert report.events == 2


async def test_books_are_replayed(recorded, sink, clock):
    await replay_frames(recorded(nasdaq_book()), speed=0, sink=sink, clock=clock)
    assert [(type(event), event.symbol) for event in sink.events] == [(Level2Event, "QQQ"), (Level2Event, "SPY")]


async def test_malformed_lines_are_counted_and_passed_over(tmp_path, sink, clock):
    path = tmp_path / "mixed.jsonl"
    good = data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": False, "3": 5.0})
    path.write_bytes(b"\n".join([good, b"nonsense", b"", b"[1]", good]) + b"\n")
    report = await replay_frames(path, speed=0, sink=sink, clock=clock)
    assert (report.lines, report.frames, report.events) == (5, 2, 2)
    assert (report.malformed, report.first_malformed) == (2, 2)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"one\ntwo\n", b"\x00\xff" * 50])
async def test_a_file_without_a_frame_is_named_with_its_lines(tmp_path, sink, clock, content):
    path = tmp_path / "rubbish.jsonl"
    path.write_bytes(content)
    with pytest.raises(RequestError) as caught:
        await replay_frames(path, speed=0, sink=sink, clock=clock)
    assert "rubbish.jsonl" in caught.value.sentence
    assert f"{len(content.splitlines(keepends=True)) if content else 0} lines" in caught.value.sentence


async def test_gzip_is_read_as_it_is(tmp_path, sink, clock):
    path = tmp_path / "frames.jsonl.gz"
    path.write_bytes(gzip.compress(as_file(equities())))
    assert (await replay_frames(path, speed=0, sink=sink, clock=clock)).events == 9


async def test_a_file_that_cannot_be_read_is_named(tmp_path, sink, clock):
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(b"x" * 1000)[:20])
    for path in (tmp_path / "none.jsonl", tmp_path, damaged):
        with pytest.raises(RequestError, match="cannot be read"):
            await replay_frames(path, speed=0, sink=sink, clock=clock)


async def test_a_replay_cannot_run_backwards(tmp_path, sink, clock):
    with pytest.raises(RequestError, match="backwards"):
        await replay_frames(tmp_path, speed=-1, sink=sink, clock=clock)


async def test_a_foreign_file_of_many_lines_does_not_fill_the_log(tmp_path, sink, clock, caplog):
    path = tmp_path / "foreign.jsonl"
    path.write_text("nonsense\n" * 100)
    with pytest.raises(RequestError, match="holds no frame"):
        await replay_frames(path, speed=0, sink=sink, clock=clock)
    assert len(caplog.records) == 7


async def test_a_line_without_end_is_refused_before_it_is_read_whole(tmp_path, sink, clock, monkeypatch):
    monkeypatch.setattr("streaming.replay.frame_files._LONGEST_LINE", 1 << 20)
    path = tmp_path / "endless.jsonl"
    path.write_bytes(b"x" * (3 << 20))
    with pytest.raises(RequestError, match="a line of more than 1 MB"):
        await replay_frames(path, speed=0, sink=sink, clock=clock)
