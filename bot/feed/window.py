"""The last minute or so of one ticker's headlines, for figures that say how much something moved. Pure."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bot.render.numbers import known
from streaming.figures import BOARD, Headline, headline
from streaming.model import GexSnapshot, ScopeName, WeightName

_LEAST_TOLERANCE_S: Final = 10.0
_LEAST_SPAN_MS: Final = 5_000
_MOST_SAMPLES_PER_WINDOW: Final = 512
_NOTHING_CLASSIC: Final[dict[str, Any]] = {
    "ladder_split": None,
    "major_pos_oi": None,
    "major_neg_oi": None,
    "major_pos_vol": None,
    "major_neg_vol": None,
    "sum_gex_oi": None,
    "sum_gex_vol": None,
    "max_priors": (),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A headline and the quote time it stands for."""

    asof_ms: int
    headline: Headline


class RollingWindow:
    """Headlines of one ticker over a little more than `window_s`, by the snapshots' own quote time.

    Quote time rather than arrival time: a replay gives the same figures at any speed. Bounded twice, by
    age and by a least distance between samples (`window_s` / 512).
    """

    def __init__(self, window_s: float, weight: WeightName | None = None) -> None:
        """`weight` is what headlines are by; None for each figure's own."""
        self._weight = weight
        self._window_ms = round(window_s * 1000)
        self._tolerance_ms = round(max(_LEAST_TOLERANCE_S, window_s / 4) * 1000)
        self._spacing_ms = self._window_ms // _MOST_SAMPLES_PER_WINDOW
        self._samples: deque[Sample] = deque()
        self._origin: tuple[str, str | None, bool] | None = None
        self._filling_until_ms = 0
        self._firsts: dict[str, Sample] = {}

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, snapshot: GexSnapshot) -> None:
        """Take a snapshot; a change of source or scope, or time running backwards, starts the window anew."""
        origin = (snapshot.source, snapshot.scope, snapshot.delayed)
        if origin != self._origin or (self._samples and snapshot.asof_ms < self._samples[-1].asof_ms):
            self._samples.clear()
        self._origin = origin
        if not self._samples or snapshot.asof_ms - self._samples[-1].asof_ms >= max(self._spacing_ms, 1):
            self._append(Sample(snapshot.asof_ms, headline(snapshot, self._weight)))
        self._forget(snapshot.asof_ms - self._window_ms - self._tolerance_ms)

    def before(self, asof_ms: int) -> Sample | None:
        """The newest sample at least one window older than `asof_ms`, its unknown figures stood in for.

        None when there is none about that old: a gap is not bridged with an older value, because what is older
        than the window and a tolerance (a quarter of it, at least ten seconds) was forgotten, much as for max change
        (specs/gex-method.md §11).
        A figure first known while the very first window fills is stood in for by the sample that first knew it,
        from five seconds after that until a window after it; the oldest stand-in's age is then the span to name.
        """
        newest_ms = asof_ms - self._window_ms
        found = next((sample for sample in reversed(self._samples) if sample.asof_ms <= newest_ms), None)
        stand_ins = {
            name: first for name, first in self._firsts.items() if newest_ms < first.asof_ms <= asof_ms - _LEAST_SPAN_MS
        }
        return _completed(found, stand_ins) if stand_ins else found

    def _append(self, sample: Sample) -> None:
        if not self._samples:
            self._firsts.clear()
            self._filling_until_ms = sample.asof_ms + self._window_ms
        self._samples.append(sample)
        if sample.asof_ms <= self._filling_until_ms:
            for name in BOARD:
                if known(sample.headline[name]):
                    self._firsts.setdefault(name, sample)

    def _forget(self, oldest_ms: int) -> None:
        while self._samples and self._samples[0].asof_ms < oldest_ms:
            self._samples.popleft()


def _completed(found: Sample | None, stand_ins: dict[str, Sample]) -> Sample:
    """One headline of what was found and, per figure, its stand-in; figures with neither are unknown."""
    oldest = found or min(stand_ins.values(), key=lambda sample: sample.asof_ms)
    figures = {name: None if found is None else found.headline[name] for name in BOARD}
    figures |= {name: first.headline[name] for name, first in stand_ins.items()}
    return Sample(oldest.asof_ms, figures)


def of_scope(snapshot: GexSnapshot, scope: ScopeName | None) -> GexSnapshot:
    """The snapshot as one that sums over a scope; what its classic block says of another one is unknown of this."""
    if scope in {None, snapshot.scope}:
        return snapshot
    return msgspec.structs.replace(snapshot, scope=scope, **_NOTHING_CLASSIC)


class Slot:
    """The one newest snapshot of a ticker and the window behind it; boards read it when they send."""

    def __init__(self, window_s: float, scope: ScopeName | None = None, weight: WeightName | None = None) -> None:
        """What boards show: of `scope` or the one that the producer sums over, by `weight` or each figure's own."""
        self._scope = scope
        self.weight: Final = weight
        self.window = RollingWindow(window_s, weight)
        self.latest: GexSnapshot | None = None
        self.warm = False
        """Whether what was stored before has been read."""
        self._watchers: dict[asyncio.Event, None] = {}

    @contextmanager
    def watched(self, news: asyncio.Event) -> Iterator[None]:
        """Have an event set whenever there is something new."""
        self._watchers[news] = None
        try:
            yield
        finally:
            self._watchers.pop(news, None)

    def warmed(self) -> None:
        """What was stored before has been read."""
        self.warm = True
        self._tell()

    def put(self, snapshot: GexSnapshot) -> None:
        """Newest wins: what was there is replaced, never queued."""
        seen = of_scope(snapshot, self._scope)
        self.window.add(seen)
        self.latest = seen
        self._tell()

    def _tell(self) -> None:
        for news in self._watchers:
            news.set()
