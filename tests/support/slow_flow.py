"""Signed flow as `specs/gex-method.md` §24 defines it, update by update and trade by trade.

Shares no code with `streaming`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.support.slow_gex import cdf, pdf


@dataclass(frozen=True)
class Update:
    """The whole state of an option after a change."""

    at_ms: int
    symbol: str
    volume: int | None
    last: float | None
    bid: float | None
    ask: float | None
    fresh: bool = False


@dataclass(frozen=True)
class Trade:
    """Contracts of one update: + bought, - sold, 0 where nobody can tell."""

    at_ms: int
    symbol: str
    contracts: int
    signed: int


def trades_of(updates: Iterable[Update]) -> list[Trade]:
    """Each rise of a volume."""
    found, seen = [], {}
    for update in updates:
        if update.fresh:
            seen.pop(update.symbol, None)
        if update.volume is None:
            continue
        rise = update.volume - seen.get(update.symbol, update.volume)
        seen[update.symbol] = update.volume
        if rise > 0:
            found.append(Trade(update.at_ms, update.symbol, rise, rise * direction(update)))
    return found


def direction(update: Update) -> int:
    """+1 the customer bought, -1 sold, 0 unsure."""
    last, bid, ask = update.last, update.bid, update.ask
    if last is None:
        return 0
    if bid is None or ask is None:
        return (ask is not None and last >= ask) - (bid is not None and last <= bid)
    if ask <= bid:
        return 0
    middle = (bid + ask) / 2
    return (last > middle) - (last < middle)


def dealers(signed: int, *, spot: float, strike: float, w: float, is_call: bool, ratio: float) -> tuple[float, float]:
    """What dealers took on when customers traded `signed`: dollars of delta, dollars of delta per 1 % move."""
    d1 = math.log(spot * ratio / strike) / w + w / 2
    delta = cdf(d1) if is_call else cdf(d1) - 1.0
    gamma = pdf(d1) / (spot * w)
    return -signed * 100 * spot * delta, -signed * 100 * spot * gamma * spot * 0.01


def summed(parts: Sequence[tuple[Trade, float, float]], begin_ms: int, end_ms: int) -> tuple[float, float, int, int]:
    """Delta, gamma, contracts and unsure ones of the minutes from `begin_ms` to before `end_ms`."""
    inside = [part for part in parts if begin_ms <= part[0].at_ms < end_ms]
    return (
        math.fsum(delta for _, delta, _ in inside),
        math.fsum(gamma for _, _, gamma in inside),
        sum(trade.contracts for trade, _, _ in inside),
        sum(trade.contracts for trade, _, _ in inside if trade.signed == 0),
    )
