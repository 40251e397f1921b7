"""Snapshots as GEXBot's classic REST API answers them, for add-ons that were written for it. Pure.

Names, units and paths are those of `specs/gex-method.md` §13. On that wire an absent figure is 0. What GEXBot does not
say at all is added at the end: whether figures are of the market, and whether they are delayed.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from streaming.api.answers import Origin, origin_of
from streaming.errors import TransientError
from streaming.model import GexSnapshot, ScopeFigures, ScopeName

CATEGORIES: Final[dict[str, ScopeName]] = {
    name: scope for scope in ("zero", "one", "full") for name in (scope, f"gex_{scope}")
}
"""What stands in the path, and the scope that it means."""
_NEAR: Final = 0.035
_PRIORS: Final = 5
_CHANGES: Final = 6
_NO_CHANGE: Final = (0.0, 0.0)
_USD_PER_MILLION: Final = 1e6
Figure = Annotated[float, Meta(description="0 is absent.")]
Millions = Annotated[float, Meta(description="Millions of US dollars per 1 % move; 0 is absent.")]
Change = Annotated[tuple[float, float], Meta(description="Strike and signed change, millions of US dollars per 1 %.")]
Row = tuple[float, float, float, tuple[float, ...]]


class ClassicHead(msgspec.Struct, frozen=True, kw_only=True):
    """What every classic answer says."""

    timestamp: Annotated[int, Meta(description="Quote time, seconds since 1970 UTC.")]
    ticker: str
    source: Annotated[str, Meta(description="Ours: who made the figures.")]
    origin: Annotated[Origin, Meta(description="Ours: live, or that the figures are not of today's market.")]
    delayed: Annotated[bool, Meta(description="Ours: whether the source itself is behind the market.")]


class ClassicChain(ClassicHead, frozen=True, kw_only=True):
    """`/TICKER/classic/CATEGORY`."""

    min_dte: int
    sec_min_dte: int
    spot: Figure
    zero_gamma: Annotated[float, Meta(description="The ladder split by volume, as GEXBot means it; 0 is absent.")]
    major_pos_vol: Figure
    major_pos_oi: Figure
    major_neg_vol: Figure
    major_neg_oi: Figure
    strikes: Annotated[
        tuple[Row, ...],
        Meta(
            description="Strike, by volume, by open interest, and by volume 1, 5, 10, 15 and 30 minutes ago; millions."
        ),
    ]
    sum_gex_vol: Millions
    sum_gex_oi: Millions
    delta_risk_reversal: Annotated[float, Meta(description="Discontinued by GEXBot; always 0.")] = 0.0
    max_priors: Annotated[tuple[Change, ...], Meta(description="Against the snapshot before, and 1 to 30 minutes.")]


class ClassicMajors(ClassicHead, frozen=True, kw_only=True):
    """`/TICKER/classic/CATEGORY/majors`."""

    spot: Figure
    mpos_vol: Figure
    mpos_oi: Figure
    mneg_vol: Figure
    mneg_oi: Figure
    zero_gamma: Figure
    net_gex_vol: Millions
    net_gex_oi: Millions


class ClassicMaxChange(ClassicHead, frozen=True, kw_only=True):
    """`/TICKER/classic/CATEGORY/maxchange`: against the snapshot before, and over so many minutes."""

    current: Change
    one: Change
    five: Change
    ten: Change
    fifteen: Change
    thirty: Change


class ClassicTickers(msgspec.Struct, frozen=True, kw_only=True):
    """`/tickers`."""

    stocks: tuple[str, ...]
    indexes: tuple[str, ...]
    futures: tuple[str, ...]


def chain_of(snapshot: GexSnapshot, category: str) -> ClassicChain:
    """Everything but the ticker's other scopes; TransientError where the scope of the category is not known."""
    block = _block(snapshot, CATEGORIES[category])
    return ClassicChain(
        **_head(block),
        min_dte=block.min_dte or 0,
        sec_min_dte=block.sec_min_dte or 0,
        spot=block.spot or 0.0,
        zero_gamma=block.ladder_split or 0.0,
        major_pos_vol=block.major_pos_vol or 0.0,
        major_pos_oi=block.major_pos_oi or 0.0,
        major_neg_vol=block.major_neg_vol or 0.0,
        major_neg_oi=block.major_neg_oi or 0.0,
        strikes=tuple((strike, vol or 0.0, oi or 0.0, _priors(priors)) for strike, vol, oi, priors in block.strikes),
        sum_gex_vol=block.sum_gex_vol or 0.0,
        sum_gex_oi=block.sum_gex_oi or 0.0,
        max_priors=_changes(block),
    )


