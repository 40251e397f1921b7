"""Which figure a snapshot shows, read in one place for boards, commands, pictures, tables and alerts. Pure."""

from typing import Final, NamedTuple

import msgspec

from streaming.model import GexSnapshot, ScopeFigures, ScopeName, WeightName
from streaming.past import PastLevels, PastScope

_USD_PER_MILLION: Final = 1e6


class Levels(NamedTuple):
    """The levels and the net of one scope under one weight; None is unknown or of nobody's giving."""

    zero_gamma: float | None
    call_wall: float | None
    put_wall: float | None
    net_gex_usd_per_1pct: float | None


_NO_LEVELS: Final = Levels(None, None, None, None)


def read_levels(snapshot: GexSnapshot | PastLevels, scope: ScopeName | None, weight: WeightName) -> Levels:
    """What the snapshot says of a scope; None means the one that its classic block sums over.

    The scope's own figures come first. The classic block speaks for its own scope where those are not given; its one
    zero gamma then stands for both weights, but never for a scope of which it is known that there is no root.
    """
    name = scope or snapshot.scope
    own = None if name is None else snapshot.scopes.get(name)
    classic = _classic(snapshot, weight) if scope in {None, snapshot.scope} else _NO_LEVELS
    return classic if own is None else _own(own, weight, classic)


def stated_scope(snapshot: GexSnapshot | PastLevels, scope: ScopeName) -> ScopeName | None:
    """The scope to read: the one asked for, or None where the producer does not say what it sums over."""
    return scope if snapshot.scopes or snapshot.scope else None


def _own(scope: ScopeFigures | PastScope, weight: WeightName, classic: Levels) -> Levels:
    figures = scope.oi if weight == "oi" else scope.vol
    net = figures.net_gex_usd_per_1pct
    walled = figures.major_pos is not None or figures.major_neg is not None
    return Levels(
        zero_gamma=figures.zero_gamma,
        call_wall=figures.major_pos if walled else classic.call_wall,
        put_wall=figures.major_neg if walled else classic.put_wall,
        net_gex_usd_per_1pct=classic.net_gex_usd_per_1pct if net is None else net,
    )


def _classic(snapshot: GexSnapshot | PastLevels, weight: WeightName) -> Levels:
    by_interest = weight == "oi"
    millions = snapshot.sum_gex_oi if by_interest else snapshot.sum_gex_vol
    return Levels(
        zero_gamma=snapshot.zero_gamma,
        call_wall=snapshot.major_pos_oi if by_interest else snapshot.major_pos_vol,
        put_wall=snapshot.major_neg_oi if by_interest else snapshot.major_neg_vol,
        net_gex_usd_per_1pct=None if millions is None else millions * _USD_PER_MILLION,
    )


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """The figures a board and `/gex status` show.

    Exposures are in billions of US dollars per 1 % move.
    """

    ticker: str
    spot: float | None
    zero_gamma: float | None
    call_wall: float | None
    put_wall: float | None
    net_gex_bn: float | None
    """By volume."""
    scaled_gamma_bn: float | None
    """By open interest."""
    max_change_strike: float | None
    max_change_bn: float | None


def headline(snapshot: GexSnapshot) -> Headline:
    """Read the headline: levels and scaled gamma by open interest, net GEX by volume."""
    levels = read_levels(snapshot, None, "oi")
    strike, change = snapshot.max_priors[0] if snapshot.max_priors else (None, None)
    return Headline(
        ticker=snapshot.ticker,
        spot=snapshot.spot,
        zero_gamma=levels.zero_gamma,
        call_wall=levels.call_wall,
        put_wall=levels.put_wall,
        net_gex_bn=_bn(read_levels(snapshot, None, "vol").net_gex_usd_per_1pct),
        scaled_gamma_bn=_bn(levels.net_gex_usd_per_1pct),
        max_change_strike=strike,
        max_change_bn=None if change is None else change / 1000.0,
    )


def _bn(dollars: float | None) -> float | None:
    return None if dollars is None else dollars / 1e9
