"""streaming/process/large_blocks.py: glibc is told, and nobody else minds."""

import ctypes
from types import SimpleNamespace

from streaming.process.large_blocks import give_back_large_blocks


def test_the_c_library_is_told_where_a_large_block_begins(monkeypatch):
    told = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(mallopt=lambda *words: told.append(words)))
    give_back_large_blocks()
    assert told == [(-3, 131_072)]


def test_a_c_library_of_another_make_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    give_back_large_blocks()


def test_so_is_a_system_without_one(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: "/" in name)
    give_back_large_blocks()
