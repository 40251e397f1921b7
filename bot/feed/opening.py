"""What is said of a start outside the feed's window, so that a silent channel is no riddle. Pure."""

from bot.feed.schedule import FeedDecision


def opening_sentence(decision: FeedDecision) -> str | None:
    """When the live messages come; None while they are open, or when nobody knows."""
    if decision.is_open or decision.until is None:
        return None
    at = f"{decision.until:%A %d %B at %H:%M} New York"
    return f"The feed is closed ({decision.reason}). The first live message comes on {at}."
