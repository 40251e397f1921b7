"""What a snapshot's figures were made of, and why one is absent; honest about what only its producer knows. Pure."""

from datetime import datetime
from typing import Final

from bot.render.message_form import stamp
from bot.render.numbers import DIGITS, age, signed, significant_bn
from bot.render.origin_words import freshness_words, origin_words, source_text
from streaming.chains.quality_words import dividend_words, quality_words
from streaming.clock import instant_of
from streaming.figures import figures_of_scope
from streaming.model import (
    SCOPE_WORDS,
    VOLATILITY_RULES,
    WEIGHT_NAMES,
    GexSnapshot,
    ScopeFigures,
    WeightName,
)

_MOST_FAULTS: Final = 3
_BILLION: Final = 1e9
_FEWEST_OF_A_BILLION: Final = 1e4
_FINEST: Final = 7
"""Decimals of a billion, for three digits of 10,000 dollars."""


def producer(snapshot: GexSnapshot) -> str:
    """Who made the figures: of a replay, who made what was recorded."""
    return source_text(snapshot.source if snapshot.replay is None else snapshot.replay.of)


def absent(snapshot: GexSnapshot, scope: ScopeFigures | None, weight: WeightName, *, level: bool) -> str:
    """That a figure is unknown, and why as far as the snapshot tells; `level` for those that are prices."""
    return f"Here it is unknown: {_why_absent(snapshot, scope, weight, level=level)}."


def _why_absent(snapshot: GexSnapshot, scope: ScopeFigures | None, weight: WeightName, *, level: bool) -> str:
    if scope is None:
        return f"{producer(snapshot)} does not give it"
    if scope.contracts == 0:
        return "no unexpired contract is in the scope"
    if scope.contracts == scope.contracts_unpriced:
        return f"none of the {scope.contracts:,} contracts has a usable volatility"
    if snapshot.spot is None:
        return "no basis to shift levels by has been seen yet" if level else "spot is unknown"
    figures = scope.by(weight)
    if not figures.gross_gex_usd_per_1pct:
        return "nothing has traded yet today" if weight == "vol" else "there is no open interest"
    return "the data does not determine it"


def made_of(snapshot: GexSnapshot, weight: WeightName, *, now: datetime) -> str:
    """Expiries, contracts, quality under one weight, forwards and quote time in a few sentences."""
    scope = figures_of_scope(snapshot, None)
    if scope is None:
        return f"{_foreign(snapshot)} {quote_time(snapshot, now=now)}"
    parts = [
        _listing(snapshot, scope),
        _rule(snapshot),
        f"Of the {WEIGHT_NAMES[weight]} {shares(scope, weight)}.",
        _forwards(snapshot, scope),
        _dividend(snapshot),
        met(snapshot),
    ]
    return " ".join([*(part for part in parts if part), quote_time(snapshot, now=now)])


def shares(scope: ScopeFigures, weight: WeightName) -> str:
    """How much of one weight is priced with what, and how much lies where the feed's two volatilities disagree."""
    priced, quoted, mirrored, unpriced, apart = (
        getattr(scope, f"weight_{name}_{weight}") for name in ("priced", "quoted", "mirrored", "unpriced", "apart")
    )
    if priced is None or mirrored is None:
        return "there is none yet" if weight == "vol" else "there is none"
    by_price = f"{quoted:.1%} is priced from quotes, {priced - quoted:.1%}" if quoted else f"{priced:.1%} is priced"
    words = f"{by_price} by its own volatility, {mirrored:.1%} mirrored, {unpriced:.1%} left out"
    return f"{words}; {apart:.1%} lies at strikes whose two sides differ by more than a point" if apart else words


def _dividend(snapshot: GexSnapshot) -> str:
    words = dividend_words(snapshot.ex_dividend_date, snapshot.dividend_ahead, snapshot.asof_ms)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _rule(snapshot: GexSnapshot) -> str:
    rule = snapshot.volatility_rule
    return "" if rule is None else f"Volatility: {VOLATILITY_RULES[rule]}."


