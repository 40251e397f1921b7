"""What the market pays for movement until the nearest quoted expiry (`specs/gex-method.md` §22). Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Ints, Lines
from streaming.model import ExpectedMove

_ROOT_WIDTH: Final = 6


def expected_move(lines: Lines, ratio: Floats, spot: float, *, first_row: int) -> ExpectedMove | None:
    """The straddle at the strike nearest to the forward of the nearest series with quotes on both sides.

    `ratio` is forward over spot per series; lines before `first_row` have settled. None without such a strike.
    """
    pairs = _quoted_pairs(lines, first_row)
    if pairs.size == 0:
        return None
    series = int(lines.pair_series[pairs[0]])
    pairs = pairs[lines.pair_series[pairs] == series]
    forward = spot * (float(ratio[series]) if np.isfinite(ratio[series]) else 1.0)
    strikes = lines.strike[lines.pair_call[pairs]]
    nearest = int(np.abs(strikes - forward).argmin())
    call, put = int(lines.pair_call[pairs[nearest]]), int(lines.pair_put[pairs[nearest]])
    straddle = _mid(lines, call) + _mid(lines, put)
    return ExpectedMove(
        expiry=str(lines.dates[lines.date_code[call]]),
        root=str(lines.symbol[call])[:_ROOT_WIDTH].rstrip(),
        strike=float(strikes[nearest]),
        straddle_points=straddle,
        straddle_pct=100.0 * straddle / spot,
    )


def _quoted_pairs(lines: Lines, first_row: int) -> Ints:
    """Strikes with a call and a put that are both quoted on both sides, in order of settlement."""
    pairs = np.flatnonzero((lines.pair_call >= first_row) & (lines.pair_put >= first_row))
    quoted = _quoted(lines)
    both: Ints = pairs[quoted[lines.pair_call[pairs]] & quoted[lines.pair_put[pairs]]]
    return both


def _quoted(lines: Lines) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        quoted: NDArray[np.bool_] = (lines.bid > 0.0) & (lines.ask >= lines.bid) & np.isfinite(lines.ask)
    return quoted


def _mid(lines: Lines, row: int) -> float:
    return 0.5 * float(lines.bid[row] + lines.ask[row])
