"""The listed contracts of one underlying as arrays, for who reads and computes them.

Apart from the records that travel, so that who only shows figures does without numpy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.model import ChainQuality


@dataclass(frozen=True, slots=True, eq=False)
class OptionChain:
    """All listed contracts of one underlying at one quote time, as parallel arrays of length N.

    `asof` is the time the quotes were live, not when they were fetched. Rows are in no particular
    order. An unknown price or volatility is NaN; unknown open interest or volume is 0 (`specs/gex-method.md` §7).
    `settle_s` is the settlement instant in epoch seconds, AM and PM already told apart (`specs/gex-method.md` §5).
    """

    ticker: str
    spot: float
    asof: datetime
    source: str
    delayed: bool
    symbol: NDArray[np.str_]
    root: NDArray[np.str_]
    expiry: NDArray[np.datetime64]
    settle_s: NDArray[np.float64]
    strike: NDArray[np.float64]
    is_call: NDArray[np.bool_]
    iv: NDArray[np.float64]
    open_interest: NDArray[np.float64]
    volume: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    polled_ms: Mapping[date, int] = field(default_factory=dict)
    """Quote time of each expiry where expiries were asked for one by one; empty when all are of `asof`."""
    quality: ChainQuality = field(default_factory=ChainQuality)
    vendor_end_s: Mapping[tuple[str, date], float] = field(default_factory=dict)
    """When the time ends that the vendor's volatilities of a root and expiry were solved with, epoch seconds.

    Only where that was measured (`specs/gex-method.md` §5)."""

    def __len__(self) -> int:
        return int(self.strike.size)

    def lists_like(self, other: "OptionChain") -> bool:
        """Whether another chain lists the same contracts in the same order; its figures may differ."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in _LISTING)
        return all(mine is theirs or np.array_equal(mine, theirs) for mine, theirs in pairs)

    @property
    def oldest_ms(self) -> int:
        """Quote time of the oldest part."""
        return min(self.polled_ms.values(), default=int(self.asof.timestamp() * 1000))


_LISTING: Final = ("symbol", "root", "expiry", "settle_s", "strike", "is_call")
