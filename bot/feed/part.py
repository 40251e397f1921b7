"""Which channels are whose, where several processes write the live messages of one bot. Pure."""

from dataclasses import dataclass
from typing import Final

_MILLISECOND: Final = 22
"""Bits below it in an id of Discord's."""


@dataclass(frozen=True, slots=True)
class FeedPart:
    """One of `count` parts of all channels, alike in size whatever the servers are like."""

    number: int
    count: int

    def has(self, channel_id: int) -> bool:
        """Whether a channel is in it: by the millisecond in its id and what tells apart ids of one millisecond."""
        return (channel_id + (channel_id >> _MILLISECOND)) % self.count == self.number

    def key(self, name: str) -> str:
        """The name of what is kept for this part alone; the first one's is that of the whole."""
        return name if self.number == 0 else f"{name}:{self.number}"


WHOLE: Final = FeedPart(0, 1)
