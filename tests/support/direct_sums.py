"""The totals of a sweep added up line by line at every level: the oracle of what samples them faster."""

from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

from streaming.gex.engine import GexEngine
from streaming.gex.pricing.priced import Kernel
from streaming.gex.results import roots
from streaming.gex.results.sampling import sample_totals
from streaming.gex.results.zero_gamma import Total, find_roots
from streaming.option_chain import OptionChain
from streaming.symbols import parse_ticker

Span = tuple[int, int]


@dataclass(frozen=True)
class Swept:
    """What a sweep was made of, and the samples it found."""

    kernel: Kernel
    levels: np.ndarray
    spans: tuple[Span, ...]
    samples: np.ndarray


def swept(chain: OptionChain) -> Swept:
    """The first sweep over a chain at its quote time."""
    found = []

    def noted(kernel: Kernel, levels: np.ndarray, spans: tuple[Span, ...]) -> np.ndarray:
        found.append(Swept(kernel, levels, spans, sample_totals(kernel, levels, spans)))
        return found[-1].samples

    engine = GexEngine(parse_ticker(chain.ticker), scope="full")
    engine.on_chain(chain)
    with patch.object(roots, "sample_totals", noted):
        engine.compute(chain.asof)
    return found[0]


def direct_totals(kernel: Kernel, levels: np.ndarray, spans: tuple[Span, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Net and gross at every level, one exponential per line, level and span; shapes (spans, 2, levels)."""
    net, gross = (np.zeros((len(spans), 2, levels.size)) for _ in "ab")
    for number, (low, high) in enumerate(spans):
        slope, offset, coefficient = kernel.slope[low:high], kernel.offset[low:high], kernel.coefficient[:, low:high]
        for place, level in enumerate(levels.tolist()):
            d1 = slope * np.log(level / kernel.anchor) + offset
            net[number, :, place] = level * (coefficient * np.exp(-0.5 * d1 * d1)).sum(axis=1)
        gross[number] = np.abs(coefficient).sum(axis=1, keepdims=True) * levels
    return net, gross


def check_samples(found: Swept) -> None:
    """AssertionError unless the samples are the direct sums to 1e-12 of the gross, with the same roots."""
    net, gross = direct_totals(found.kernel, found.levels, found.spans)
    assert np.all(np.abs(found.samples - net) <= 1e-12 * gross)
    for number, span in enumerate(found.spans):
        for weight in (0, 1):
            total = Total(found.kernel, slice(*span), weight)
            mine = find_roots(total, found.levels, found.samples[number, weight])
            theirs = find_roots(total, found.levels, net[number, weight])
            assert mine.note == theirs.note
            assert [root.direction for root in mine.roots] == [root.direction for root in theirs.roots]
            levels = [root.level for root in theirs.roots]
            assert np.allclose([root.level for root in mine.roots], levels, rtol=0.0, atol=1e-6)
