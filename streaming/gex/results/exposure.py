"""Exposures of priced strikes, ladders and totals; dealers long calls, short puts (`specs/gex-method.md` §3, §4).

Every figure is in US dollars; the name of a field ends with what it is per.
"""

from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, normal_cdf, normal_tail
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
    d1, dollars = kernel.offset, MULTIPLIER * kernel.anchor
    both = np.stack((d1, _d1_at(priced, kernel, close_s)))
    bells = both * both
    bells *= -0.5
    np.exp(bells, out=bells)
    tails = normal_tail(both, bells)
    tails *= dollars
    np.copysign(tails, both, out=tails)
    bell, tail = bells[0], tails[0]
    above, above_later = both > 0.0
    each = np.empty((6, d1.size))
    gamma, vanna, charm, call, put, to_close = each
    np.multiply(above, dollars, out=call)
    np.subtract(dollars, call, out=put)
    put += tail
    call -= tail
    np.subtract(tail, tails[1], out=to_close)
    crossed = np.flatnonzero(above_later != above)
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


def _d1_at(priced: PricedStrikes, kernel: Kernel, later_s: float) -> Floats:
    """d1 at a later instant, spot and volatility as they are; what settles before stays at its last minute."""
    later = priced.deviation_at(later_s)
    d1 = kernel.moneyness / later
    later *= 0.5
    d1 += later
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
    found = np.empty((len(pieces.spans), 2, 2 * strikes))
    for weight, held in enumerate(priced.held):
        cells = np.bincount(priced.cell, (held * gamma).ravel(), count * 2 * strikes).astype(np.float64, copy=False)
        found[:, weight] = pieces.totals(cells.reshape(count, 2 * strikes).T).T
    ladders = found.reshape(len(found), 2, 2, strikes)
    np.subtract(0.0, ladders[:, :, 0], out=ladders[:, :, 0])
    return ladders
