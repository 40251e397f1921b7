"""What benchmarks run on: captured files where they lie beside the project, else made ones of the same size.

The first line that a benchmark prints is `said`; where the interpreter matters, the next one names it.
"""

import gzip
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.data_builders.chains import WHOLE, whole_market
from tests.data_builders.frames import equities, nasdaq_book, nyse_book
from tests.data_builders.shapes import cboe_table
from tests.support.captured import CAPTURED

_CLOCK = '"Date: January 7, 2024 at 10:52 AM EST",Bid: 0,Ask: 0,Size: 1*1,Volume: 0'
_SPOTS = {"SPX": 4697.25, "NDX": 16305.5}
_MADE_UP = "made up by tests/data_builders, for no captured files lie beside the project"


def interpreter() -> str:
    """What runs the benchmark: an interpreter built without profiles is 1.14 to 1.23 times slower."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    build = "with" if "--enable-optimizations" in options else "without"
    return f"{platform.python_implementation()} {platform.python_version()} built {build} --enable-optimizations"


@dataclass(frozen=True)
class Table:
    """An option chain as CBOE's table, unpacked, and where it comes from."""

    payload: bytes
    said: str


def whole_chain(captured: str, ticker: str, *, given: Path | None = None) -> Table:
    """The chain of the given file; else of the captured one; else 21,000 made contracts of the ticker."""
    path = given or CAPTURED / "gex" / captured
    if given or path.is_file():
        packed = path.read_bytes()
        return Table(gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed, f"Data: {path.name}.")
    market = whole_market(ticker, _SPOTS[ticker])
    table = cboe_table(market, name=f"{ticker} INDEX", clock=_CLOCK)
    return Table(table, f"Data: {WHOLE:,} contracts of {ticker}, {_MADE_UP}.")


@dataclass(frozen=True)
class Frames:
    """Frames of the streamer: an image and its changes, whole books, and where they come from."""

    level_one: list[bytes]
    books: list[bytes]
    said: str


def stream_frames() -> Frames:
    """Captured frames, else made ones."""
    folder = CAPTURED / "schwab" / "stream"
    names = ("levelone_equities", "nyse_book", "nasdaq_book")
    paths = [folder / f"rth_2026-08-20_{name}.jsonl" for name in names]
    if all(path.is_file() for path in paths):
        level_one, *books = (path.read_bytes().splitlines() for path in paths)
        return Frames(level_one, [raw for found in books for raw in found], "Data: captured frames of 2026-08-20.")
    return Frames(equities(), [*nyse_book(), *nasdaq_book()], f"Data: frames {_MADE_UP}.")
