"""What reading a chain met, in the words of a table and of an explanation. Pure."""

from collections.abc import Iterable
from typing import Final

from streaming.calendar import new_york, next_session
from streaming.clock import instant_of
from streaming.model import ChainQuality

MUCH: Final = 0.05
"""From this share of a side without open interest on, levels by it are marked."""


def is_interest_partial(quality: ChainQuality | None) -> bool:
    """Whether so much open interest was not sent that what is computed by it says little."""
    return quality is not None and max(quality.calls_without_interest, quality.puts_without_interest) >= MUCH


def dividend_words(ex_date: str | None, share: float | None, asof_ms: int) -> str:
    """That it is the eve of an ex-dividend day, by the date or, where none is known, by the forward; else nothing.

    Both as in `GexSnapshot`; what is left after tonight's exercises may be a fraction of net GEX.
    """
    next_day = next_session(new_york(instant_of(asof_ms)).date()).date.isoformat()
    if ex_date == next_day:
        falls = "" if share is None else f", and forwards fall by {share:.2%}"
        said = f"{ex_date}, the next session, is the ex-dividend day{falls}"
    elif share is not None:
        said = f"the next session's forward is {share:.2%} lower, as on the eve of an ex-dividend day"
    else:
        return ""
    return f"{said}: deep calls exercised tonight are still counted, and net GEX may be several times too large"


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
