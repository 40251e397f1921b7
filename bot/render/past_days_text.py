"""What past days say, as blocks of code 40 columns wide: ranks, whether levels held, one row a day. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from statistics import median
from typing import Final

from bot.render.message_form import code_block, columns
from bot.render.numbers import DIGITS, UNKNOWN, percent, price, signed, significant, significant_bn
from streaming.clock import date_of
from streaming.history.day_rows import Course, DayRow, ScopeReading, reading_of
from streaming.history.grades import BY_WEIGHT, LEVELS, TITLES, BaselineName, Grade, LevelName
from streaming.history.history_files import DayReport
from streaming.history.ranks import FEWEST, SPANS, DayRank, HoldRate, hold_rate, rank
from streaming.model import WEIGHT_NAMES, WEIGHTS, GexSnapshot, ScopeName, WeightName

_BASES: Final[tuple[tuple[str, tuple[BaselineName, ...]], ...]] = (
    ("round strikes", ("round_above", "round_below")),
    ("previous hi/lo", ("previous_high", "previous_low")),
)
_RANKED: Final = {"net_gex": "net GEX", "distance_pct": "spot to zero gamma", "gross_gex": "gross GEX"}
_LABEL: Final = 16
_MOST_ROWS: Final = 12
_WIDTH: Final = 40
_LATEST: Final = 5
_MINUTE_MS: Final = 60_000
_RULE: Final = (
    "n: sessions on which spot came within\n"
    "0.05 %. held: no 5-minute close beyond it\n"
    "by over 0.1 % in the 30 minutes after.\n"
    "Frozen after 09:35, graded after the\n"
    "close. The past, not a signal."
)


def rows_of(reports: Iterable[DayReport], scope: ScopeName | None, weight: WeightName) -> list[DayRow]:
    """The rows of one scope and weight, oldest first."""
    rows = (row for report in reports for row in report.rows)
    return [row for row in rows if row.scope == scope and row.weight == weight]


def rank_text(snapshot: GexSnapshot, reports: Sequence[DayReport], *, weight: WeightName, today: str) -> str:
    """Where the figures of now stand among the closes of the last whole sessions before `today`, an ISO date."""
    rows = [row for row in rows_of(reports, snapshot.scope, weight) if row.whole and row.day < today]
    now = reading_of(snapshot, None, weight)
    lines = [_head(snapshot.ticker, snapshot.scope, f"by {WEIGHT_NAMES[weight]}"), "now, among closes of past sessions"]
    for name, title in _RANKED.items():
        lines += ["", f"{title:<20}{_now(now, name):>20}", *_ranks(getattr(now, name), rows, name)]
    return code_block([*lines, "", f"A rank needs {FEWEST} sessions. z: standard", "deviations from their mean."])


def _now(reading: ScopeReading, name: str) -> str:
    value = getattr(reading, name)
    if name.endswith("_pct"):
        return percent(None if value is None else value / 100.0)
    return significant_bn(_in_bn(value), DIGITS)


def _ranks(value: float | None, rows: Sequence[DayRow], name: str) -> list[str]:
    courses = [getattr(row, name) for row in rows]
    closes = [course.close for course in courses if course is not None]
    if value is None:
        return ["  unknown now"]
    return [f"  {span:>3} sessions {_rank(rank(value, closes[-span:]))}" for span in SPANS]


def _rank(found: DayRank) -> str:
    if found.percentile is None:
        return f"too few (n {found.n})"
    z = UNKNOWN if found.z is None else signed(found.z, 1)
    return f"{found.percentile:>3.0f} %  z {z:>5}  n {found.n}"


def record_text(ticker: str, reports: Sequence[DayReport], *, level: LevelName | None, days: int) -> str:
    """Whether the levels of the last `days` graded sessions held: all of them, or one in detail."""
    graded = [report for report in reports if report.grades][-days:]
    grades = [grade for report in graded for grade in report.grades]
    scope = next((grade.scope for grade in reversed(grades) if grade.weight is not None), None)
    own = [grade for grade in grades if grade.scope == scope]
    span = f"{len(graded)} sessions" + (f", {graded[0].day} to {graded[-1].day}" if graded else "")
    lines = [_head(ticker, scope, "did levels hold?"), span, ""]
    lines += _overview(own, grades) if level is None else _detail(own, grades, level)
    return code_block([*lines, "", *_RULE.splitlines()])


def _overview(own: Sequence[Grade], all_grades: Sequence[Grade]) -> list[str]:
    lines = [
        f"{'':{_LABEL}} {'by OI':>10} {'by volume':>11}",
        f"{'level':{_LABEL}} {'n':>3} {'held':>6} {'n':>4} {'held':>6}",
    ]
    for level in BY_WEIGHT:
        oi, vol = (hold_rate(one for one in own if (one.level, one.weight) == (level, weight)) for weight in WEIGHTS)
        lines.append(f"{TITLES[level]:{_LABEL}} {oi.tested:>3} {_held(oi):>6} {vol.tested:>4} {_held(vol):>6}")
    expected = [(TITLES[level], (level,)) for level in LEVELS if level not in BY_WEIGHT]
    lines += [_one(title, names, all_grades) for title, names in expected]
    return [*lines, "by the same rule, for comparison", *(_one(*base, all_grades) for base in _BASES)]


def _one(title: str, names: Sequence[str], grades: Sequence[Grade]) -> str:
    found = hold_rate(grade for grade in grades if grade.level in names)
    return f"{title:{_LABEL}} {found.tested:>3} {_held(found):>6}"


def _held(found: HoldRate) -> str:
    return "few" if found.rate is None else f"{found.rate:.0%}"


def _detail(own: Sequence[Grade], all_grades: Sequence[Grade], level: LevelName) -> list[str]:
    lines: list[str] = []
    for weight in WEIGHTS if level in BY_WEIGHT else (None,):
        found = [one for one in (own if weight else all_grades) if (one.level, one.weight) == (level, weight)]
        lines += [
            f"{TITLES[level]} by {WEIGHT_NAMES[weight] if weight else 'the straddle'}",
            *_told(found),
            *_after(found),
        ]
        lines += [f"  {_day(one.day)} {price(one.price):>9} {_outcome(one)}" for one in found[-_LATEST:]] + [""]
    lines.append("by the same rule, for comparison")
    for title, names in _BASES:
        lines += [title, *_told([one for one in all_grades if one.level in names])]
    return lines


def _told(grades: Sequence[Grade]) -> list[str]:
    found = hold_rate(grades)
    unknown = f", {found.unknown} unknown" if found.unknown else ""
    lines = [f"  n {found.tested} of {found.days}, {found.held} held{unknown}"]
    if found.rate is None or found.interval is None:
        return [*lines, f"  too few for a rate (under {FEWEST})"]
    low, high = found.interval
    return [*lines, f"  {found.rate:.0%}, 95 % interval {low:.0%} to {high:.0%}"]


def _after(grades: Sequence[Grade]) -> list[str]:
    """How far spot went after a touch, and how soon it broke the level."""
    touched = [one for one in grades if one.held is not None]
    if not touched:
        return []
    beyond = median(one.beyond_pct or 0.0 for one in touched)
    back = median(one.back_pct or 0.0 for one in touched)
    waits = [(one.broke_ms - one.touched_ms) / _MINUTE_MS for one in touched if one.broke_ms and one.touched_ms]
    lines = [f"  median beyond {beyond:.2f} %, back {back:.2f} %"]
    return [*lines, f"  median time to a break {median(waits):.0f} min"] if waits else lines


def _outcome(grade: Grade) -> str:
    if grade.touched_ms is None:
        return "not tested"
    return "unknown" if grade.held is None else "held" if grade.held else "broken"


def days_text(ticker: str, rows: Sequence[DayRow]) -> str:
    """A row a session, of many at most twelve that span them, all of one scope and weight."""
    shown = [rows[round(step * (len(rows) - 1) / (_MOST_ROWS - 1))] for step in range(_MOST_ROWS)]
    shown = list(rows) if len(rows) <= _MOST_ROWS else shown
    head = [
        _head(ticker, rows[-1].scope, f"by {WEIGHT_NAMES[rows[-1].weight]}"),
        "at the close; net GEX in $ Bn per 1 %",
    ]
    names = ("", "spot", "zero γ", "call", "put", "net")
    forms = ([names, *(_day_row(row, decimals) for row in shown)] for decimals in (1, 0))
    return code_block([*head, *columns(forms, _WIDTH)])


def _day_row(row: DayRow, decimals: int) -> tuple[str, ...]:
    net = None if row.net_gex is None else _in_bn(row.net_gex.close)
    prices = (_close(row.spot, decimals), _close(row.zero_gamma, decimals))
    return _day(row.day), *prices, _close(row.call_wall, 0), _close(row.put_wall, 0), significant(net, DIGITS)


def _close(course: Course | None, decimals: int) -> str:
    return UNKNOWN if course is None else price(course.close, decimals)


def _day(iso: str) -> str:
    found = date_of(iso) or date.min
    return f"{found.day:>2} {found:%b}"


def _in_bn(usd: float | None) -> float | None:
    return None if usd is None else usd / 1e9


def _head(ticker: str, scope: ScopeName | None, words: str) -> str:
    return " · ".join(filter(None, (ticker, scope, words)))
