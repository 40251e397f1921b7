"""The definitions of `specs/gex-method.md` once more, one contract at a time in plain Python.

Shares no code with `streaming.gex`. Slow and simple on purpose: what the engine publishes is compared with what this
finds. `w` is 0 for open interest and 1 for volume throughout.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from tests.support.slow_calendar import closes_early, is_closed

NEW_YORK = ZoneInfo("America/New_York")
AM_ROOTS = {"SPX", "NDX", "RUT", "VIX", "VIXW", "DJX", "MXEA", "MXEF", "RUI", "RLG"}


@dataclass(frozen=True, slots=True)
class Contract:
    """One listed line; `weight` is (open interest, volume)."""

    root: str
    expiry: date
    call: bool
    strike: float
    iv: float
    weight: tuple[float, float]
    bid: float = math.nan
    ask: float = math.nan
    gamma: float = math.nan
    vega: float = math.nan

    @property
    def sign(self) -> float:
        """Dealers are long calls and short puts (§4)."""
        return 1.0 if self.call else -1.0


def settles(root: str, expiry: date) -> datetime:
    """§5: 09:30 for AM roots, else the close, in UTC."""
    moment = time(9, 30) if root in AM_ROOTS else time(13) if closes_early(expiry) else time(16)
    return datetime.combine(expiry, moment, NEW_YORK).astimezone(UTC)


def next_close(asof: datetime) -> datetime:
    """The first close after an instant, in UTC."""
    day = asof.astimezone(NEW_YORK).date()
    while is_closed(day) or settles("SPXW", day) <= asof:
        day += timedelta(days=1)
    return settles("SPXW", day)


def years(root: str, expiry: date, asof: datetime) -> float:
    return max((settles(root, expiry) - asof.astimezone(UTC)).total_seconds(), 60.0) / (365 * 86_400)


def cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def pdf(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


class Priced:
    """A contract with the volatility, time and forward (as a ratio to spot) it is priced with."""

    def __init__(self, line: Contract, iv: float, left: float, rho: float) -> None:
        self.line, self.iv, self.years, self.rho = line, iv, left, rho
        self.deviation = iv * math.sqrt(left)

    def d1(self, spot: float) -> float:
        return math.log(self.rho * spot / self.line.strike) / self.deviation + self.deviation / 2.0

    def gamma(self, spot: float) -> float:
        return pdf(self.d1(spot)) / (spot * self.deviation)

    def delta(self, spot: float) -> float:
        return self.line.sign * cdf(self.line.sign * self.d1(spot))

    def vanna(self, spot: float) -> float:
        d1 = self.d1(spot)
        return -pdf(d1) * (d1 - self.deviation) / self.iv

    def charm(self, spot: float) -> float:
        d1 = self.d1(spot)
        drift = 2.0 * math.log(self.rho) - (d1 - self.deviation) * self.deviation
        return -pdf(d1) * drift / (2.0 * self.years * self.deviation)

    def gex(self, spot: float, w: int) -> float:
        return self.line.sign * self.line.weight[w] * 100.0 * spot * spot * 0.01 * self.gamma(spot)


def black(w: float, forward: float, strike: float, *, call: bool) -> float:
    """§7: an undiscounted price."""
    side = 1.0 if call else -1.0
    d1 = math.log(forward / strike) / w + w / 2.0
    return side * (forward * cdf(side * d1) - strike * cdf(side * (d1 - w)))


def says_a_price(line: Contract) -> bool:
    """§6, §7: quoted on both sides, uncrossed, and no wider than half of its middle or 0.15."""
    if not (line.bid > 0.0 and line.ask >= line.bid):
        return False
    return line.ask - line.bid <= max((line.bid + line.ask) / 4.0, 0.15)


def total_volatility(line: Contract, forward: float) -> float | None:
    """§7: w from the middle of an out-of-the-money quote by halving; None where it says none."""
    price = (line.bid + line.ask) / 2.0
    if not says_a_price(line) or not 0.0 < price < min(forward, line.strike):
        return None
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if black(middle, forward, line.strike, call=line.call) < price else (low, middle)
    return 0.5 * (low + high)


def usable(line: Contract | None) -> float | None:
    """§7: the feed's volatility if it is one."""
    return line.iv if line is not None and math.isfinite(line.iv) and 0.02 < line.iv < 10.0 else None


