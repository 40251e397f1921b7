"""`/gex history` in words: a table of the levels over time, 40 columns wide. Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from bot.render.charts.chart_words import footer, levels, net_millions
from bot.render.charts.session_times import same_day, spread, usual_gap_s
from bot.render.message_form import Cells, code_block, columns
from bot.render.numbers import DIGITS, UNKNOWN, known, price, significant
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.figures import FIGURES
from streaming.model import WEIGHT_NAMES, GexSnapshot, ScopeName, WeightName
from streaming.past import PastLevels, past_of

MOST_ROWS: Final = 12
WIDTH: Final = 40
_PRICE: Final = 7
_WALL: Final = 5
_NET: Final = 6
_WIDTHS: Final = {"spot": _PRICE, "zero_gamma": _PRICE, "call_wall": _WALL, "put_wall": _WALL, "net_gex": _NET}
"""The columns behind the time, at least so wide: 39 with it."""
_TABLE: Final = 39
_FIVE_DIGITS: Final = 10_000
_SIX_DIGITS: Final = 100_000
_GAP_NOTE: Final = "        (nothing was received)"


def history_text(
    latest: GexSnapshot, history: Sequence[PastLevels], *, scope: ScopeName, weight: WeightName, now: datetime
) -> str:
    """The day of `latest` up to it as a block of code: at most twelve rows that span it, of one scope and weight.

    What is unknown is a dash; where the times between two rows hold no snapshot at all, a line says so. Minutes that
    would look alike are told apart by their seconds.
    """
    day = same_day(past_of(latest), history)
    rows = spread(day, MOST_ROWS)
    head = " · ".join(filter(None, (latest.ticker, _scope(latest, scope), f"by {WEIGHT_NAMES[weight]}")))
    wide = usual_gap_s([seen.asof_ms / 1000 for seen in rows])
    clock = "%H:%M" if rows[-1].asof_ms - rows[0].asof_ms >= MOST_ROWS * 60_000 else "%M:%S"
    titles, *shown = columns([_cells(rows, scope, weight, clock)], _TABLE)
    lines = [head, "net GEX in $ Bn per 1 %, the rest points", titles, shown[0]]
    for (before, seen), row in zip(pairwise(rows), shown[1:], strict=True):
        if (seen.asof_ms - before.asof_ms) / 1000 > wide:
            lines.append(_GAP_NOTE)
        lines.append(row)
    return code_block([*lines, *_wrapped(footer(latest, now, ""))])


def _wrapped(words: str) -> list[str]:
    """Parts on as few lines as fit the width."""
    lines: list[str] = []
    for part in filter(None, words.replace("\n", " · ").split(" · ")):
        if lines and len(lines[-1]) + 3 + len(part) <= WIDTH:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def _cells(rows: Sequence[PastLevels], scope: ScopeName, weight: WeightName, clock: str) -> Cells:
    times = "NY" if clock == "%H:%M" else "min:s"
    head = (times, *(f"{FIGURES[name].column:>{width}}" for name, width in _WIDTHS.items()))
    return [head, *(_row(seen, scope, weight, clock) for seen in rows)]


def _row(seen: PastLevels, scope: ScopeName, weight: WeightName, clock: str) -> tuple[str, ...]:
    net = net_millions(seen, scope, weight)
    found = {name: _level(name, value) for name, value in levels(seen, scope, weight).items()}
    found["net_gex"] = significant(None if net is None else net / 1000, DIGITS)
    return new_york(instant_of(seen.asof_ms)).strftime(clock), *(found[name] for name in _WIDTHS)


def _level(name: str, value: float | None) -> str:
    if _WIDTHS.get(name) == _WALL:
        return _wall(value)
    size = abs(value) if known(value) else 0.0
    return price(value, 2 if size < _FIVE_DIGITS else 1 if size < _SIX_DIGITS else 0)


def _wall(value: float | None) -> str:
    """A strike in five characters: whole points unless it is small."""
    if not known(value):
        return UNKNOWN
    text = f"{value:g}"
    return text if len(text) <= _WALL else f"{value:.0f}"


def _scope(latest: GexSnapshot, scope: ScopeName) -> str:
    return scope if latest.scopes or latest.scope else ""
