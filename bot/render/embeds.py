"""What `/gex status`, `/gex levels` and `/gex copy` answer: figures with unit, scope, source and age. Pure."""

from datetime import datetime
from typing import Final

import discord

from bot.render.message_form import listed_roots, stamp
from bot.render.numbers import DIGITS, UNKNOWN, age, known, level, price, signed, significant_bn, strike
from bot.render.origin_words import escaped, freshness_words, origin_words, source_text
from bot.render.theme import EMBED_COLOUR
from streaming.chains.quality_words import dividend_words, is_interest_partial
from streaming.clock import instant_of
from streaming.export.levels import Format, LevelSheet
from streaming.figures import (
    BOARD,
    FIGURES,
    LEVELS,
    ClassicLevels,
    Row,
    figures_of_scope,
    headline,
    line_weight,
    max_change,
    read_row,
)
from streaming.gex.points.point_views import seen_in
from streaming.model import (
    SCOPE_WORDS,
    WEIGHT_NAMES,
    WEIGHT_WORDS,
    GexSnapshot,
    PointView,
    ScopeFigures,
    ScopeName,
    ViewName,
    WeightFigures,
    WeightName,
)
from streaming.symbols import parse_ticker

_EXPOSURE: Final = (
    "Bn: billions of US dollars, per 1 % move unless stated otherwise; calls +, puts −; "
    "a model of dealers' inventory, not an observation."
)
_BOTH: Final = " (call / put)"
_MOST_ROOTS: Final = 6


def status_embed(
    snapshot: GexSnapshot, *, now: datetime, window: str, weight: WeightName | None = None, boards: str = ""
) -> discord.Embed:
    """The live message's figures for one ticker, with their scope, the feed's window and the server's boards.

    `weight` is that of the message; None for each figure's own.
    """
    embed = _embed(f"{snapshot.ticker} · status", snapshot, now)
    for name, value in headline(snapshot, weight).items():
        _add_board_figure(embed, name, value, snapshot, weight)
    embed.add_field(name="Scope", value=_scope(snapshot.scope))
    embed.add_field(name="Feed", value=window)
    if boards:
        embed.add_field(name="Live messages here", value=boards, inline=False)
    return embed


def _add_board_figure(
    embed: discord.Embed, name: str, value: float | None, snapshot: GexSnapshot, weight: WeightName | None
) -> None:
    figure, by = FIGURES[name], WEIGHT_NAMES[line_weight(name, weight)]
    if name == "zero_gamma" and figures_of_scope(snapshot, None) is None:
        by = FIGURES["ladder_split"].name
    if name == "spot":
        embed.add_field(name=figure.title, value=price(value))
    elif name == "max_change":
        embed.add_field(name=f"{figure.title} (current, {by})", value=_at_strike(value, max_change(snapshot)[0]))
    elif name == "put_wall":
        calls, title = embed.fields[-1], f"{FIGURES['call_wall'].title} / {figure.title.lower()} ({by})"
        embed.set_field_at(-1, name=title, value=f"{calls.value} / {strike(value)}")
    elif BOARD[name].is_price:
        embed.add_field(name=f"{figure.title} ({by})", value=level(name, value))
    else:
        embed.add_field(name=f"{figure.title} ({by})", value=significant_bn(value, DIGITS))


def levels_embed(
    snapshot: GexSnapshot, *, scope: ScopeName, weight: WeightName, now: datetime, view: ViewName = "native"
) -> discord.Embed:
    """Levels and totals of one scope under one weight; what the source does not give is said, not guessed.

    RequestError when the levels cannot be shown in the points of `view`.
    """
    seen = seen_in(snapshot, view, parse_ticker(snapshot.ticker))
    embed = _levels_embed(seen, scope=scope, weight=weight, now=now)
    if seen is not snapshot:
        embed.title = f"{embed.title} · in {escaped(snapshot.views[view].symbol)} points"
        embed.set_footer(text=f"{_EXPOSURE} {_seen_by(snapshot, snapshot.views[view])}")
    return embed


def copy_text(form: Format, sheet: LevelSheet) -> str:
    """The levels in a block that Discord gives a button to copy, with what to do with it and what it was read from."""
    text = form.write(sheet).replace("`", "'")
    return f"{form.words}. {escaped(sheet.title)}.\n```\n{text}\n```"


def _levels_embed(snapshot: GexSnapshot, *, scope: ScopeName, weight: WeightName, now: datetime) -> discord.Embed:
    chosen = snapshot.scopes.get(scope)
    unstated = chosen is None and snapshot.scope is None
    name = "expiries not told" if unstated else f"{scope}, {SCOPE_WORDS[scope]}"
    embed = _embed(f"{snapshot.ticker} · {name} · by {WEIGHT_WORDS[weight]}", snapshot, now)
    if chosen is not None:
        _add_figures(embed, snapshot, scope, weight)
        _add_roots_and_origin(embed, snapshot, chosen, weight)
    elif unstated or scope == snapshot.scope:
        _add_figures(embed, snapshot, None, weight)
    else:
        embed.add_field(
            name="Not available", value=f"The source {source_text(snapshot.source)} gives no {scope} scope."
        )
    return embed


