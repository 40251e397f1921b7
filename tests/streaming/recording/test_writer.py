import asyncio
import errno
import os
import random
import stat
import subprocess

import pytest

from streaming.errors import OperatorError
from streaming.recording.recording_files import part_name, parts_in
from streaming.recording.writer import RecordWriter
from tests.support.other_process import line_of, python_process

DAY = "2026-11-20"
SNAPSHOTS = ("snapshots", DAY)

CHILD = """
import sys, itertools
from pathlib import Path
from streaming.recording.writer import RecordWriter
first = int(sys.argv[2])
with RecordWriter(Path(sys.argv[1]), max_mb=1000) as writer:
    for number in itertools.count(first, 5):
        made = range(number, number + 5)
        lines = [b'{"at":%d,"gap":{"of":"ticks","reason":"' % n + b"x" * 3000 + b'"}}\\n' for n in made]
        writer.write({("snapshots", "2026-11-20"): lines})
        print(number + 4, flush=True)
"""


def zcat(folder, *, kind="snapshots", day=DAY):
    """What `zcat` makes of every part, as lines without the newline."""
    paths = [str(part.path) for part in parts_in(folder) if (part.kind, part.day) == (kind, day)]
    return subprocess.run(["zcat", *paths], check=False, capture_output=True).stdout.splitlines()


def open_writer(folder, max_mb=100):
    return RecordWriter(folder, max_mb=max_mb)


def test_what_was_written_is_read_with_zcat_in_order(tmp_path):
    with open_writer(tmp_path) as writer:
        for number in range(5):
            writer.write({SNAPSHOTS: [b"%d\n" % number, b"again\n"]})
    assert zcat(tmp_path) == [word for n in range(5) for word in (b"%d" % n, b"again")]


