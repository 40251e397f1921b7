from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streaming.recording.recording_files import Part
from streaming.recording.writer import clearance


def part(day, size, number=1, kind="snapshots"):
    return Part(f"2026-11-{day:02d}", kind, number, Path(f"{kind}{day}.{number}"), size)


def days(found):
    return sorted({part.day[-2:] for part in found.remove})


def test_what_fits_stays():
    assert clearance([part(1, 50), part(2, 50)], room_bytes=100, keep={"2026-11-02"}).remove == ()


def test_the_oldest_whole_days_go_first():
    parts = [part(1, 10), part(1, 40, kind="ticks"), part(2, 30), part(2, 30, 2), part(3, 30)]
    found = clearance(parts, room_bytes=95, keep={"2026-11-03"})
    assert (days(found), found.left_bytes) == (["01"], 90)
    found = clearance(parts, room_bytes=80, keep={"2026-11-03"})
    assert (days(found), len(found.remove), found.left_bytes) == (["01", "02"], 4, 30)


def test_the_days_to_keep_stay_though_they_do_not_fit():
    found = clearance([part(1, 10), part(2, 500)], room_bytes=100, keep={"2026-11-02"})
    assert (days(found), found.left_bytes) == (["01"], 500)


@given(st.lists(st.builds(part, st.integers(1, 9), st.integers(0, 100)), max_size=20), st.integers(0, 500))
def test_no_day_is_removed_in_part_and_none_without_need(parts, room):
    found = clearance(parts, room_bytes=room, keep={"2026-11-09"})
    kept_days = {part.day for part in parts} - {part.day for part in found.remove}
    kept = sum(part.size for part in parts if part.day in kept_days)
    assert found.left_bytes == kept
    assert kept <= room or kept_days <= {"2026-11-09"}
    newest_removed = max((part.day for part in found.remove), default=None)
    if newest_removed is not None:
        back = sum(part.size for part in parts if part.day == newest_removed)
        assert kept + back > room