class SlowChain:
    """The contracts of one underlying at one quote time, with everything that `specs/gex-method.md` asks of them.

    `rule` is `quotes`, `otm` or `line`; by the last `mirror` says whether a bad volatility is replaced.
    """

    def __init__(
        self,
        contracts: Iterable[Contract],
        spot: float,
        asof: datetime,
        *,
        rule: str = "quotes",
        mirror: bool = True,
        parity: bool = True,
        digit: float = math.inf,
    ) -> None:
        """`digit` is the last one of the feed's gamma and vega, where it sends them."""
        self.contracts, self.spot, self.asof, self.rule, self.mirror = list(contracts), spot, asof, rule, mirror
        self.by_neighbours: set[tuple[str, date]] = set()
        self.rhos = self._judged(self._forwards()) if parity else {}
        self.living = [line for line in self.contracts if settles(line.root, line.expiry) > asof]
        self._listed = {(line.root, line.expiry, line.strike, line.call): line for line in self.contracts}
        self.quoted: list[Contract] = []
        self.mirrored: list[Contract] = []
        self.unpriced: list[Contract] = []
        self.apart: list[Contract] = []
        self.priced: list[Priced] = []
        self._clocks = {} if rule == "line" else self._feed_clocks(digit)
        for line in self.living:
            left = years(line.root, line.expiry, asof)
            rho = self.rhos.get((line.root, line.expiry), 1.0)
            iv = self._own(line) if rule == "line" else self._of_strike(line, left, rho)
            if iv is not None:
                self.priced.append(Priced(line, iv, left, rho))

    def _side(self, line: Contract, *, call: bool) -> Contract | None:
        return self._listed.get((line.root, line.expiry, line.strike, call))

    def _own(self, line: Contract) -> float | None:
        """By the rule `line`: its own volatility, else the other side's."""
        self._compare(line)
        iv, other = usable(line), usable(self._side(line, call=not line.call))
        if iv is None and self.mirror and other is not None:
            self.mirrored.append(line)
            return other
        if iv is None:
            self.unpriced.append(line)
        return iv

    def _of_strike(self, line: Contract, left: float, rho: float) -> float | None:
        """By price where the out-of-the-money side has one, else its volatility, else the other side's."""
        self._compare(line)
        forward = rho * self.spot
        call = line.strike >= forward
        side, other = self._side(line, call=call), self._side(line, call=not call)
        total = total_volatility(side, forward) if side is not None and self.rule == "quotes" else None
        if total is not None:
            self.quoted.append(line)
            return total / math.sqrt(left)
        iv = usable(side)
        if iv is None:
            iv = usable(other)
            (self.unpriced if iv is None else self.mirrored).append(line)
        return None if iv is None else iv * self._clocks.get((line.root, line.expiry), 1.0)

    def _feed_clocks(self, digit: float) -> dict[tuple[str, date], float]:
        """§5: √(the feed's time / ours) of each series, by its greeks, else by its prices."""
        factors = {}
        for series in {(line.root, line.expiry) for line in self.living}:
            lines = [line for line in self.living if (line.root, line.expiry) == series]
            left_s = (settles(*series) - self.asof).total_seconds()
            own_s = self._by_greeks(lines, left_s, digit)
            if own_s is None and self.rule == "quotes":
                own_s = self._by_prices(lines, left_s)
            if own_s is not None:
                factors[series] = math.sqrt(max(own_s, 60.0) / max(left_s, 60.0))
        return factors

    def _by_greeks(self, lines: list[Contract], left_s: float, digit: float) -> float | None:
        told = [
            365 * 86_400 * 100.0 * line.vega / (line.gamma * self.spot**2 * line.iv)
            for line in lines
            if line.gamma >= 100 * digit and line.vega >= 100 * digit and usable(line) is not None
        ]
        own_s = median(told) if len(told) >= 3 else math.nan
        return own_s if own_s > 0.0 and abs(own_s - left_s) <= 4 * 86_400 else None

    def _by_prices(self, lines: list[Contract], left_s: float) -> float | None:
        ratios = []
        for line in lines:
            forward = self.rhos.get((line.root, line.expiry), 1.0) * self.spot
            if line.call == (line.strike >= forward) and usable(line) is not None:
                total = total_volatility(line, forward)
                if total is not None and abs(math.log(line.strike / forward)) <= 1.3 * total:
                    ratios.append(total / (line.iv * math.sqrt(max(left_s, 60.0) / (365 * 86_400))))
        ratios.sort()
        low, middle, high = (ratios[(len(ratios) - 1) * k // 4] if ratios else math.nan for k in (1, 2, 3))
        return left_s * middle**2 if len(ratios) >= 3 and high - low <= 0.03 * middle else None

    def _compare(self, line: Contract) -> None:
        ivs = [usable(self._side(line, call=call)) for call in (True, False)]
        if ivs[0] is not None and ivs[1] is not None and abs(ivs[0] - ivs[1]) > 0.01:
            self.apart.append(line)

    def scopes(self) -> dict[str, list[date]]:
        """§10: the dates of each scope."""
        dates = sorted({line.expiry for line in self.living})
        today = self.asof.astimezone(NEW_YORK).date()
        full = [day for day in dates if (day - today).days <= 90]
        return {"zero": dates[:1], "one": dates[1:2], "full": full, "all": dates}

    def _judged(self, rhos: dict[tuple[str, date], float]) -> dict[tuple[str, date], float]:
        """§6: what leaves both neighbours' carry to the same side is replaced by what lies between the others."""
        curve = sorted((settles(*series).timestamp() / (365 * 86_400), series[0], series) for series in rhos)
        points = [(at, math.log(rhos[series]), series) for at, _, series in curve if 0.5 < rhos[series] < 2.0]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points) if b[0] > a[0]]
        carry = median(slopes) if slopes else 0.0
        for before, here, after in zip(points, points[1:], points[2:], strict=False):
            left = here[1] - before[1] - carry * (here[0] - before[0])
            right = here[1] - after[1] + carry * (after[0] - here[0])
            if left * right > 0.0 and min(abs(left), abs(right)) > 0.003 + 0.004 * (after[0] - before[0]):
                self.by_neighbours.add(here[2])
        kept = [point for point in points if point[2] not in self.by_neighbours]
        found = {series: math.exp(growth) for _, growth, series in kept}
        for at, _, series in points:
            if series in self.by_neighbours:
                low, high = max(p for p in kept if p[0] <= at), min(p for p in kept if p[0] > at)
                share = (at - low[0]) / (high[0] - low[0])
                found[series] = math.exp(low[1] + share * (high[1] - low[1]))
        return found

    def _forwards(self) -> dict[tuple[str, date], float]:
        """§6: parity per root and date from the seven quoted strikes nearest spot."""
        quotes = {
            (line.root, line.expiry, line.strike, line.call): (line.bid + line.ask) / 2.0
            for line in self.contracts
            if says_a_price(line)
        }
        implied: dict[tuple[str, date], list[tuple[float, float, float]]] = defaultdict(list)
        for (root, expiry, strike, call), mid in quotes.items():
            other = quotes.get((root, expiry, strike, False)) if call else None
            if other is not None:
                implied[root, expiry].append((abs(strike - self.spot), strike, strike + mid - other))
        return {
            series: median(forward for _, _, forward in sorted(found)[:7]) / self.spot
            for series, found in implied.items()
        }


