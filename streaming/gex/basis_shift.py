"""Figures moved into the points of a future (`gex.md` §14): levels shift, dollars stay."""

from typing import Final

import msgspec

from streaming.model import ScopeFigures, WeightFigures

_LEVEL_FIELDS: Final = (
    "zero_gamma", "zero_gamma_ladder", "major_pos", "major_neg",
    "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below",
)  # fmt: skip


def shift_levels(figures: ScopeFigures, points: float | None) -> ScopeFigures:
    """The same figures with every level moved by the basis; without a basis the levels are unknown."""
    return msgspec.structs.replace(figures, oi=_shift(figures.oi, points), vol=_shift(figures.vol, points))


def _shift(figures: WeightFigures, points: float | None) -> WeightFigures:
    roots = () if points is None else tuple(level + points for level in figures.zero_gamma_roots)
    return msgspec.structs.replace(
        figures,
        zero_gamma_roots=roots,
        zero_gamma_directions=() if points is None else figures.zero_gamma_directions,
        **{name: shift(getattr(figures, name), points) for name in _LEVEL_FIELDS},
    )


def shift(level: float | None, points: float | None) -> float | None:
    """A level moved by a basis; None when either is unknown."""
    return None if level is None or points is None else level + points
