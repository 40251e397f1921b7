"""Compares what the engine publishes with the slow definitions of `tests.support.slow_gex`, figure by figure."""

import math
from collections.abc import Mapping

import pytest

from streaming.gex.engine import GexEngine
from streaming.model import Flow, GexSnapshot, ScopeFigures, WeightFigures
from tests.support.slow_gex import SlowChain, SlowScope

SHARES = (0.0, 0.002, 0.006, 0.015, 0.03, 0.06, 0.1, 0.15, 0.19)
LEVELS = tuple(sorted({1.0 + sign * share for share in SHARES for sign in (1, -1)}))


def check_everything(engine: GexEngine, snapshot: GexSnapshot, slow: SlowChain, *, roots: bool = True) -> None:
    """Every figure of every scope under both weights; AssertionError at the first that differs."""
    for scope, dates in slow.scopes().items():
        found = snapshot.scopes[scope]
        check_quality(found, slow, scope)
        if found.contracts == found.contracts_unpriced:
            assert found.oi == found.vol == WeightFigures()
            continue
        check_risk_reversal(found, SlowScope(slow, dates, 0))
        for w, weight in enumerate(("oi", "vol")):
            own, figures = SlowScope(slow, dates, w), getattr(found, weight)
            check_ladder(engine, own, scope, w)
            if weight == "oi" and found.weight_priced_oi is None:
                assert figures == WeightFigures(), "open interest that was not sent is unknown, not 0"
                continue
            check_sums(figures, own, scope)
            check_levels(figures, own)
            if roots:
                check_roots(figures, own)


def check_quality(found: ScopeFigures, slow: SlowChain, scope: str) -> None:
    dates = set(slow.scopes()[scope])
    living, mirrored, unpriced, quoted, apart = (
        [line for line in lines if line.expiry in dates]
        for lines in (slow.living, slow.mirrored, slow.unpriced, slow.quoted, slow.apart)
    )
    series = {(line.root, line.expiry) for line in living}
    assert found.expiries == tuple(day.isoformat() for day in sorted(dates))
    counts = (found.contracts, found.contracts_mirrored, found.contracts_unpriced, found.contracts_quoted)
    assert counts == (len(living), len(mirrored), len(unpriced), len(quoted))
    assert (found.series, found.series_without_parity) == (len(series), len(series - set(slow.rhos)))
    assert found.series_by_neighbours == len(series & slow.by_neighbours)
    assert sum(fault.contracts for fault in found.iv_faults) == len(mirrored) + len(unpriced)
    for w, weight in enumerate(("oi", "vol")):
        whole = sum(line.weight[w] for line in living)
        names = ("unpriced", "mirrored", "priced", "quoted", "apart")
        shares = [getattr(found, f"weight_{name}_{weight}") for name in names]
        if whole == 0.0:
            assert shares == [0.0, *[None] * 4]
            continue
        assert math.fsum(shares[:3]) == pytest.approx(1.0)
        told = [living if lines is None else lines for lines in (unpriced, mirrored, None, quoted, apart)]
        for share, lines in [pair for pair in zip(shares, told, strict=True) if pair[1] is not living]:
            assert share == pytest.approx(sum(line.weight[w] for line in lines) / whole, abs=1e-12)


def check_risk_reversal(found: ScopeFigures, own: SlowScope) -> None:
    reversal = own.risk_reversal()
    assert reversal is not None
    assert found.rr25_expiry == reversal[0].isoformat()
    assert found.rr25 == (None if reversal[1] is None else pytest.approx(reversal[1], abs=1e-10))


def check_sums(figures: WeightFigures, own: SlowScope, scope: str) -> None:
    net, gross, dealer = own.net(), own.gross(), own.delta_dealer()
    size = max(dealer, 1e-4 * own.notional())  # a normal distribution to 1e-13 is good enough far from the money
    loud = max(gross, 1e-9 * own.notional())
    assert _close(figures.net_gex_usd_per_1pct, net, loud)
    assert _close(own.net_at(own.spot), net, loud)
    assert _close(figures.net_gex_usd_per_point, net / (0.01 * own.spot), loud / own.spot)
    assert _close(figures.gross_gex_usd_per_1pct, gross, loud)
    if gross == loud:
        assert figures.confidence == pytest.approx(abs(net) / gross if gross > 0.0 else None, abs=1e-9)
    assert _close(figures.dex_usd, own.delta_sum(), size)
    assert _close(figures.dex_dealer_usd, dealer, size)
    assert _close(figures.vex_usd_per_vol_point, own.vanna(), max(size, gross))
    assert _close(figures.chex_usd_to_close, own.charm_to_close(), size)
    daily = own.charm()
    assert (
        figures.chex_usd_per_day is None if daily is None else _close(figures.chex_usd_per_day, daily, max(size, gross))
    )
    if scope == "zero":
        assert _close(figures.hedge_usd_per_1pct, own.hedge(), size)
    else:
        assert figures.hedge_usd_per_1pct is None


