"""Exposures of priced strikes, ladders and totals; dealers long calls, short puts (`specs/gex-method.md` §3, §4).

Every figure is in US dollars; the name of a field ends with what it is per.
"""

from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, normal_cdf, normal_tail, years_to_expiry
from streaming.gex.pricing.priced import MULTIPLIER, PER_CENT, Kernel, PricedStrikes

OTHERS: Final = ("vex_usd_per_vol_point", "chex_usd_per_day", "dex_usd", "dex_dealer_usd", "chex_usd_to_close")
"""Vanna and charm exposure, then delta exposure in both conventions: sum of delta (puts negative by their own) and
dealer-signed (both sides positive); last what the dealer-signed one gains by time alone until the next close."""
_DAYS: Final = 365.0
GAMMA, VANNA, CHARM, CALL_DELTA, PUT_DELTA, TO_CLOSE = range(6)
"""The rows of `exposures_at_spot`."""


def exposures_at_spot(priced: PricedStrikes, kernel: Kernel, close_s: float) -> Floats:
    """What one contract at each priced strike exposes to at spot (the kernel's anchor), in dollars.

    Shape (6, entries): gamma per 1 %, vanna per point of volatility, charm per day, delta of a call, delta of a put
    (above 0), and what the call's gains until `close_s`, the next close. Gamma, vanna and charm are those of either
    side; a put's delta gains what the call's loses.
    """
    d1 = kernel.offset
    dollars = MULTIPLIER * kernel.anchor
    bell = np.exp(-0.5 * d1 * d1)
    each = np.empty((6, d1.size))
    gamma, vanna, charm, call, put, to_close = each
    above = d1 > 0.0
    tail = _signed_tail(d1, bell, dollars)
    np.subtract(0.0, tail, out=call)
    np.add(call, dollars, out=call, where=above)
    np.add(tail, dollars * ~above, out=put)
    later = _d1_at(priced, kernel, close_s)
    np.subtract(tail, _signed_tail(later, np.exp(-0.5 * later * later), dollars), out=to_close)
    crossed = np.flatnonzero((later > 0.0) != above)
    to_close[crossed] += np.where(above[crossed], -dollars, dollars)
    np.multiply(bell, kernel.slope, out=gamma)
    gamma *= PER_CENT * dollars / ROOT_2PI
    bell *= dollars / ROOT_2PI
    d2 = d1 - kernel.deviation
    np.divide(d2, priced.iv, out=vanna)
    vanna *= bell
    vanna *= -PER_CENT
    np.multiply(d2, kernel.deviation, out=charm)
    charm -= 2.0 * priced.log_ratio
    charm /= kernel.years
    charm *= kernel.slope
    charm *= bell
    charm *= 0.5 / _DAYS
    return each


def _signed_tail(d1: Floats, bell: Floats, dollars: float) -> Floats:
    """Dollars times what of the normal distribution lies beyond d1 on its side, with the sign of d1."""
    tail = normal_tail(d1, bell)
    tail *= dollars
    return np.copysign(tail, d1, out=tail)


def _d1_at(priced: PricedStrikes, kernel: Kernel, later_s: float) -> Floats:
    """d1 at a later instant, spot and volatility as they are; what settles before stays at its last minute."""
    later = priced.iv * np.sqrt(years_to_expiry(priced.settle_s, later_s))
    d1: Floats = (kernel.offset - 0.5 * kernel.deviation) * kernel.deviation / later + 0.5 * later
    return d1


def total_exposures(priced: PricedStrikes, each: Floats) -> Floats:
    """Net GEX, gross GEX and `OTHERS` of each span of the scopes; shape (7, 2, spans): by open interest, by volume."""
    pieces, entries = priced.pieces, len(priced)
    sums = pieces.totals(pieces.products(each, priced.held.reshape(4, entries)))
    puts, calls = np.moveaxis(sums.reshape(len(each), 2, 2, -1), 2, 0)
    net = calls - puts
    deltas = calls[CALL_DELTA], puts[PUT_DELTA]
    return np.stack(
        (
            net[GAMMA],
            calls[GAMMA] + puts[GAMMA],
            net[VANNA],
            net[CHARM],
            deltas[0] - deltas[1],
            deltas[0] + deltas[1],
            net[TO_CLOSE],
        )
    )


def hedges_usd_per_1pct(priced: PricedStrikes, kernel: Kernel, entries: slice) -> tuple[float, float]:
    """Half the change of dealer delta from -1 % to +1 % of spot, by open interest and by volume.

    Unlike GEX it stays finite as the time left goes to 0 (`specs/gex-method.md` §15); call and put swing alike.
    """
    slope, offset = kernel.slope[entries], kernel.offset[entries]
    up, down = normal_cdf(offset + slope * np.log([[1.0 + PER_CENT], [1.0 - PER_CENT]]))
    oi, vol = (0.5 * MULTIPLIER * kernel.anchor * (priced.net[:, entries] @ (up - down))).tolist()
    return oi, vol


def side_ladders(priced: PricedStrikes, gamma: Floats, strikes: int) -> Floats:
    """Gamma per strike, of puts and of calls apart, in each span of the scopes; shape (spans, 2, 2, strikes).

    By open interest, by volume; puts (below 0) first.
    """
    pieces = priced.pieces
    count = max(pieces.cuts.size - 1, 0)
    found = np.empty((len(pieces.spans), 2, 2, strikes))
    for weight, held in enumerate(priced.held):
        cells = np.bincount(priced.cell, (held * gamma).ravel(), count * 2 * strikes).reshape(count, 2, strikes)
        for number, span in enumerate(pieces.spans):
            cells[pieces.within(span)].sum(axis=0, out=found[number, weight])
    np.subtract(0.0, found[:, :, 0], out=found[:, :, 0])
    return found
