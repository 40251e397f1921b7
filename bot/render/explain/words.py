"""What each figure means and by which convention it is published; words only, no numbers of a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """A figure's title, and what it means with its sign, weight and unit in one or two sentences."""

    title: str
    text: str


MEANINGS: Final[Mapping[str, Meaning]] = {
    "spot": Meaning(
        "Spot",
        "The price of the underlying at which every other figure is computed, in points; a futures ticker shows the "
        "index plus the basis.",
    ),
    "zero_gamma": Meaning(
        "Zero gamma",
        "The price at which dealers' modelled hedging turns from amplifying moves (total below 0) to dampening them "
        "(above 0), or back. All contracts are priced again at other prices, by open interest, calls + and puts −, "
        "and the level nearest spot where the total is 0 is taken, in points.",
    ),
    "ladder_split": Meaning(
        "Ladder split",
        "Another method that also goes by the name of zero gamma: walking up the strikes within 3.5 % of spot, the "
        "point where the running sum of net gamma turns up from its lowest. It reads the ladder at today's spot and "
        "prices nothing again, so it differs from zero gamma and is meant to; in points.",
    ),
    "call_wall": Meaning(
        "Call wall",
        "The strike, in points, where calls (+) outweigh puts (−) most, by open interest and over all expiries of the "
        "scope; it need not be above spot. Dealers' hedging is thought to resist moves most there.",
    ),
    "put_wall": Meaning(
        "Put wall",
        "The strike, in points, where puts (−) outweigh calls (+) most, by open interest and over all expiries of the "
        "scope; it need not be below spot. Its net is negative: dealers' hedging is thought to add to moves there.",
    ),
    "gross_walls": Meaning(
        "Gross walls",
        "The strikes with the most gamma of calls alone and of puts alone, not set off against each other as in the "
        "call wall and put wall; in points.",
    ),
    "side_walls": Meaning(
        "Walls above and below",
        "The gross walls with a side: the strongest call strike at or above spot and the strongest put strike at or "
        "below it. They read as resistance and support, but jump when spot crosses a strike; in points.",
    ),
    "net_gex": Meaning(
        "Net GEX",
        "How many US dollars of the underlying dealers would trade to stay hedged when spot moves 1 %, by today's "
        "volume: calls count +, puts −. Above 0 they trade against the move and dampen it, below 0 with it.",
    ),
    "scaled_gamma": Meaning(
        "Scaled gamma",
        "The same sum as net GEX, weighted by open interest instead of today's volume: US dollars per 1 % move, calls "
        "+, puts −. Open interest is counted overnight, so during the day only spot, volatility and time move it.",
    ),
    "gross_gex": Meaning(
        "Gross GEX",
        "The exposure of all contracts added without their signs, in US dollars per 1 % move: how much gamma there is "
        "at all. Net against gross tells how one-sided the book is.",
    ),
    "max_change": Meaning(
        "Max change",
        "The strike whose net gamma by volume changed most, with the signed change in US dollars per 1 % move: against "
        "the previous snapshot, and over 1, 5, 10, 15 and 30 minutes. Part of it is spot and time, not trades; a "
        "window without a snapshot of its age is left open.",
    ),
    "vanna": Meaning(
        "Vanna exposure",
        "How many US dollars of delta dealers' book gains when volatility rises by one point (0.01), calls +, puts −. "
        "The hedge they trade has the opposite sign.",
    ),
    "charm": Meaning(
        "Charm exposure",
        "How many US dollars of delta dealers' book gains in one calendar day by the passing of time alone, calls +, "
        "puts −. The hedge they trade has the opposite sign.",
    ),
    "delta": Meaning(
        "Delta exposure",
        "The delta of all contracts in US dollars, in both conventions: as a plain sum, where puts are negative by "
        "their own delta, and dealer-signed, where puts count − once more and both sides come out positive.",
    ),
    "hedge": Meaning(
        "Hedge per 1 %",
        "Half of what dealers' delta changes between 1 % below and 1 % above spot, in US dollars, for the nearest "
        "expiry, calls +, puts −. It stays finite in the last minutes, when GEX per 1 % grows without bound.",
    ),
    "rr25": Meaning(
        "Risk reversal",
        "The implied volatility of the call with a delta of 25 % minus that of the put, both out of the money, at the "
        "scope's expiry nearest to 30 days; in volatility points. Negative means that protection against a fall costs "
        "more, which is usual for an index.",
    ),
    "confidence": Meaning(
        "Confidence",
        "Net GEX over gross GEX without its sign, from 0 to 1. Near 0 calls and puts cancel and the sign of the total, "
        "with the regime it stands for, is undecided.",
    ),
    "slope": Meaning(
        "Slope",
        "How fast the total passes through 0 at zero gamma: US dollars per 1 % move for each point of spot, + where it "
        "rises. A flat slope means a soft level that small changes of the data move far.",
    ),
    "quality": Meaning(
        "Quality",
        "How much of the weight could be priced. A contract without a usable implied volatility (between 2 % and "
        "1000 %) borrows that of the other side at its strike, which counts as mirrored, or is left out.",
    ),
    "basis": Meaning(
        "Basis",
        "Future minus index, in points: the median over 30 seconds of quotes that were fresh on both sides. It is "
        "added to every level of a futures ticker; dollar figures stay those of the index options.",
    ),
}

BOARD_LINES: Final[Mapping[str, str]] = {
    "spot": "the price everything is computed at; Δ is its change over the stated time",
    "zero_gamma": "where the total gamma by open interest, priced again at other prices, turns its sign",
    "call_wall": "the strike where calls outweigh puts most, by open interest",
    "put_wall": "the strike where puts outweigh calls most, by open interest",
    "net_gex": "dollars dealers would trade per 1 % move, by today's volume; + dampens, − amplifies",
    "scaled_gamma": "the same by open interest",
    "max_change": "the largest change of one strike by volume since the previous snapshot",
}
"""The lines of the live message in its order, one sentence each."""
