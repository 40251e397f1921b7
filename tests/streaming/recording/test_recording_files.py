from datetime import date

import pytest

from streaming.errors import RequestError
from streaming.recording.recording_files import part_name, parts_in, parts_of


@pytest.fixture
def folder(tmp_path):
    for name in (
        part_name("snapshots", "2026-11-20", 2),
        part_name("snapshots", "2026-11-20", 1),
        part_name("ticks", "2026-11-20", 1),
        part_name("snapshots", "2026-11-19", 1),
        "recorder.lock",
        "notes.txt",
        "snapshots-2026-11-20.jsonl.gz",
    ):
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


def test_parts_come_by_day_kind_and_number(folder):
    found = [(part.day, part.kind, part.number) for part in parts_in(folder)]
    assert found == [
        ("2026-11-19", "snapshots", 1),
        ("2026-11-20", "snapshots", 1),
        ("2026-11-20", "snapshots", 2),
        ("2026-11-20", "ticks", 1),
    ]
    assert {part.size for part in parts_in(folder)} == {5}


def test_a_folder_stands_for_its_newest_day(folder):
    assert {part.day for part in parts_of(folder)} == {"2026-11-20"}
    assert [part.day for part in parts_of(folder, date(2026, 11, 19))] == ["2026-11-19"]


def test_a_file_stands_for_itself_whatever_its_name(folder):
    assert [part.path.name for part in parts_of(folder / "notes.txt")] == ["notes.txt"]
    assert [part.number for part in parts_of(folder / part_name("snapshots", "2026-11-20", 2))] == [2]


def test_a_day_that_was_not_recorded_is_answered_with_those_that_were(folder):
    with pytest.raises(RequestError) as caught:
        parts_of(folder, date(2026, 11, 18))
    assert "2026-11-18" in caught.value.sentence
    assert "2026-11-19, 2026-11-20" in caught.value.sentence


def test_a_place_without_recordings_is_named(tmp_path):
    with pytest.raises(RequestError, match="holds no recording"):
        parts_of(tmp_path)
    with pytest.raises(RequestError, match="cannot be read"):
        parts_of(tmp_path / "none")
