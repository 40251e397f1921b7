"""streaming/process/freed_memory.py: glibc is asked, and nobody else minds."""

import asyncio
import ctypes
from types import SimpleNamespace

import pytest

from streaming.process.freed_memory import give_back_freed, map_large_blocks
from tests.support.clock import ManualClock


@pytest.fixture
def asked(monkeypatch):
    """What glibc is asked for."""
    found = []
    library = SimpleNamespace(
        mallopt=lambda *words: found.append(("mallopt", *words)),
        malloc_trim=lambda *words: found.append(("malloc_trim", *words)),
    )
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    return found


def test_the_c_library_is_told_where_a_large_block_begins(asked):
    map_large_blocks()
    assert asked == [("mallopt", -3, 131_072)]


async def test_free_pages_are_given_back_once_a_minute(asked):
    clock, beats = ManualClock(), []

    def beat():
        beats.append(clock.monotonic())
        if len(beats) == 3:
            job.cancel()

    job = asyncio.create_task(give_back_freed(clock, beat))
    await asyncio.wait({job})
    assert beats == [1060.0, 1120.0, 1180.0]
    assert asked == [("malloc_trim", 0)] * 3


@pytest.mark.parametrize(
    "library", [lambda _name: SimpleNamespace(), lambda name: "/" in name], ids=["musl", "Windows"]
)
def test_where_there_is_no_glibc_nothing_is_asked(monkeypatch, library):
    monkeypatch.setattr(ctypes, "CDLL", library)
    map_large_blocks()
