"""What `/gex explain` answers: what a figure means, by which convention, and how this snapshot got it. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import discord

from bot.render.explain.data import absent, faults, made_of, money, shares
from bot.render.explain.figure_texts import (
    basis,
    expected_move,
    gross_walls,
    ladder_split,
    max_pain,
    one_book,
    place,
    regime,
    session_map,
    side_walls,
    sides,
    slope,
    spot,
    top_strikes,
    wall,
    zero_gamma,
    zero_share,
)
from bot.render.message_form import FIELD_CHARS, stamp
from bot.render.numbers import UNKNOWN, counted, level, signed, strike
from bot.render.theme import EMBED_COLOUR
from streaming.clock import instant_of
from streaming.figures import BOARD, FIGURES, Row, figures_of_scope, line_weight, max_change, read_levels
from streaming.model import WEIGHT_WORDS, Flow, FlowSum, GexSnapshot, ScopeFigures, WeightFigures, WeightName

_ASSUMPTION: Final = (
    "Nobody knows who holds which contract: dealers are assumed to be long the calls and short the puts. "
    "A model, not an observation."
)
Here = Callable[[GexSnapshot, ScopeFigures | None], str]
_MILLION: Final = 1e6
_PER_1PCT: Final = "US dollars per 1 % move"
_WINDOWS: Final = ("now", "1 min", "5 min", "10 min", "15 min", "30 min")


def explain_embed(
    snapshot: GexSnapshot, figure: str | None, *, now: datetime, weight: WeightName | None = None
) -> discord.Embed:
    """One figure in two or three sentences, or without a figure every line of the live message in one.

    `weight` is that of the message; None for each figure's own.
    """
    embed = discord.Embed(colour=EMBED_COLOUR)
    if figure is None:
        embed.title = f"{snapshot.ticker} · what the live message shows"
        embed.description = "\n".join(_line(snapshot, name, weight) for name in BOARD)
    else:
        embed.title = f"{snapshot.ticker} · {FIGURES[figure].title}"
        embed.description = explanation(snapshot, figure)
    main: WeightName = weight or "oi" if figure is None else FIGURES[figure].weight
    embed.add_field(name="Made of", value=made_of(snapshot, main, now=now)[:FIELD_CHARS], inline=False)
    embed.set_footer(text=_ASSUMPTION)
    return embed


def explanation(snapshot: GexSnapshot, figure: str) -> str:
    """What the figure means, its convention, and what it is in this snapshot."""
    return f"{FIGURES[figure].text} {here(snapshot, figure)}"


def _line(snapshot: GexSnapshot, name: str, weight: WeightName | None) -> str:
    words = BOARD[name].words.format(by=WEIGHT_WORDS[line_weight(name, weight)])
    if name == "zero_gamma" and figures_of_scope(snapshot, None) is None:
        words = "the classic zero gamma of its producer: the ladder split by volume"
    return f"**{FIGURES[name].title}** {board_value(snapshot, name, weight)}: {words}."


def here(snapshot: GexSnapshot, figure: str) -> str:
    """One or two sentences on a figure in this snapshot."""
    sentence = _HERE.get(figure) or _both(FIGURES[figure].rows[0])
    return sentence(snapshot, figures_of_scope(snapshot, None))


def _total(snapshot: GexSnapshot, scope: ScopeFigures | None, weight: WeightName) -> str:
    net = read_levels(snapshot, None, weight).net_gex_usd_per_1pct
    if net is None:
        return absent(snapshot, scope, weight, level=False)
    words = f"Here it is {money(net)} {_PER_1PCT}"
    figures = None if scope is None else scope.by(weight)
    if figures is None or figures.net_gex_usd_per_point is None:
        return f"{words}."
    return f"{words}, the same as {money(figures.net_gex_usd_per_point)} per point of the index or share."


def _max_change(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if not any(change is not None for _, change in snapshot.max_priors):
        if scope is None or not scope.vol.gross_gex_usd_per_1pct:
            return absent(snapshot, scope, "vol", level=False)
        return "Here it has no value yet: there is no earlier snapshot of this session and scope to compare with."
    pairs = zip(_WINDOWS, snapshot.max_priors, strict=False)
    return f"Here: {'; '.join(f'{window} {_change(*pair)}' for window, pair in pairs)}."


def _flow(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if all(own.usd_per_1pct is None for own in snapshot.flow):
        return absent(snapshot, scope, "vol", level=False)
    spans = zip((*_WINDOWS, "since the open"), snapshot.flow, strict=False)
    return f"Here: {'; '.join(f'{words} {_traded(own)}' for words, own in spans)}."


def _traded(own: Flow) -> str:
    if own.usd_per_1pct is None or own.strike_usd_per_1pct is None:
        return UNKNOWN
    at = "" if own.strike is None else f" ({money(own.strike_usd_per_1pct)} at {strike(own.strike)})"
    return f"{money(own.usd_per_1pct)}{at}"


def _signed_flow(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Dealers' delta and gamma over the windows, how much of the day was seen and of how much nobody can tell."""
    found = snapshot.signed_flow
    if found is None:
        if scope is None:
            return absent(snapshot, scope, "vol", level=False)
        return "Here it is unknown: no options of this ticker are streamed."
    windows = {"last minute": found.minute, "5 min": found.five, "30 min": found.thirty, "today": found.day}
    parts = "; ".join(f"{name} {_sum(part)}" for name, part in windows.items())
    since = stamp(instant_of(found.since_ms))
    seen = "" if found.seen is None else f", {found.seen:.0%} of the day's contracts"
    unsure = "" if found.day.unsure is None else f"; the side of {found.day.unsure:.0%} of them is unknown"
    return (
        f"Here, delta and gamma per 1 %, **streamed strikes only**: {parts}. Seen since {since}: "
        f"{counted(found.day.contracts, 'contract')}{seen}{unsure}."
    )


