"""How many entries each event stream may keep, so that all of them together take about so many bytes of Redis. Pure.

Redis bounds a stream by its entries. How large these are is only known from what goes in: books differ by a factor of
twenty, so a fixed number of entries is either too few ticks or too many books.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Final

from streaming.bus.events import KINDS
from streaming.bus.publish.buffer import Entry

DEFAULT_MB: Final = 35
LEAST_MB: Final = 16
"""Below this a stream of books could be shorter than one batch of them, which a lost connection may put in doubt."""
_MB: Final = 1_000_000
_PER_BYTE: Final = 1.04
_PER_ENTRY: Final = 16
"""What Redis takes for a payload, by `MEMORY USAGE` of entries from 250 bytes to 12 kB."""
_SAMPLED: Final = 16
"""One event in so many is measured."""
_WORTH_TELLING: Final = 0.1
_KIND_OF: Final = itemgetter(1)


class StreamBudget:
    """Learns the mean size of each kind of event over about as many bytes as its stream keeps."""

    def __init__(self, megabytes: float = DEFAULT_MB, *, kinds: Collection[int] = range(len(KINDS))) -> None:
        """The streams of `kinds` share the bytes; what the others would take is theirs."""
        whole = sum(KINDS[number].share for number in kinds) or 1.0
        self._bytes = [megabytes * _MB * kind.share / whole for kind in KINDS]
        self._mean = [float(kind.typical_bytes) for kind in KINDS]
        self._measured = [0] * len(KINDS)
        self.caps = tuple(map(self._fitting, range(len(KINDS))))

    def caps_for(self, entries: Sequence[Entry]) -> Sequence[int]:
        """By kind, how many entries to keep; never fewer than this batch adds.

        Which of them arrived must be seen in the streams when the connection breaks.
        """
        for _, number, payload in entries[::_SAMPLED]:
            self._learn(number, len(payload))
        for number, cap in enumerate(self.caps):
            if abs(self._fitting(number) - cap) > _WORTH_TELLING * cap:
                self.caps = tuple(map(self._fitting, range(len(KINDS))))
                break
        if len(entries) <= min(self.caps):
            return self.caps
        adds = Counter(map(_KIND_OF, entries))
        return tuple(max(cap, adds[number]) for number, cap in enumerate(self.caps))

    def _learn(self, number: int, size: int) -> None:
        self._measured[number] += 1
        weight = max(1 / self._measured[number], min(1.0, _SAMPLED * size / self._bytes[number]))
        self._mean[number] += (size - self._mean[number]) * weight

    def _fitting(self, number: int) -> int:
        return max(1, int(self._bytes[number] / (self._mean[number] * _PER_BYTE + _PER_ENTRY)))
