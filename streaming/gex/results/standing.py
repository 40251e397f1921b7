"""What a total means for the moves of its underlying, and where spot stands among the levels. Pure.

See `specs/gex-method.md` §22. Works on any snapshot, whoever made it.
"""

from typing import Final

from streaming.figures import read_levels
from streaming.model import GexSnapshot, Regime, ScopeName, Standing, WeightFigures, WeightName

UNDECIDED_BELOW: Final = 0.05
"""Of |net| over gross: less than this has no sign to speak of."""


def regime(net: float | None, gross: float | None) -> Regime | None:
    """Dampened above 0, amplified below, undecided where calls and puts cancel; None while net is unknown."""
    if net is None:
        return None
    if net == 0.0 or (gross is not None and abs(net) < UNDECIDED_BELOW * gross):
        return "undecided"
    return "dampened" if net > 0.0 else "amplified"


def distance_pct(spot: float | None, level: float | None) -> float | None:
    """How far spot is above a level, in percent of spot; negative below it."""
    if spot is None or level is None or not spot > 0.0:
        return None
    return 100.0 * (spot - level) / spot


def between_walls_pct(spot: float | None, put_wall: float | None, call_wall: float | None) -> float | None:
    """Where spot is on the way from the put wall (0) to the call wall (100); beyond them below 0 or above 100.

    None where a wall is unknown or they are crossed.
    """
    if spot is None or put_wall is None or call_wall is None or not put_wall < call_wall:
        return None
    return 100.0 * (spot - put_wall) / (call_wall - put_wall)


def standing(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> Standing:
    """Everything of this page that a snapshot tells of a scope; None throughout for what its producer does not give.

    Without a gross figure the regime goes by the sign alone.
    """
    levels, figures = read_levels(snapshot, scope, weight), _weighed(snapshot, scope, weight)
    net, gross = levels.net_gex_usd_per_1pct, None if figures is None else figures.gross_gex_usd_per_1pct
    return Standing(
        regime=regime(net, gross),
        net_share=None if net is None or not gross else net / gross,
        zero_gamma_distance_pct=distance_pct(snapshot.spot, levels.zero_gamma),
        between_walls_pct=between_walls_pct(snapshot.spot, levels.put_wall, levels.call_wall),
        zero_share=_zero_share(snapshot, weight),
        rolls_off_usd_per_1pct=_rolls_off(snapshot, weight),
    )


def _zero_share(snapshot: GexSnapshot, weight: WeightName) -> float | None:
    """0 on a day without an expiry."""
    nearest, near = _weighed(snapshot, "zero", weight), _weighed(snapshot, "full", weight)
    if nearest is None or near is None or snapshot.min_dte is None:
        return None
    part, whole = nearest.gross_gex_usd_per_1pct, near.gross_gex_usd_per_1pct
    if part is None or not whole:
        return None
    return part / whole if snapshot.min_dte == 0 else 0.0


def _rolls_off(snapshot: GexSnapshot, weight: WeightName) -> float | None:
    """0 on a day without an expiry."""
    nearest = _weighed(snapshot, "zero", weight)
    if nearest is None or snapshot.min_dte is None:
        return None
    return nearest.net_gex_usd_per_1pct if snapshot.min_dte == 0 else 0.0


def _weighed(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> WeightFigures | None:
    figures = snapshot.scopes.get(scope or snapshot.scope or "")
    return None if figures is None else figures.oi if weight == "oi" else figures.vol
