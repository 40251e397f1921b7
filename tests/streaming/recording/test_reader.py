import gzip

import pytest

from streaming.errors import RequestError
from streaming.recording.reader import LONGEST_LINE, ReadCounts, read_parts
from streaming.recording.record_lines import snapshot_line, tick_line
from streaming.recording.recording_files import part_name, parts_in, parts_of

DAY = "2026-11-20"


def put(folder, kind, number, *lines, cut=0):
    content = gzip.compress(b"".join(lines))
    (folder / part_name(kind, DAY, number)).write_bytes(content[: len(content) - cut])


def read(folder):
    counts = ReadCounts()
    return [line.at for line in read_parts(parts_in(folder), counts)], counts


def test_snapshots_and_ticks_come_in_the_order_of_their_arrival(tmp_path):
    put(tmp_path, "snapshots", 1, snapshot_line(1, b"{}"), snapshot_line(4, b"{}"))
    put(tmp_path, "snapshots", 2, snapshot_line(6, b"{}"))
    put(tmp_path, "ticks", 1, tick_line(2, "2-0", b"{}"), tick_line(5, "5-0", b"{}"))
    assert read(tmp_path) == ([1, 2, 4, 5, 6], ReadCounts(lines=5))


def test_a_torn_end_costs_its_last_lines_only(tmp_path):
    lines = [snapshot_line(n, b'{"n":"%d"}' % (n * 7919)) for n in range(200)]
    put(tmp_path, "snapshots", 1, *lines, cut=60)
    put(tmp_path, "snapshots", 2, snapshot_line(1000, b"{}"))
    found, counts = read(tmp_path)
    assert found[-1] == 1000
    assert found[:-1] == list(range(len(found) - 1))
    assert 100 < len(found) < 201
    assert counts.torn == 1


@pytest.mark.parametrize("content", [b"", b"\x1f", b"\x1f\x8b", b"\x1f\x8bnonsense", gzip.compress(b"", mtime=0)])
def test_a_part_without_anything_is_passed_over(tmp_path, content):
    (tmp_path / part_name("snapshots", DAY, 1)).write_bytes(content)
    put(tmp_path, "snapshots", 2, snapshot_line(3, b"{}"))
    assert read(tmp_path)[0] == [3]


def test_foreign_lines_are_counted(tmp_path):
    put(tmp_path, "snapshots", 1, b"hello\n", snapshot_line(3, b"{}"))
    found, counts = read(tmp_path)
    assert (found, counts.foreign) == ([3], 1)


def test_a_tick_that_a_restart_wrote_again_comes_once(tmp_path):
    put(tmp_path, "ticks", 1, *(tick_line(n, f"{n}-0", b"{}") for n in (1, 2, 3)))
    put(tmp_path, "ticks", 2, *(tick_line(n + 10, f"{n}-0", b"{}") for n in (2, 3, 4)))
    assert read(tmp_path)[0] == [1, 2, 3, 14]


def test_an_unpacked_recording_is_read_too(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(snapshot_line(5, b"{}"))
    assert [line.at for line in read_parts(parts_of(path), ReadCounts())] == [5]


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    put(tmp_path, "snapshots", 1, snapshot_line(3, b"{}"))
    parts = parts_in(tmp_path)
    parts[0].path.unlink()
    with pytest.raises(RequestError, match="cannot be read"):
        list(read_parts(parts, ReadCounts()))


def test_a_line_without_end_is_foreign_and_never_held_whole(tmp_path):
    put(tmp_path, "snapshots", 1, b" " * (LONGEST_LINE * 2 + 5), b"\n", snapshot_line(3, b"{}"))
    found, counts = read(tmp_path)
    assert (found, counts.foreign) == ([3], 3)
