"""How contracts lie between calls and puts, whatever they are worth: ratios, max pain (`specs/gex-method.md` §22)."""

import msgspec
import numpy as np

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Lines
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.spans import Pieces, span_of
from streaming.model import SCOPES, ScopeFigures, ScopeName


def with_positioning(
    quality: dict[ScopeName, ScopeFigures], lines: Lines, weight: Floats, cut: ScopeSlices
) -> dict[ScopeName, ScopeFigures]:
    """The same with put/call ratios and max pain of all living lines; `weight` has shape (2, lines)."""
    pieces = Pieces(span_of(cut.rows[name]) for name in SCOPES)
    held = _by_strike(lines, weight[0], pieces)
    traded = _by_side(lines, weight[1], pieces)
    return {
        name: msgspec.structs.replace(
            figures,
            put_call_oi=_put_call(_over(pieces, held, cut.rows[name]).sum(axis=1)),
            put_call_vol=_put_call(_over(pieces, traded, cut.rows[name])),
            max_pain=max_pain(lines.strikes, *_over(pieces, held, cut.rows[name])),
        )
        for name, figures in quality.items()
    }


def max_pain(strikes: Floats, puts: Floats, calls: Floats) -> float | None:
    """The strike at which expiring would pay least intrinsic value by open interest; None where nobody holds any.

    Of equal ones the lowest. `strikes` ascend; `puts` and `calls` are contracts at each.
    """
    listed = (puts > 0.0) | (calls > 0.0)
    if not listed.any():
        return None
    level, put, call = strikes[listed], puts[listed], calls[listed]
    below = level * np.cumsum(call) - np.cumsum(call * level)
    above = np.cumsum((put * level)[::-1])[::-1] - level * np.cumsum(put[::-1])[::-1]
    return float(level[int((below + above).argmin())])


def _by_strike(lines: Lines, held: Floats, pieces: Pieces) -> Floats:
    """Open interest per piece, side (puts first) and strike; shape (2, strikes, pieces)."""
    rows, count, strikes = pieces.rows, max(pieces.cuts.size - 1, 0), lines.strikes.size
    piece = np.repeat(np.arange(count), np.diff(pieces.cuts))
    key = (lines.is_call[rows] * strikes + lines.strike_code[rows]) * count + piece
    return np.bincount(key, held[rows], 2 * strikes * count).astype(np.float64).reshape(2, strikes, count)


def _by_side(lines: Lines, traded: Floats, pieces: Pieces) -> Floats:
    """Volume per side (puts first) and piece; shape (2, pieces)."""
    is_call, volume = lines.is_call[pieces.rows], traded[pieces.rows]
    return pieces.products(np.stack((~is_call, is_call)).astype(np.float64), volume[None])[:, 0]


def _over(pieces: Pieces, sums: Floats, rows: slice) -> Floats:
    return pieces.total(sums, span_of(rows))


def _put_call(sides: Floats) -> float | None:
    """Puts for each call; None without a call."""
    puts, calls = sides.tolist()
    return puts / calls if calls > 0.0 else None