def check_levels(figures: WeightFigures, own: SlowScope) -> None:
    net, calls, puts = own.ladder(), own.ladder(only=True), own.ladder(only=False)
    above = {strike: value for strike, value in calls.items() if strike >= own.spot}
    below = {strike: value for strike, value in puts.items() if strike <= own.spot}
    walls = {
        "call_wall": (net, 1.0),
        "put_wall": (net, -1.0),
        "call_wall_gross": (calls, 1.0),
        "put_wall_gross": (puts, -1.0),
        "call_wall_above": (above, 1.0),
        "put_wall_below": (below, -1.0),
    }
    for name, (ladder, sign) in walls.items():
        found, value = getattr(figures, name), getattr(figures, f"{name}_usd_per_1pct")
        _check_wall(found, own, ladder, sign)
        assert (found is None) == (value is None)
        assert found is None or _close(value, ladder[found], max(own.gross(), 1e-9 * own.notional()))
    split = own.split()
    assert figures.ladder_split == (None if split is None else pytest.approx(split, abs=1e-6))


def _check_wall(found: float | None, own: SlowScope, ladder: dict[float, float], sign: float) -> None:
    """The same strike, or one whose value is the same but for the order of summation."""
    expected = own.largest(ladder, sign)
    if found is None or expected is None:
        strongest = max((sign * value for value in ladder.values()), default=0.0)
        assert found is expected or strongest <= 1e-14 * own.gross()
    elif found != expected:
        assert _close(ladder[found], ladder[expected], 1e-3 * own.gross())


def check_ladder(engine: GexEngine, own: SlowScope, scope: str, w: int) -> None:
    expected, loud = own.ladder(), max(own.gross(), 1e-9 * own.notional())
    for row in engine.ladder(scope):
        assert _close(row[2 - w], expected.pop(row[0], 0.0), loud)
    assert expected == {}
    calls, puts = own.ladder(only=True), own.ladder(only=False)
    for strike, *parts in engine.sides(scope):
        call, put = parts[2 - 2 * w : 4 - 2 * w]
        assert math.isclose(call, calls.get(strike, 0.0), rel_tol=1e-9, abs_tol=0.5 + 1e-9 * loud)
        assert math.isclose(put, puts.get(strike, 0.0), rel_tol=1e-9, abs_tol=0.5 + 1e-9 * loud)


def check_roots(figures: WeightFigures, own: SlowScope) -> None:
    """Each root is a zero by bisection; between them the total has the sign that their directions say."""
    roots = list(zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=True))
    for root, direction in roots:
        low, high = root * (1.0 - 2e-5), root * (1.0 + 2e-5)
        assert own.net_at(low) * direction < 0.0 < own.net_at(high) * direction
        assert own.bisect(low, high) == pytest.approx(root, abs=1e-6)
    nearest = min((root for root, _ in roots), key=lambda root: (abs(root - own.spot), root), default=None)
    assert figures.zero_gamma == nearest
    check_signs(figures, own)


def check_signs(figures: WeightFigures, own: SlowScope) -> None:
    """At levels of our own choice the total has the sign that the roots around it say; a fading total has none."""
    roots = list(zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=True))
    samples = {level * own.spot: own.net_at(level * own.spot) for level in LEVELS}
    loudest = max(abs(total) for total in samples.values())
    if figures.zero_gamma_note == "no exposure":
        assert loudest == 0.0
        return
    start = -roots[0][1] if roots else {"positive everywhere": 1, "negative everywhere": -1}[figures.zero_gamma_note]
    for level, total in samples.items():
        if abs(total) > 1e-9 * loudest:
            passed = [direction for root, direction in roots if root < level]
            assert total * (passed[-1] if passed else start) > 0.0, level


def _close(mine: float | None, theirs: float, size: float) -> bool:
    return mine is not None and math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9 * size)


def check_flow(found: Flow, slow: SlowScope, counts: Mapping[tuple[float, str], float] | None) -> None:
    """One span of the flow: total, contracts and strongest strike; null throughout where the counts are not known."""
    if counts is None:
        assert found == Flow(span=found.span)
        return
    strikes = slow.flow(counts)
    listed = [item.line for item in slow.all]
    assert found.contracts == sum(counts.get((line.strike, "C" if line.call else "P"), 0.0) for line in listed)
    assert found.usd_per_1pct == pytest.approx(math.fsum(strikes.values()), rel=1e-9, abs=1e-3)
    strongest = max((abs(value) for value in strikes.values()), default=0.0)
    assert abs(found.strike_usd_per_1pct) == pytest.approx(strongest, rel=1e-9, abs=1e-3)
    if found.strike is None:
        assert found.strike_usd_per_1pct == 0.0, "where nothing was traded we name no strike"
    else:
        assert found.strike_usd_per_1pct == pytest.approx(strikes[found.strike], rel=1e-9, abs=1e-3)
