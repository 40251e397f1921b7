"""What reading a chain met, in the words of a table and of an explanation. Pure."""

from collections.abc import Iterable
from typing import Final

from streaming.model import ChainQuality

MUCH: Final = 0.05
"""From this share of a side without open interest on, levels by it are marked."""


def is_interest_partial(quality: ChainQuality | None) -> bool:
    """Whether so much open interest was not sent that what is computed by it says little."""
    return quality is not None and max(quality.calls_without_interest, quality.puts_without_interest) >= MUCH


def quality_words(quality: ChainQuality) -> Iterable[str]:
    """One phrase for each thing that a reader should know, the gravest first; none where nothing was met."""
    if quality.cut_off:
        yield "cut off: it ends within a row, and what came after is missing"
    sides = (("calls", quality.calls_without_interest), ("puts", quality.puts_without_interest))
    for side, share in sides:
        if share > 0.0:
            yield f"open interest was not sent for {share:.1%} of {side}: levels and sums by it are partial"
    if quality.spot_implied:
        yield "no spot was sent: it is what the quotes imply by put-call parity"
    if quality.iv_in_percent:
        yield "volatilities came in per cent and were divided by 100"
    if quality.doubled:
        yield f"{quality.doubled:,} rows list a contract again; the last of each counts"
    if quality.unreadable:
        yield f"{quality.unreadable:,} rows could not be read"
    if quality.foreign:
        yield f"{quality.foreign:,} rows are adjusted contracts, minis or of others, and left out"