def faults(scope: ScopeFigures) -> str:
    """The commonest reasons for mirrored and left-out contracts; empty when there is none."""
    words = [f"{item.contracts:,} {item.fault} ({item.outcome})" for item in scope.iv_faults[:_MOST_FAULTS]]
    rest = sum(item.contracts for item in scope.iv_faults[_MOST_FAULTS:])
    return ", ".join(words) + (f", {rest:,} others" if rest else "")


def quote_time(snapshot: GexSnapshot, *, now: datetime) -> str:
    """When the quotes were live and how old that is; a replay is called one."""
    quoted = stamp(instant_of(snapshot.asof_ms))
    if snapshot.replay is not None:
        return f"**{origin_words(snapshot)}**: recorded with quotes of {quoted}, not of now."
    words = freshness_words(snapshot, now)
    oldest = "" if snapshot.chain_ms is None else _oldest(snapshot.asof_ms - snapshot.chain_ms)
    state = "" if snapshot.state == "live" else f"; the session is {snapshot.state}"
    origin = origin_words(snapshot)
    made_up = "" if origin is None else f"**{origin}**, not of the market. "
    return f"{made_up}Quotes of {quoted} ({words}){oldest}{state}."


def _oldest(lag_ms: int) -> str:
    return f", the oldest part of the chain {age(lag_ms / 1000)} before" if lag_ms >= 1000 else ""  # noqa: PLR2004  # 1 s


def _foreign(snapshot: GexSnapshot) -> str:
    said = "which expiries it sums over" if snapshot.scope is None else f"it sums over {SCOPE_WORDS[snapshot.scope]}"
    stated = f"It does not say {said}" if snapshot.scope is None else f"It says that {said}"
    return (
        f"Computed by {producer(snapshot)}, not by Gexcord. {stated}; "
        "which volatilities, rates and clock it uses and what it leaves out is unknown here."
    )


def _listing(snapshot: GexSnapshot, scope: ScopeFigures) -> str:
    dates, words = scope.expiries, "" if snapshot.scope is None else SCOPE_WORDS[snapshot.scope]
    if not dates:
        return f"Scope {snapshot.scope} ({words}) holds no unexpired contract."
    span = dates[0] if len(dates) == 1 else f"{len(dates)} dates from {dates[0]} to {dates[-1]}"
    settled = f"; {snapshot.contracts_settled:,} settled ones are left out" if snapshot.contracts_settled else ""
    return f"Scope {snapshot.scope} ({words}): {span}, {scope.contracts:,} contracts of {producer(snapshot)}{settled}."


def _forwards(snapshot: GexSnapshot, scope: ScopeFigures) -> str:
    if snapshot.forward_mode is None or scope.series == 0:
        return ""
    if snapshot.forward_mode == "none":
        return "Forwards: spot itself, without rates or dividends."
    found = scope.series - scope.series_without_parity
    rest = f"; the other {scope.series_without_parity} use spot" if scope.series_without_parity else ""
    judged = f"; {scope.series_by_neighbours} are judged by their neighbours" if scope.series_by_neighbours else ""
    return f"Forwards from put-call parity in {found} of {scope.series} series of root and date{rest}{judged}."


def met(snapshot: GexSnapshot) -> str:
    """What reading the chain met, in a sentence; empty where nothing."""
    words = "" if snapshot.chain_quality is None else "; ".join(quality_words(snapshot.chain_quality))
    return f"Of the chain: {words}." if words else ""


def money(value: float) -> str:
    """US dollars with their sign, in billions to three significant digits: +1.23Bn; from −9,999 to +9,999 as they are.

    Finer than the message, because what is explained may be a part of a figure, such as its slope for each point.
    """
    if abs(value) < _FEWEST_OF_A_BILLION:
        return signed(value, 0)
    return significant_bn(value / _BILLION, DIGITS, finest=_FINEST)
