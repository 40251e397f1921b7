"""Words beside figures: what they are weighted by, and when the feed shows live ones. Pure."""

from bot.feed.schedule import FeedDecision
from streaming.model import WeightName

WEIGHT_WORDS: dict[WeightName, str] = {"oi": "open interest", "vol": "today's volume"}


def window_sentence(decision: FeedDecision) -> str:
    """Whether boards are live now and until when, in New York time."""
    state = decision.reason if decision.is_open else f"closed: {decision.reason}"
    if decision.until is None:
        return state
    return f"{state} until {decision.until:%a %H:%M} New York"
