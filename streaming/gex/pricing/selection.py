"""The lines that count at an instant, scope by scope, and how good their data is (`specs/gex-method.md` §7, §10).

How contracts lie between calls and puts, whatever they are worth: put/call ratios and max pain (§22).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Lines
from streaming.gex.pricing.priced import PricedStrikes, select_priced
from streaming.gex.pricing.quality import qualities
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.spans import Pieces, span_of
from streaming.gex.pricing.volatility import CleanIv
from streaming.model import SCOPES, ScopeFigures, ScopeName

Position = dict[str, float | None]
"""Figures of a scope, by their names."""
Positions = tuple[dict[ScopeName, Position], dict[ScopeName, float | None]]
"""How contracts lie between calls and puts, whatever they are worth: what is held, and puts for each call traded."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a chain holds at an instant; valid until a quote changes or the cut no longer holds."""

    cut: ScopeSlices
    iv: Floats
    """Per line of the chain, mirrored where need be, NaN where it cannot be priced."""
    ratio: Floats
    """Forward over spot per series, 1 where parity does not say."""
    priced: PricedStrikes
    quality: dict[ScopeName, ScopeFigures]
    wings: dict[int, "Wings | None"] = field(default_factory=dict)
    """By the code of a date, as far as they were asked for (`wings_of`)."""

    def is_priced(self, scope: ScopeName) -> bool:
        """Whether any line of the scope has a volatility; without one its figures are unknown, not 0."""
        found = self.quality[scope]
        return found.contracts > found.contracts_unpriced


class Wing(NamedTuple):
    """The lines of one side of a series that can be priced, by ascending strike."""

    strikes: Floats
    iv: Floats


class Wings(NamedTuple):
    """Both sides of a series, its forward over spot, and when it settles, epoch seconds."""

    calls: Wing
    puts: Wing
    ratio: float
    settle_s: float


def wings_of(lines: Lines, selection: Selection, date_code: int) -> Wings | None:
    """Of the last root to settle on a date with a line that can be priced: a third Friday's PM contracts."""
    if date_code not in selection.wings:
        selection.wings[date_code] = _wings(lines, selection, date_code)
    return selection.wings[date_code]


def _wings(lines: Lines, selection: Selection, date_code: int) -> Wings | None:
    first, end = np.searchsorted(lines.date_code, (date_code, date_code + 1)).tolist()
    first = max(first, selection.cut.start)
    rows = first + np.flatnonzero(~np.isnan(selection.iv[first:end]))
    if rows.size == 0:
        return None
    series = int(lines.series[rows[-1]])
    rows = rows[np.searchsorted(lines.series[rows], series) :]
    is_call, strikes, iv = lines.is_call[rows], lines.strike[rows], selection.iv[rows]
    calls, puts = (Wing(strikes[side], iv[side]) for side in (is_call, ~is_call))
    return Wings(calls, puts, float(selection.ratio[series]), float(lines.settle_s[rows[-1]]))


def select(
    lines: Lines,
    clean: CleanIv,
    weight: Floats,
    ratio: Floats,
    cut: ScopeSlices,
    *,
    last: PricedStrikes | None = None,
    quality: dict[ScopeName, ScopeFigures] | None = None,
) -> Selection:
    """Keep what can be priced, count the rest.

    `weight` has shape (2, lines): open interest, volume; `ratio` is forward over spot per series; `last` may be the
    lines priced before, of the same chain, to be reused as far as they are the same; so may `quality`.
    """
    return Selection(
        cut=cut,
        iv=clean.iv,
        ratio=np.where(np.isnan(ratio), 1.0, ratio),
        priced=select_priced(lines, clean, weight, ratio, cut, last=last),
        quality=positioned(qualities(lines, clean, weight, ratio, cut), positions_of(lines, weight, cut))
        if quality is None
        else quality,
    )


def positions_of(lines: Lines, weight: Floats, cut: ScopeSlices) -> Positions:
    """Of all living lines of each scope."""
    return held_positions(lines, weight[0], cut), traded_positions(lines, weight[1], cut)


def positioned(quality: dict[ScopeName, ScopeFigures], positions: Positions) -> dict[ScopeName, ScopeFigures]:
    """The figures of quality, and those of how contracts lie between calls and puts."""
    held, traded = positions
    return {
        name: msgspec.structs.replace(figures, **held[name], put_call_vol=traded[name])
        for name, figures in quality.items()
    }


def held_positions(lines: Lines, open_interest: Floats, cut: ScopeSlices) -> dict[ScopeName, Position]:
    """`put_call_oi` and `max_pain` of all living lines of each scope."""
    pieces = Pieces(span_of(cut.rows[name]) for name in SCOPES)
    held = _by_strike(lines, open_interest, pieces)
    sides = {name: pieces.total(held, span_of(cut.rows[name])) for name in SCOPES}
    return {
        name: {"put_call_oi": _put_call(own.sum(axis=1)), "max_pain": max_pain(lines.strikes, *own)}
        for name, own in sides.items()
    }


def traded_positions(lines: Lines, volume: Floats, cut: ScopeSlices) -> dict[ScopeName, float | None]:
    """Puts for each call by volume, of all living lines of each scope."""
    pieces = Pieces(span_of(cut.rows[name]) for name in SCOPES)
    traded = _by_side(lines, volume, pieces)
    return {name: _put_call(pieces.total(traded, span_of(cut.rows[name]))) for name in SCOPES}


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
    key = (lines.is_call[rows] * strikes + lines.strike_code[rows]) * count + pieces.numbers()
    return np.bincount(key, held[rows], 2 * strikes * count).astype(np.float64).reshape(2, strikes, count)


def _by_side(lines: Lines, traded: Floats, pieces: Pieces) -> Floats:
    """Volume per side (puts first) and piece; shape (2, pieces)."""
    is_call, volume = lines.is_call[pieces.rows], traded[pieces.rows]
    return pieces.products(np.stack((~is_call, is_call)).astype(np.float64), volume[None])[:, 0]


def _put_call(sides: Floats) -> float | None:
    """Puts for each call; None without a call."""
    puts, calls = sides.tolist()
    return puts / calls if calls > 0.0 else None
