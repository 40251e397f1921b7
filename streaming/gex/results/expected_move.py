"""What the market pays for movement until the nearest quoted expiry (`specs/gex-method.md` §22). Pure."""

import math
from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import years_to_expiry
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.selection import Selection
from streaming.model import ExpectedMove

_ROOT_WIDTH: Final = 6


def expected_move(lines: Lines, pairs: Ints, selection: Selection, spot: float, asof_s: float) -> ExpectedMove | None:
    """The straddle at the strike nearest to the forward, among the `pairs` of the nearest series with quotes.

    `asof_s` is the quote time, epoch seconds. None without such a strike; without its σ no standard deviation.
    """
    if pairs.size == 0:
        return None
    series = int(lines.pair_series[pairs[0]])
    forward = spot * float(selection.ratio[series])
    strikes = lines.strike[lines.pair_call[pairs]]
    nearest = int(np.abs(strikes - forward).argmin())
    call, put = int(lines.pair_call[pairs[nearest]]), int(lines.pair_put[pairs[nearest]])
    straddle = _mid(lines, call) + _mid(lines, put)
    total = float(selection.iv[call]) * math.sqrt(years_to_expiry(float(lines.settle_s[call]), asof_s))
    return ExpectedMove(
        expiry=str(lines.dates[lines.date_code[call]]),
        root=str(lines.symbol[call])[:_ROOT_WIDTH].rstrip(),
        strike=float(strikes[nearest]),
        straddle_points=straddle,
        straddle_pct=100.0 * straddle / spot,
        sigma_points=spot * total if math.isfinite(total) else None,
    )


def _mid(lines: Lines, row: int) -> float:
    return 0.5 * float(lines.bid[row] + lines.ask[row])
