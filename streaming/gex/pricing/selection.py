"""The lines that count at an instant, scope by scope, and how good their data is (`specs/gex-method.md` §7, §10)."""

from dataclasses import dataclass

import numpy as np

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.forward import Evidence
from streaming.gex.pricing.lines import Lines
from streaming.gex.pricing.positioning import with_positioning
from streaming.gex.pricing.priced import PricedLines, select_priced
from streaming.gex.pricing.quality import qualities
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.volatility import CleanIv
from streaming.model import ScopeFigures, ScopeName


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a chain holds at an instant; valid until a quote changes or the cut no longer holds."""

    cut: ScopeSlices
    iv: Floats
    """Per line of the chain, mirrored where need be, NaN where it cannot be priced."""
    ratio: Floats
    """Forward over spot per series, 1 where parity does not say."""
    priced: PricedLines
    quality: dict[ScopeName, ScopeFigures]

    def is_priced(self, scope: ScopeName) -> bool:
        """Whether any line of the scope has a volatility; without one its figures are unknown, not 0."""
        found = self.quality[scope]
        return found.contracts > found.contracts_unpriced


def select(
    lines: Lines,
    clean: CleanIv,
    weight: Floats,
    ratio: Floats,
    cut: ScopeSlices,
    *,
    last: PricedLines | None = None,
    evidence: Evidence | None = None,
) -> Selection:
    """Keep what can be priced, count the rest.

    `weight` has shape (2, lines): open interest, volume; `ratio` is forward over spot per series; `last` may be the
    lines priced before, of the same chain, to be reused as far as they are the same.
    """
    return Selection(
        cut=cut,
        iv=clean.iv,
        ratio=np.where(np.isnan(ratio), 1.0, ratio),
        priced=select_priced(lines, clean, weight, ratio, cut, last=last),
        quality=with_positioning(qualities(lines, clean, weight, ratio, cut, evidence=evidence), lines, weight, cut),
    )
