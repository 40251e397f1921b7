"""`/gex history` in words: a table of the levels over time, 40 columns wide. Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from bot.render.charts.chart_words import footer, levels, net_millions
from bot.render.charts.session_times import same_day, spread, usual_gap_s
from bot.render.message_form import code_block
from bot.render.numbers import UNKNOWN, known, price, signed
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
"""The columns behind the time."""
_FIVE_DIGITS: Final = 10_000
_BILLIONS_FROM: Final = 100.0
_TWO_DECIMALS_BELOW: Final = 100
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
    unit, scale = _unit(rows, scope, weight)
    head = " · ".join(filter(None, (latest.ticker, _scope(latest, scope), f"by {WEIGHT_NAMES[weight]}")))
    wide = usual_gap_s([seen.asof_ms / 1000 for seen in rows])
    clock = "%H:%M" if rows[-1].asof_ms - rows[0].asof_ms >= MOST_ROWS * 60_000 else "%M:%S"
    lines = [
        head,
        f"net GEX in $ {unit} per 1 %, the rest points",
        _head(clock),
        _row(rows[0], scope, weight, scale, clock),
    ]
    for before, seen in pairwise(rows):
        if (seen.asof_ms - before.asof_ms) / 1000 > wide:
            lines.append(_GAP_NOTE)
        lines.append(_row(seen, scope, weight, scale, clock))
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


def _head(clock: str) -> str:
    times = "NY" if clock == "%H:%M" else "min:s"
    return " ".join([f"{times:<5}", *(FIGURES[name].column.rjust(width) for name, width in _WIDTHS.items())])


def _row(seen: PastLevels, scope: ScopeName, weight: WeightName, scale: float, clock: str) -> str:
    at = new_york(instant_of(seen.asof_ms))
    found = {name: _level(value, _WIDTHS[name]) for name, value in levels(seen, scope, weight).items()}
    found["net_gex"] = _net(net_millions(seen, scope, weight), scale)
    return " ".join([at.strftime(clock), *(found[name].rjust(width) for name, width in _WIDTHS.items())])


def _level(value: float | None, width: int) -> str:
    if width == _WALL:
        return _wall(value)
    return price(value, 1 if known(value) and abs(value) >= _FIVE_DIGITS else 2)


def _wall(value: float | None) -> str:
    """A strike in five characters: whole points unless it is small."""
    if not known(value):
        return UNKNOWN
    text = f"{value:g}"
    return text if len(text) <= _WALL else f"{value:.0f}"


def _net(millions: float | None, scale: float) -> str:
    if not known(millions):
        return UNKNOWN
    value = millions * scale
    return signed(value, 2 if abs(value) < _TWO_DECIMALS_BELOW else 1 if abs(value) < _FIVE_DIGITS / 10 else 0)


def _unit(rows: Sequence[PastLevels], scope: ScopeName, weight: WeightName) -> tuple[str, float]:
    nets = [net_millions(seen, scope, weight) for seen in rows]
    largest = max((abs(net) for net in nets if known(net)), default=0.0)
    return ("Bn", 1e-3) if largest >= _BILLIONS_FROM else ("M", 1.0)


def _scope(latest: GexSnapshot, scope: ScopeName) -> str:
    return scope if latest.scopes or latest.scope else ""
