"""Captured frames by the name of their file."""

from pathlib import Path


def captured(captured_data: Path, name: str) -> list[bytes]:
    """All frames of one file, such as `rth_2026-08-20_levelone_equities`."""
    return (captured_data / "schwab" / "stream" / f"{name}.jsonl").read_bytes().splitlines()


def all_captured(captured_data: Path) -> list[bytes]:
    """Every captured frame there is."""
    files = sorted((captured_data / "schwab" / "stream").glob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]
