"""The listing of a new day: what expired goes, what stays keeps its open interest, new expiries join. Pure, seeded."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final

import numpy as np

from streaming.calendar import new_york
from streaming.sim.options.contract_lines import ContractLines, Group, generate_lines, join_lines, take_rows
from streaming.sim.prices.instruments import Underlying
from streaming.sim.prices.listing import Expiry, expiries_on

Listing = tuple[ContractLines, tuple[Group, ...]]
_NEAR: Final = 0.02
"""How far from spot, relatively, lines count as at the money."""


def relist_made_up(
    old: ContractLines, underlying: Underlying, *, at: datetime, spot: float, rng: np.random.Generator
) -> Listing:
    """A made-up market's new listing, around the new spot."""
    lines, groups = generate_lines(underlying, at=at, spot=spot, rng=rng)
    known = {symbol: row for row, symbol in enumerate(old.symbol)}
    for row, symbol in enumerate(lines.symbol):
        before = known.get(symbol)
        if before is not None:
            lines.open_interest[row] = old.open_interest[before]
    return lines, groups


def relist_real(
    old: ContractLines,
    groups: tuple[Group, ...],
    underlying: Underlying,
    *,
    listed_on: date,
    at: datetime,
    spot: float,
    rng: np.random.Generator,
) -> Listing:
    """A real chain's new listing: its own lines that have not settled, and expiries that an exchange adds.

    Those are the ones it lists today and did not list on `listed_on`; they are made up, at the level of
    volatility of the lines that stay.
    """
    kept = [group for group in groups if old.settle_s[group.start] > at.timestamp()]
    parts = [take_rows(old, np.arange(group.start, group.stop)) for group in kept]
    new, new_groups = generate_lines(underlying, at=at, spot=spot, rng=rng)
    wanted = _added(underlying, listed_on, new_york(at).date()) - {_key(group.expiry) for group in kept}
    fresh = [group for group in new_groups if _key(group.expiry) in wanted]
    scale = _at_the_money(parts, spot) / _at_the_money([take_rows(new, np.arange(len(new)))], spot)
    made = [_scaled(take_rows(new, np.arange(group.start, group.stop)), scale) for group in fresh]
    both = sorted(
        zip([group.expiry for group in kept + fresh], parts + made, strict=True), key=lambda pair: _order(pair[0])
    )
    return join_lines([expiry for expiry, _ in both], [lines for _, lines in both])


def _added(underlying: Underlying, before: date, today: date) -> set[tuple[str, date]]:
    earlier = {_key(expiry) for expiry in expiries_on(underlying, before)}
    return {_key(expiry) for expiry in expiries_on(underlying, today)} - earlier


def _key(expiry: Expiry) -> tuple[str, date]:
    return expiry.root, expiry.day


def _order(expiry: Expiry) -> tuple[datetime, str]:
    return expiry.settle_at, expiry.root


def _scaled(lines: ContractLines, scale: float) -> ContractLines:
    return replace(lines, sigma=lines.sigma * scale, iv=lines.iv * scale)


def _at_the_money(parts: list[ContractLines], spot: float) -> float:
    """The middle volatility of lines near spot; 1.0 where there are none."""
    near = [part.sigma[np.abs(part.strike / spot - 1.0) < _NEAR] for part in parts]
    sigmas = np.concatenate(near) if near else np.empty(0)
    return float(np.median(sigmas)) if sigmas.size else 1.0