def test_each_day_and_kind_has_files_of_its_own(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write({SNAPSHOTS: [b"1\n"], ("ticks", DAY): [b"2\n"], ("snapshots", "2026-11-21"): [b"3\n"]})
        writer.write({SNAPSHOTS: [b"late\n"]})
    assert [part.path.name for part in parts_in(tmp_path)] == [
        part_name("snapshots", DAY, 1),
        part_name("ticks", DAY, 1),
        part_name("snapshots", "2026-11-21", 1),
    ]
    assert zcat(tmp_path) == [b"1", b"late"]


def test_a_restart_begins_the_next_part_and_leaves_the_old_one_alone(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write({SNAPSHOTS: [b"1\n"]})
    first = tmp_path / part_name("snapshots", DAY, 1)
    before = first.read_bytes(), first.stat().st_mtime_ns
    with open_writer(tmp_path) as writer:
        writer.write({SNAPSHOTS: [b"2\n"]})
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before
    assert zcat(tmp_path) == [b"1", b"2"]


def test_files_and_folder_are_private(tmp_path):
    folder = tmp_path / "new" / "recordings"
    with open_writer(folder) as writer:
        writer.write({SNAPSHOTS: [b"1\n"]})
        writer.save_position(b"{}")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    with open_writer(tmp_path), pytest.raises(OperatorError) as caught, open_writer(tmp_path):
        pass
    assert f"({os.getpid()})" in caught.value.sentence
    assert "GEX_RECORD_PATH" in caught.value.sentence
    with open_writer(tmp_path):
        pass


def test_a_place_that_cannot_be_written_is_named_with_the_setting(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatorError, match="failed: File exists") as caught, open_writer(tmp_path / "file"):
        pass
    assert "GEX_RECORD_PATH" in caught.value.remedy


def some_bytes(megabytes):
    return [random.Random(1).randbytes(int(megabytes * 1_000_000)) + b"\n"]


def test_old_days_go_before_the_bound_is_passed(tmp_path):
    with open_writer(tmp_path, max_mb=2) as writer:
        for day in ("2026-11-17", "2026-11-18", "2026-11-19", DAY):
            writer.write({("snapshots", day): some_bytes(0.6)})
            assert sum(part.size for part in parts_in(tmp_path)) <= 2_000_000
        assert writer.total_bytes == sum(part.size for part in parts_in(tmp_path))
    assert {part.day for part in parts_in(tmp_path)} == {"2026-11-18", "2026-11-19", DAY}


def test_a_day_that_fills_the_bound_alone_stops_the_recording_with_the_remedy(tmp_path):
    with open_writer(tmp_path, max_mb=1) as writer:
        writer.write({("snapshots", "2026-11-19"): some_bytes(0.3)})
        writer.write({SNAPSHOTS: some_bytes(0.6)})
        with pytest.raises(OperatorError, match="today alone fills the 1 MB") as caught:
            writer.write({SNAPSHOTS: some_bytes(0.6)})
    assert "GEX_RECORD_MAX_MB" in caught.value.remedy
    assert {part.day for part in parts_in(tmp_path)} == {DAY}, "what was recorded today stays"


def test_today_is_kept_while_late_lines_of_another_day_are_written(tmp_path):
    with open_writer(tmp_path, max_mb=1) as writer:
        writer.write({SNAPSHOTS: some_bytes(0.6)}, today=[DAY])
        with pytest.raises(OperatorError):
            writer.write({("snapshots", "2026-11-21"): some_bytes(0.6)}, today=[DAY])
    assert [part.day for part in parts_in(tmp_path)] == [DAY]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk under .* is full"), (errno.EIO, "failed: Input/output error")]
)
def test_a_disk_that_refuses_in_the_middle_leaves_whole_members(tmp_path, monkeypatch, number, words):
    with open_writer(tmp_path) as writer:
        writer.write({SNAPSHOTS: [b"1\n"]})
        real = os.write

        def half(handle, data):
            monkeypatch.setattr(os, "write", refuse)
            return real(handle, data[: len(data) // 2])

        def refuse(_handle, _data):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(OperatorError, match=words) as caught:
            writer.write({SNAPSHOTS: [b"2" * 1000 + b"\n"]})
        monkeypatch.setattr(os, "write", real)
        assert "GEX_RECORD_PATH" in caught.value.remedy
    assert zcat(tmp_path) == [b"1"]
    subprocess.run(["gzip", "-t", tmp_path / part_name("snapshots", DAY, 1)], check=True)


def test_the_place_in_the_tick_stream_is_kept_for_the_next_run(tmp_path):
    with open_writer(tmp_path) as writer:
        assert writer.position() is None
        writer.save_position(b"first")
        writer.save_position(b"second")
    with open_writer(tmp_path) as writer:
        assert writer.position() == b"second"


async def test_twenty_five_kills_lose_nothing_that_was_acknowledged_and_damage_nothing(tmp_path):
    rng = random.Random(25)
    following = 0
    for _ in range(25):
        async with python_process(CHILD, str(tmp_path), str(following)) as process:
            said = await line_of(process)
            await asyncio.sleep(rng.uniform(0.0, 0.03))
            process.kill()
            rest = (await process.stdout.read()).split()
            acknowledged = int(rest[-1] if rest else said)
        numbers = [int(line.partition(b",")[0].removeprefix(b'{"at":')) for line in zcat(tmp_path)]
        assert numbers == sorted(set(numbers)), "each once, in order"
        assert set(range(acknowledged + 1)) <= set(numbers)
        following = numbers[-1] + 1
    assert [part.number for part in parts_in(tmp_path)] == list(range(1, 26))


def test_a_torn_member_costs_nothing_before_it_nor_in_the_next_part(tmp_path):
    rng = random.Random(3)
    for number in range(20):
        with open_writer(tmp_path) as writer:
            writer.write({SNAPSHOTS: [b"%d\n" % number]})
            writer.write({SNAPSHOTS: [b"torn" * 2000 + b"%d" % number + b"\n"]})
        path = tmp_path / part_name("snapshots", DAY, number + 1)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - rng.randint(1, 40))
    with open_writer(tmp_path):
        pass
    assert zcat(tmp_path) == [b"%d" % number for number in range(20)]


def test_parts_that_have_not_grown_are_removed_and_a_later_line_begins_the_next(tmp_path):
    with open_writer(tmp_path) as writer:
        writer.write({SNAPSHOTS: [b"1\n"], ("snapshots", "2026-11-19"): [b"0\n"]})
        looked_at = parts_in(tmp_path)
        writer.write({SNAPSHOTS: [b"2\n"]})
        writer.remove(looked_at)
        assert [part.day for part in parts_in(tmp_path)] == [DAY]
        assert writer.total_bytes == sum(part.size for part in parts_in(tmp_path))
        writer.write({("snapshots", "2026-11-19"): [b"late\n"]})
    assert zcat(tmp_path, day="2026-11-19") == [b"late"]


def test_the_settings_in_a_remedy_are_those_of_its_owner(tmp_path):
    with (
        open_writer(tmp_path),
        pytest.raises(OperatorError) as caught,
        RecordWriter(tmp_path, max_mb=1, settings="GEX_HISTORY"),
    ):
        pass
    assert "GEX_HISTORY_PATH" in caught.value.remedy
