"""What one process of a bot says of itself to the others, and how much of the work is its own. Pure."""

import msgspec


class CrewMember(msgspec.Struct, frozen=True, kw_only=True):
    """What one process says of itself."""

    name: str
    since_ms: int
    shards: int = 1
    """Of how many shards it takes the bot to be."""
    connected: tuple[int, ...] = ()
    """Shards whose connection Discord has welcomed."""
    awaited: tuple[int, ...] = ()
    """Shards that are its own and not connected, as yet or just now."""
    parts: tuple[int, ...] = ()
    """Of the live messages, those that it writes."""
    boards: int = 0
    """How many messages these are."""
    rate_per_s: float = 0.0
    """Calls to Discord a second that it may make."""
    calls_per_s: float = 0.0
    """Calls that it made, of late."""
    waiting: int = 0
    """Calls that wait for their turn."""


def part_of(total: int, rank: int, among: int) -> int:
    """How many of `total` things go to number `rank` of so many: equal parts, and what is over to the first ones."""
    return total // among + (rank < total % among)
