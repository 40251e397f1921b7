"""Levels moved into the points of another instrument (`specs/gex-method.md` §14): levels change, dollars stay."""

from typing import Final

import msgspec

from streaming.model import LadderRow, ScopeFigures, WeightFigures

_DECIMALS: Final = 4
_LEVEL_FIELDS: Final = (
    "zero_gamma", "zero_gamma_ladder", "major_pos", "major_neg",
    "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below",
)  # fmt: skip


def shift_levels(figures: ScopeFigures, points: float | None, *, ratio: float = 1.0) -> ScopeFigures:
    """The same figures with every level times a ratio plus points; without a basis (`points`) they are unknown."""
    return msgspec.structs.replace(
        figures,
        oi=_shift(figures.oi, points, ratio),
        vol=_shift(figures.vol, points, ratio),
        ladder=_shift_rows(figures.ladder, points, ratio),
        profile=_shift_rows(figures.profile, points, ratio),
    )


def _shift_rows(rows: tuple[LadderRow, ...], points: float | None, ratio: float) -> tuple[LadderRow, ...]:
    """Rows whose first column is a level."""
    if points is None:
        return ()
    return tuple((round(level * ratio + points, _DECIMALS), vol, oi) for level, vol, oi in rows)


def _shift(figures: WeightFigures, points: float | None, ratio: float) -> WeightFigures:
    roots = () if points is None else tuple(level * ratio + points for level in figures.zero_gamma_roots)
    return msgspec.structs.replace(
        figures,
        zero_gamma_roots=roots,
        zero_gamma_directions=() if points is None else figures.zero_gamma_directions,
        zero_gamma_slope=_per_point(figures.zero_gamma_slope, ratio),
        net_gex_usd_per_point=_per_point(figures.net_gex_usd_per_point, ratio),
        **{name: shift(getattr(figures, name), points, ratio=ratio) for name in _LEVEL_FIELDS},
    )


def _per_point(dollars: float | None, ratio: float) -> float | None:
    """What a point is worth when points are `ratio` times as many."""
    return None if dollars is None else dollars / ratio


def shift(level: float | None, points: float | None, *, ratio: float = 1.0) -> float | None:
    """A level times a ratio plus points; None when either is unknown."""
    return None if level is None or points is None else level * ratio + points
