from streaming.recording.record_lines import Gap, parse_line
from streaming.recording.recorder import LineBuffer

DAY = "2026-11-20"


def test_lines_are_handed_over_once_by_kind_and_day():
    buffer = LineBuffer()
    buffer.add("snapshots", DAY, b"1\n")
    buffer.add("ticks", DAY, b"2\n")
    buffer.add("snapshots", DAY, b"3\n")
    assert buffer.take(0, DAY) == {("snapshots", DAY): [b"1\n", b"3\n"], ("ticks", DAY): [b"2\n"]}
    assert buffer.take(0, DAY) == {}


def test_a_full_buffer_refuses_and_says_how_much_it_refused():
    buffer = LineBuffer(max_bytes=4)
    assert [buffer.add("snapshots", DAY, b"12") for _ in range(5)] == [True, True, False, False, False]
    assert buffer.crowded
    (lines,) = buffer.take(9, DAY).values()
    assert parse_line(lines[-1]).gap == Gap(of="snapshots", reason="the disk was too slow", lost=3)
    assert (buffer.gaps, buffer.lost, buffer.crowded) == (1, 3, False)


def test_a_gap_stands_where_the_kinds_last_line_went():
    buffer = LineBuffer()
    buffer.add("ticks", DAY, b"1\n")
    buffer.take(0, DAY)
    buffer.add_gap(5, "2031-01-01", Gap(of="ticks", reason="r"))
    buffer.add_gap(5, "2031-01-01", Gap(of="snapshots", reason="r"))
    assert list(buffer.take(6, DAY)) == [("ticks", DAY), ("snapshots", "2031-01-01")]
