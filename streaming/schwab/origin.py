"""Whether Schwab answers, or a local stand-in that says so of itself: made-up figures must not be called live."""

from collections.abc import Mapping
from typing import Final

from streaming.clock import date_of
from streaming.model import FILE_SOURCE, SIMULATED

SCHWAB: Final = "schwab"
HEADER: Final = "X-Gexcord-Figures"
"""What a stand-in puts on each answer (specs/simulator.md); Schwab has no such header."""


def source_of(headers: Mapping[str, str]) -> str:
    """The `source` of what an answer holds: `schwab`, `simulated`, `file:2022-05-20`; any other word is made up too."""
    said = headers.get(HEADER)
    if said is None:
        return SCHWAB
    is_file = said.startswith(FILE_SOURCE) and date_of(said.removeprefix(FILE_SOURCE)) is not None
    return said if is_file else SIMULATED
