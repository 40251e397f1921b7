"""Discord's ids: a millisecond since 2015 above 22 bits of counter."""

from datetime import datetime

from streaming.clock import Clock, epoch_ms, instant_of

DISCORD_EPOCH_MS = 1_420_070_400_000
COUNTER_BITS = 22
_LONG_AGO_MS = 1_704_067_200_000


class Snowflakes:
    """Hands out ids of the present millisecond that always grow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """An id of now, larger than all before it: ids are the order of what happened."""
        fresh = (epoch_ms(self._clock.now()) - DISCORD_EPOCH_MS) << COUNTER_BITS
        self._last = max(fresh, self._last + 1)
        return self._last


def fixed_id(number: int) -> int:
    """The id of a thing that was there before the first run: the same in every run."""
    return ((_LONG_AGO_MS - DISCORD_EPOCH_MS) << COUNTER_BITS) + number


def created_at(snowflake: int) -> datetime:
    """The instant inside an id, aware, in UTC."""
    return instant_of((snowflake >> COUNTER_BITS) + DISCORD_EPOCH_MS)