def _embed(title: str, snapshot: GexSnapshot, now: datetime) -> discord.Embed:
    origin = origin_words(snapshot)
    source = source_text(snapshot.source)
    parts = [
        *([f"**{origin}**"] if origin else []),
        source,
        freshness_words(snapshot, now),
        f"quotes of {stamp(instant_of(snapshot.asof_ms))}",
    ]
    if snapshot.state != "live":
        parts.append(snapshot.state)
    if is_interest_partial(snapshot.chain_quality):
        parts.append("**open interest is partial**")
    if dividend_words(snapshot.ex_dividend_date, snapshot.dividend_ahead, snapshot.asof_ms):
        parts.append("**eve of an ex-dividend day**")
    embed = discord.Embed(title=title[:250], description=" · ".join(parts), colour=EMBED_COLOUR)
    embed.set_footer(text=_footer(snapshot))
    return embed


def _footer(snapshot: GexSnapshot) -> str:
    if snapshot.basis is None:
        return _EXPOSURE
    return f"{_EXPOSURE} Levels in futures points, basis {signed(snapshot.basis)}."


def _seen_by(snapshot: GexSnapshot, view: PointView) -> str:
    """How levels came into other points, and how old that relation was when the figures were."""
    parts = []
    if view.ratio_ms is not None:
        parts.append(f"ratio {view.ratio:.6g} of {age((snapshot.asof_ms - view.ratio_ms) / 1000)} before")
    if view.points_ms is not None:
        parts.append(f"basis {signed(view.points)} of {age((snapshot.asof_ms - view.points_ms) / 1000)} before")
    return f"Levels in {view.symbol} points: {' and '.join(parts)}."


def _add_figures(embed: discord.Embed, snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> None:
    """The figures of a scope that has its own; without one those of the classic block, which are all there is."""
    embed.add_field(name=FIGURES["spot"].title, value=price(snapshot.spot))
    for figure in (figure for figure in FIGURES.values() if figure.in_levels):
        rows = [row for row in figure.rows if scope is not None or row.field in ClassicLevels._fields]
        levels = [_level(snapshot, scope, weight, row) for row in rows if row.unit is None]
        if levels:
            embed.add_field(name=f"{figure.title}{_BOTH if len(levels) > 1 else ''}", value=" / ".join(levels))
        for row in rows:
            if row.unit is not None:
                value = _usd(read_row(snapshot, scope, weight, row))
                embed.add_field(name=f"{row.label.capitalize() or figure.title} {row.unit.words}", value=value)


def _level(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName, row: Row) -> str:
    value = read_row(snapshot, scope, weight, row)
    figures = None if scope is None else snapshot.scopes[scope].by(weight)
    remark = _of_zero_gamma(value, figures) if row.field == "zero_gamma" else _of_wall(row.field, figures)
    words = level(row.field, value)
    return f"{words} ({remark})" if remark else words


def _of_zero_gamma(value: float | None, figures: WeightFigures | None) -> str | None:
    """Why there is none, or by which other method it is."""
    if figures is None:
        return None if value is None else f"{FIGURES['ladder_split'].name}, by volume"
    return None if known(value) else figures.zero_gamma_note


def _of_wall(field: str, figures: WeightFigures | None) -> str | None:
    """What the strike of a net wall is worth."""
    value = None if figures is None or field not in LEVELS else getattr(figures, f"{field}_usd_per_1pct")
    return None if value is None else _usd(value)


def _add_roots_and_origin(embed: discord.Embed, snapshot: GexSnapshot, scope: ScopeFigures, weight: WeightName) -> None:
    figures = scope.by(weight)
    if len(figures.zero_gamma_roots) > 1:
        embed.add_field(name="All zero-gamma roots", value=_roots(figures, snapshot.spot), inline=False)
    embed.add_field(name="Made of", value=_made_of(snapshot, scope, weight), inline=False)


def _scope(scope: ScopeName | None) -> str:
    return UNKNOWN if scope is None else f"{scope} · {SCOPE_WORDS[scope]}"


def _roots(figures: WeightFigures, spot: float | None) -> str:
    """The roots nearest spot, lowest first; the lowest ones while spot is unknown."""
    pairs = list(zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=False))
    if spot is not None:
        pairs.sort(key=lambda pair: abs(pair[0] - spot))
    return listed_roots([*sorted(pairs[:_MOST_ROOTS]), *pairs[_MOST_ROOTS:]], _MOST_ROOTS)


def _made_of(snapshot: GexSnapshot, scope: ScopeFigures, weight: WeightName) -> str:
    unpriced = scope.weight_unpriced_oi if weight == "oi" else scope.weight_unpriced_vol
    parts = [_expiries(scope), f"{scope.contracts:,} contracts", f"{unpriced:.1%} of the weight without a price"]
    if snapshot.forward_mode is not None:
        parts.append("forwards by put-call parity" if snapshot.forward_mode == "parity" else "forwards are spot")
    if snapshot.chain_ms is not None:
        parts.append(f"oldest part of the chain {age((snapshot.asof_ms - snapshot.chain_ms) / 1000)} old")
    return " · ".join(parts)


def _expiries(scope: ScopeFigures) -> str:
    dates = scope.expiries
    if not dates:
        return "no expiry"
    return dates[0] if len(dates) == 1 else f"{len(dates)} expiries, {dates[0]} to {dates[-1]}"


def _at_strike(value: float | None, at: float | None) -> str:
    words = significant_bn(value, DIGITS)
    return words if at is None else f"{words} at {strike(at)}"


def _usd(value: float | None) -> str:
    return significant_bn(None if value is None else value / 1e9, DIGITS)
