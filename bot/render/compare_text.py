"""`/gex compare` and `/gex book` in words: several tickers in one table, 40 columns wide. Pure."""

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.render.message_form import code_block
from bot.render.numbers import DIGITS, UNKNOWN, known, price, signed, significant, significant_bn, strike
from bot.render.origin_words import freshness_words, origin_words
from streaming.figures import FIGURES, read_levels
from streaming.freshness import Freshness, freshness
from streaming.gex.results.one_book import OneBook, Rung
from streaming.gex.results.standing import standing
from streaming.model import WEIGHT_NAMES, GexSnapshot, Regime, ScopeName, WeightName

MOST: Final = 12
_WIDTH: Final = 40
_FIVE_DIGITS: Final = 10_000.0
_MARKS: Final[Mapping[Regime, str]] = {"dampened": "↓", "amplified": "↑", "undecided": "~"}


def compare_text(
    snapshots: Sequence[GexSnapshot],
    missing: Sequence[str],
    *,
    scope: ScopeName | None,
    weight: WeightName,
    now: datetime,
) -> str:
    """One row a ticker, then what is not current or not there; `scope` None is each snapshot's own."""
    head = f"by {WEIGHT_NAMES[weight]}, {scope or 'own scopes'}"
    lines = [head, f"{'':<7}{'spot':>9}{'from zγ':>8}{'net Bn':>8}{'walls':>6}"]
    lines += [_row(snapshot, scope, weight) for snapshot in snapshots]
    lines += ["from zγ: spot against zero gamma; walls:", "0 % at the put wall, 100 % at the call;"]
    lines += ["moves ↓ dampened ↑ amplified ~ undecided"]
    lines += [f"{snapshot.ticker}: {words}" for snapshot in snapshots if (words := _remark(snapshot, now))]
    lines += [f"no current snapshot of {', '.join(missing)}"] if missing else []
    return code_block(lines)


def book_text(
    book: OneBook, snapshots: Sequence[GexSnapshot], *, scope: ScopeName | None, weight: WeightName, now: datetime
) -> str:
    """An index and its relatives as one book, in points of the index, and where their levels meet."""
    lines = [
        f"{' + '.join(book.tickers)}, {scope or 'own scope'}, by {WEIGHT_NAMES[weight]}",
        f"in {book.tickers[0]} points, strikes {book.step:g} apart",
        f"{'spot':<12}{price(book.spot):>12}",
        _level("call wall", book.call_wall),
        _level("put wall", book.put_wall),
        f"{'net GEX':<12}{_bn(book.net_gex_usd_per_1pct):>12} per 1 %",
        *(f"  {ticker:<10}{_bn(net):>12}" for ticker, net in book.parts),
        "strongest strikes, share of |net|:",
        *(f"  {strike(at):<10}{_bn(net):>12}{share:>6.0%}" for at, net, share in book.strongest),
        *_meetings(book),
        *(f"{snapshot.ticker}: {words}" for snapshot in snapshots if (words := _remark(snapshot, now))),
    ]
    return code_block(lines)


def _level(name: str, found: Rung | None) -> str:
    return f"{name:<12}{UNKNOWN:>12}" if found is None else f"{name:<12}{strike(found[0]):>12}{_bn(found[1]):>12}"


def _meetings(book: OneBook) -> list[str]:
    if not book.confluences:
        return [f"no levels within {book.step:g} points of each other"]
    lines = [f"levels within {book.step:g} points of each other:"]
    for meeting in book.confluences:
        names = ", ".join(f"{level.ticker} {FIGURES[level.figure].title.lower()}" for level in meeting.levels)
        lines += textwrap.wrap(
            f"{price(meeting.price)}: {names}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
    return lines


def _row(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> str:
    found, net = standing(snapshot, scope, weight), read_levels(snapshot, scope, weight).net_gex_usd_per_1pct
    distance = UNKNOWN if found.zero_gamma_distance_pct is None else f"{signed(found.zero_gamma_distance_pct)}%"
    dollars = significant(None if net is None else net / 1e9, DIGITS)
    between = UNKNOWN if found.between_walls_pct is None else f"{price(found.between_walls_pct, 0)}%"
    mark = "" if found.regime is None else _MARKS[found.regime]
    return f"{snapshot.ticker[:7]:<7}{_spot(snapshot.spot):>9}{distance:>8}{dollars:>8}{between:>6} {mark}".rstrip()


def _bn(usd: float) -> str:
    return significant_bn(usd / 1e9, DIGITS)


def _spot(value: float | None) -> str:
    return price(value, 1 if known(value) and abs(value or 0.0) >= _FIVE_DIGITS else 2)


def _remark(snapshot: GexSnapshot, now: datetime) -> str:
    stale = freshness(snapshot, now) is not Freshness.LIVE
    return " · ".join(filter(None, (origin_words(snapshot), freshness_words(snapshot, now) if stale else None)))
