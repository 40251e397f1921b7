"""streaming/process/packed.py"""

import gzip

import pytest

from streaming.errors import ContractError
from streaming.process.packed import open_unpacked, unpack

BODY = b"x" * 900


def test_what_was_packed_comes_out():
    assert unpack(gzip.compress(BODY, mtime=0), most_bytes=900) == BODY


def test_a_small_body_that_would_be_huge_is_refused_before_it_is():
    with pytest.raises(ContractError, match="more than 1 MB"):
        unpack(gzip.compress(b"\0" * 50_000_000, mtime=0), most_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "said"), [(b"", "cut off"), (gzip.compress(BODY, mtime=0)[:-4], "cut off"), (b"no", "cannot")]
)
def test_what_is_no_whole_gzip_is_refused(body, said):
    with pytest.raises(ContractError, match=said):
        unpack(body, most_bytes=1000)


@pytest.mark.parametrize("stored", [BODY, gzip.compress(BODY, mtime=0), b""])
def test_a_file_is_opened_as_what_it_is(stored, tmp_path):
    path = tmp_path / "file.any"
    path.write_bytes(stored)
    with open_unpacked(path) as file:
        assert file.read() == (stored and BODY)


def test_members_that_follow_one_another_are_one_stream_within_one_bound():
    body = gzip.compress(BODY[:400], mtime=0) + gzip.compress(BODY[400:], mtime=0)
    assert unpack(body, most_bytes=900) == BODY
    with pytest.raises(ContractError, match="more than"):
        unpack(body, most_bytes=899)