class SlowScope:
    """Every figure of some dates of a chain under one weight."""

    def __init__(self, chain: SlowChain, dates: Sequence[date], w: int) -> None:
        self.spot, self.w, self.dates = chain.spot, w, set(dates)
        self.asof, self.rhos = chain.asof, chain.rhos
        self.all = [item for item in chain.priced if item.line.expiry in self.dates]
        self.lines = [item for item in self.all if item.line.weight[w] > 0.0]
        self.at_spot = [item.gex(self.spot, w) for item in self.lines]
        self._terms = [
            (item.line.sign * item.line.weight[w], item.deviation, item.rho / item.line.strike) for item in self.lines
        ]

    def total(self, each: Callable[[Priced], float]) -> float:
        return math.fsum(each(item) for item in self.lines)

    def weighted(self, each: Callable[[Priced], float]) -> float:
        return self.total(lambda item: item.line.weight[self.w] * 100.0 * self.spot * each(item))

    def net(self) -> float:
        return math.fsum(self.at_spot)

    def gross(self) -> float:
        return math.fsum(map(abs, self.at_spot))

    def net_at(self, level: float) -> float:
        """§9: the total at another level, volatility, time and forward ratio kept; `Priced.gex` written out."""
        sizes = (
            size * math.exp(-0.5 * (math.log(ratio * level) / deviation + 0.5 * deviation) ** 2) / deviation
            for size, deviation, ratio in self._terms
        )
        return level * math.fsum(sizes) / math.sqrt(2.0 * math.pi)

    def notional(self) -> float:
        return self.weighted(lambda _: 1.0)

    def vanna(self) -> float:
        return self.weighted(lambda item: item.line.sign * 0.01 * item.vanna(self.spot))

    def charm(self) -> float | None:
        """§15: per day, where every line lives that long."""
        if any(item.years < 1.0 / 365.0 for item in self.lines):
            return None
        return self.weighted(lambda item: item.line.sign * item.charm(self.spot) / 365.0)

    def charm_to_close(self) -> float:
        """§15: what dealers' delta gains until the next close, spot and volatility as they are."""
        close = next_close(self.asof)

        def gain(item: Priced) -> float:
            left = years(item.line.root, item.line.expiry, close)
            then = Priced(item.line, item.iv, left, item.rho)
            return item.line.sign * (then.delta(self.spot) - item.delta(self.spot))

        return self.weighted(gain)

    def delta_sum(self) -> float:
        return self.weighted(lambda item: item.delta(self.spot))

    def delta_dealer(self) -> float:
        return self.weighted(lambda item: item.line.sign * item.delta(self.spot))

    def hedge(self) -> float:
        """§15: half the change of dealers' delta from -1 % to +1 %."""
        up, down = 1.01 * self.spot, 0.99 * self.spot
        return self.weighted(lambda item: item.line.sign * (item.delta(up) - item.delta(down)) / 2.0)

    def ladder(self, only: bool | None = None) -> dict[float, float]:
        """§8: net by exact strike; of calls or puts alone when told so."""
        strikes: dict[float, list[float]] = defaultdict(list)
        for item, value in zip(self.lines, self.at_spot, strict=True):
            if only is None or item.line.call == only:
                strikes[item.line.strike].append(value)
        return {strike: math.fsum(values) for strike, values in strikes.items()}

    def flow(self, counts: Mapping[tuple[float, str], float]) -> dict[float, float]:
        """§11: what was traded, by strike and side, at the gamma of now."""
        strikes: dict[float, float] = defaultdict(float)
        for item in self.all:
            line = item.line
            each = line.sign * 100.0 * self.spot * self.spot * 0.01 * item.gamma(self.spot)
            strikes[line.strike] += counts.get((line.strike, "C" if line.call else "P"), 0.0) * each
        return strikes

    def largest(self, ladder: dict[float, float], sign: float) -> float | None:
        """§8: the strike with the largest (sign 1) or smallest (-1) value if it has that sign; ties nearer to spot."""
        best = max((sign * value for value in ladder.values()), default=0.0)
        if best <= 0.0:
            return None
        tied = [strike for strike, value in ladder.items() if sign * value == best]
        return min(tied, key=lambda strike: (abs(strike - self.spot), strike))

    def split(self) -> float | None:
        """§9: the ladder split."""
        near = sorted((k, v) for k, v in self.ladder().items() if abs(k - self.spot) <= 0.035 * self.spot and v != 0.0)
        running, lowest, at = 0.0, 0.0, None
        for i, (_, value) in enumerate(near):
            running += value
            if running < lowest:
                lowest, at = running, i
        if at is None or at == len(near) - 1:
            return None
        (low, below), (high, above) = near[at], near[at + 1]
        return low + (high - low) * -below / (above - below)

    def bisect(self, low: float, high: float) -> float:
        """The zero between two near levels of opposite sign, by halving their distance 24 times."""
        rising = self.net_at(low) < 0.0
        for _ in range(24):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if (self.net_at(middle) < 0.0) == rising else (low, middle)
        return 0.5 * (low + high)

    def risk_reversal(self) -> tuple[date, float | None] | None:
        """§12, of the date nearest to 30 days; of its PM contracts when AM ones share the date."""
        if not self.dates:
            return None
        today = self.asof.astimezone(NEW_YORK).date()
        day = min(sorted(self.dates), key=lambda found: abs((found - today).days - 30))
        lines = [item for item in self.all if item.line.expiry == day]
        if any(item.line.root not in AM_ROOTS for item in lines):
            lines = [item for item in lines if item.line.root not in AM_ROOTS]
        ivs = [self._quarter(lines, call=call) for call in (True, False)]
        return day, None if ivs[0] is None or ivs[1] is None else ivs[0] - ivs[1]

    def _quarter(self, lines: list[Priced], *, call: bool) -> float | None:
        """Outwards from spot, the volatility between the two lines whose deltas bracket 25 %."""
        out = [item for item in lines if item.line.call == call and (item.line.strike >= self.spot) >= call]
        out = [item for item in out if call or item.line.strike <= self.spot]
        out.sort(key=lambda item: item.line.strike, reverse=not call)
        found = [(abs(item.delta(self.spot)), item.iv) for item in out]
        for (near, iv), (far, next_iv) in pairwise(found):
            if near >= 0.25 >= far:
                return iv + (next_iv - iv) * ((near - 0.25) / (near - far) if near > far else 0.0)
        return None