def majors_of(snapshot: GexSnapshot, category: str) -> ClassicMajors:
    """The levels and sums; TransientError as for the chain."""
    block = _block(snapshot, CATEGORIES[category])
    return ClassicMajors(
        **_head(block),
        spot=block.spot or 0.0,
        mpos_vol=block.major_pos_vol or 0.0,
        mpos_oi=block.major_pos_oi or 0.0,
        mneg_vol=block.major_neg_vol or 0.0,
        mneg_oi=block.major_neg_oi or 0.0,
        zero_gamma=block.ladder_split or 0.0,
        net_gex_vol=block.sum_gex_vol or 0.0,
        net_gex_oi=block.sum_gex_oi or 0.0,
    )


def max_change_of(snapshot: GexSnapshot, category: str) -> ClassicMaxChange:
    """The changes; TransientError as for the chain."""
    block = _block(snapshot, CATEGORIES[category])
    current, one, five, ten, fifteen, thirty = _changes(block)
    return ClassicMaxChange(
        **_head(block), current=current, one=one, five=five, ten=ten, fifteen=fifteen, thirty=thirty
    )


def _head(block: GexSnapshot) -> dict[str, Any]:
    return {
        "timestamp": block.timestamp,
        "ticker": block.ticker,
        "source": block.source,
        "origin": origin_of(block),
        "delayed": block.delayed,
    }


def _block(snapshot: GexSnapshot, scope: ScopeName) -> GexSnapshot:
    """The snapshot with a classic block of that scope."""
    if snapshot.scope == scope:
        return snapshot
    figures = snapshot.scopes.get(scope)
    if figures is None:
        raise TransientError(
            f"The source of {snapshot.ticker} gives no figures of scope {scope}.",
            remedy=f"Ask for {snapshot.scope}." if snapshot.scope in {"zero", "one", "full"} else "",
        )
    oi, vol = figures.oi, figures.vol
    return replace(
        snapshot,
        scope=scope,
        ladder_split=vol.ladder_split,
        major_pos_vol=vol.call_wall,
        major_pos_oi=oi.call_wall,
        major_neg_vol=vol.put_wall,
        major_neg_oi=oi.put_wall,
        sum_gex_vol=_millions(vol.net_gex_usd_per_1pct),
        sum_gex_oi=_millions(oi.net_gex_usd_per_1pct),
        strikes=_strikes(figures, snapshot.spot),
        max_priors=(),
    )


def _strikes(figures: ScopeFigures, spot: float | None) -> tuple[Row, ...]:
    """The ladder as the classic block cuts it; what its strikes were before is not kept for another scope."""
    if spot is None:
        return ()
    near = (row for row in figures.ladder if abs(row[0] - spot) <= _NEAR * spot)
    return tuple((strike, vol / _USD_PER_MILLION, oi / _USD_PER_MILLION, ()) for strike, vol, oi in near)


def _millions(usd: float | None) -> float | None:
    return None if usd is None else usd / _USD_PER_MILLION


def _priors(known: tuple[float | None, ...]) -> tuple[float, ...]:
    return tuple(value or 0.0 for value in (*known, *[None] * _PRIORS)[:_PRIORS])


def _changes(block: GexSnapshot) -> tuple[tuple[float, float], ...]:
    found = [(strike or 0.0, change or 0.0) for strike, change in block.max_priors]
    return tuple([*found, *[_NO_CHANGE] * _CHANGES][:_CHANGES])
