import gzip
import random

import pytest

from streaming.recording import writer
from streaming.recording.writer import cut_torn_end, pack

FIRST, SECOND = pack(b"first\n" * 50), pack(random.Random(1).randbytes(5000))


def cut(path, content):
    path.write_bytes(content)
    lost = cut_torn_end(path)
    assert path.stat().st_size == len(content) - lost
    return path.read_bytes()


def test_a_whole_part_stays_as_it_is(tmp_path):
    assert cut(tmp_path / "part", FIRST + SECOND) == FIRST + SECOND
    assert cut(tmp_path / "part", FIRST) == FIRST
    assert cut(tmp_path / "part", b"") == b""


def test_wherever_the_last_member_was_torn_the_ones_before_it_stay_whole(tmp_path):
    for length in range(1, len(SECOND), 7):
        kept = cut(tmp_path / "part", FIRST + SECOND[:length])
        assert kept == FIRST, length


@pytest.mark.parametrize("rubbish", [b"\0" * 4096, b"\xff" * 100, SECOND[:2000] + b"\0" * 500])
def test_what_a_power_cut_leaves_behind_the_members_goes(tmp_path, rubbish):
    assert cut(tmp_path / "part", FIRST + rubbish) == FIRST


def test_a_part_torn_in_its_first_member_becomes_empty(tmp_path):
    assert cut(tmp_path / "part", SECOND[:3000]) == b""


def test_a_member_longer_than_the_first_look_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_WINDOW", 64)
    assert cut(tmp_path / "part", FIRST + SECOND[:4000]) == FIRST
    assert cut(tmp_path / "part", FIRST + SECOND) == FIRST + SECOND


def test_a_file_of_another_program_is_left_alone(tmp_path):
    foreign = gzip.compress(b"x" * 100, mtime=12345)[:-3]
    assert cut(tmp_path / "part", foreign) == foreign


def test_members_are_plain_gzip():
    assert gzip.decompress(FIRST + pack(b"more")) == b"first\n" * 50 + b"more"