def _sum(part: FlowSum | None) -> str:
    return UNKNOWN if part is None else f"{money(part.delta_usd)} and {money(part.gamma_usd_per_1pct)}"


def _change(at: float | None, millions: float | None) -> str:
    if millions is None:
        return UNKNOWN
    return money(millions * _MILLION) + ("" if at is None else f" at {strike(at)}")


def _both(row: Row) -> Here:
    """A figure of dollars under both weights."""

    def sentence(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
        if scope is None or getattr(scope.oi, row.field) is None:
            return absent(snapshot, scope, "oi", level=False)
        oi, vol = (getattr(figures, row.field) for figures in (scope.oi, scope.vol))
        by_volume = "unknown" if vol is None else money(vol)
        unit = "" if row.unit is None else row.unit.words
        return f"Here it is {money(oi)} US dollars {unit} by open interest, {by_volume} by volume."

    return sentence


def _charm(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if scope is None or scope.oi.chex_usd_to_close is None:
        return absent(snapshot, scope, "oi", level=False)
    oi, vol = (_until_close(figures) for figures in (scope.oi, scope.vol))
    return f"Here it is {oi} by open interest; {vol} by volume."


def _until_close(figures: WeightFigures) -> str:
    if figures.chex_usd_to_close is None:
        return "unknown"
    day = "" if figures.chex_usd_per_day is None else f" and {money(figures.chex_usd_per_day)} per day"
    return f"{money(figures.chex_usd_to_close)} US dollars until the close{day}"


def _delta(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if scope is None or scope.oi.dex_usd is None or scope.oi.dex_dealer_usd is None:
        return absent(snapshot, scope, "oi", level=False)
    return (
        f"Here, by open interest, the plain sum is {money(scope.oi.dex_usd)} US dollars and the dealer-signed one "
        f"{money(scope.oi.dex_dealer_usd)}."
    )


def _hedge(snapshot: GexSnapshot, _scope: ScopeFigures | None) -> str:
    nearest = snapshot.scopes.get("zero")
    words = _both(FIGURES["hedge"].rows[0])(snapshot, nearest)
    return words if nearest is None or not nearest.expiries else f"{words} The nearest expiry is {nearest.expiries[0]}."


def _rr25(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if scope is None or scope.contracts in {0, scope.contracts_unpriced}:
        return absent(snapshot, scope, "oi", level=False)
    if scope.rr25 is None:
        at = "" if scope.rr25_expiry is None else f" of {scope.rr25_expiry}"
        return f"Here it is unknown: the priced contracts{at} do not bracket a delta of 25 % on both sides."
    return f"Here it is {signed(100.0 * scope.rr25)} volatility points, from the contracts of {scope.rr25_expiry}."


def _confidence(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if scope is None or scope.oi.confidence is None:
        return absent(snapshot, scope, "oi", level=False)
    by_volume = "unknown" if scope.vol.confidence is None else f"{scope.vol.confidence:.2f}"
    return f"Here it is {scope.oi.confidence:.2f} by open interest and {by_volume} by volume."


def _quality(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    if scope is None:
        return absent(snapshot, scope, "oi", level=False)
    why = faults(scope)
    reasons = f" Their own volatilities were: {why}." if why else ""
    return f"Here, of the open interest {shares(scope, 'oi')}; of the volume {shares(scope, 'vol')}.{reasons}"


_HERE: Final[Mapping[str, Here]] = {
    "spot": spot,
    "zero_gamma": zero_gamma,
    "ladder_split": ladder_split,
    "call_wall": lambda snapshot, scope: wall(snapshot, scope, calls=True),
    "put_wall": lambda snapshot, scope: wall(snapshot, scope, calls=False),
    "gross_walls": gross_walls,
    "side_walls": side_walls,
    "net_gex": lambda snapshot, scope: _total(snapshot, scope, "vol"),
    "scaled_gamma": lambda snapshot, scope: _total(snapshot, scope, "oi"),
    "max_change": _max_change,
    "flow": _flow,
    "signed_flow": _signed_flow,
    "charm": _charm,
    "delta": _delta,
    "hedge": _hedge,
    "rr25": _rr25,
    "confidence": _confidence,
    "slope": slope,
    "regime": regime,
    "place": place,
    "zero_share": zero_share,
    "top_strikes": top_strikes,
    "sides": sides,
    "one_book": one_book,
    "session_map": session_map,
    "max_pain": max_pain,
    "expected_move": expected_move,
    "quality": _quality,
    "basis": basis,
}
"""Those that take more than two sums of dollars to say."""


def board_value(snapshot: GexSnapshot, name: str, weight: WeightName | None = None) -> str:
    """What a line of the live message shows."""
    line = BOARD[name]
    value = line.read(snapshot, line_weight(name, weight))
    if line.is_price:
        return level(name, value)
    at = max_change(snapshot)[0] if name == "max_change" else None
    return _change(at, None if value is None else 1000.0 * value)
