import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streaming.process import framing
from streaming.process.framing import FrameReader, be_polite, frame, header


@contextmanager
def pipe_with(content: bytes) -> Iterator[tuple[FrameReader, int]]:
    """A reader of a pipe with something in it, and the pipe's other end."""
    inlet, outlet = os.pipe()
    os.write(outlet, content)
    try:
        yield FrameReader(inlet), outlet
    finally:
        os.close(inlet)


def test_frames_come_back_one_by_one():
    with pipe_with(frame(b"one") + frame(b"") + header(b"three") + b"three") as (reader, outlet):
        os.close(outlet)
        assert [reader.read() for _ in range(4)] == [b"one", b"", b"three", None]


def test_frames_come_back_where_the_system_only_reads_into_memory_of_its_own(monkeypatch):
    monkeypatch.delattr(os, "readv")
    with pipe_with(frame(b"one") + frame(b"two")) as (reader, outlet):
        os.close(outlet)
        assert [reader.read() for _ in range(3)] == [b"one", b"two", None]


def test_a_system_without_degrees_of_politeness_has_none(monkeypatch):
    monkeypatch.delattr(os, "nice")
    be_polite(5)


def test_a_pipe_that_closes_in_the_middle_is_the_end():
    whole = frame(b"something")
    for cut in range(len(whole)):
        with pipe_with(whole[:cut]) as (reader, outlet):
            os.close(outlet)
            assert reader.read() is None


def test_whether_something_waits_is_known_without_reading_it():
    with pipe_with(frame(b"one") + frame(b"two")) as (reader, outlet):
        assert reader.is_waiting()
        assert reader.read() == b"one"
        assert reader.is_waiting()
        assert reader.read() == b"two"
        assert not reader.is_waiting()
        os.close(outlet)
        assert reader.is_waiting(), "the end is news too"


def test_what_is_too_large_is_not_sent(monkeypatch):
    monkeypatch.setattr(framing, "MOST_BYTES", 3)
    assert frame(b"abc")
    with pytest.raises(ValueError, match="4 bytes"):
        frame(b"abcd")
