"""What Prometheus would keep of a program, and as much of its language as the board of `specs/deploy` speaks."""

import math
import re
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from promql_parser import BinaryExpr, Call, MatchOp, VectorSelector, parse

Labels = tuple[tuple[str, str], ...]
Series = dict[Labels, list[tuple[float, float]]]
"""By labels: instants in seconds, and what was read then."""


@dataclass
class Scrapes:
    """Every sample so far, by name."""

    url: str
    series: dict[str, Series] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def take(self, now_s: float) -> None:
        """Ask once."""
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            text = answer.read().decode()
        instance = {"instance": self.url.split("/")[2]}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted({**sample.labels, **instance}.items()))
                self.series[sample.name][labels].append((now_s, sample.value))

    def answer(self, expression: str) -> Series:
        """What a panel draws. ValueError for what the board did not say when this was written."""
        return self._answer(parse(expression))

    def _answer(self, node: object) -> Series:
        if isinstance(node, VectorSelector):
            wanted = [(one.name, one.value) for one in node.matchers.matchers if one.op == MatchOp.Equal]
            chosen = self.series.get(node.name or "", {})
            return {labels: list(past) for labels, past in chosen.items() if set(wanted) <= set(labels)}
        if isinstance(node, BinaryExpr) and str(node.op) == "==":
            return _only(self._answer(node.lhs), node.rhs.val)
        if isinstance(node, Call) and node.func.name in {"rate", "increase"}:
            (matrix,) = node.args
            window_s = matrix.range.total_seconds()
            return {
                labels: _grown(past, window_s, per_second=node.func.name == "rate")
                for labels, past in self._answer(matrix.vector_selector).items()
            }
        raise ValueError(f"not drawn yet: {node}")


def _only(series: Series, value: float) -> Series:
    """Those that are so now, as they were."""
    return {labels: past for labels, past in series.items() if past[-1][1] == value}


def _grown(past: list[tuple[float, float]], window_s: float, *, per_second: bool) -> list[tuple[float, float]]:
    """By how much a counter grew in the window before each instant, from the second on."""
    grown = []
    for number, (at, value) in enumerate(past[1:], start=1):
        since, before = next(point for point in past[:number] if point[0] >= at - window_s)
        grown.append((at, (value - before) / (at - since if per_second else 1.0)))
    return grown


def legend(form: str, labels: Labels) -> str:
    """A legend's `{{ticker}} spot` filled in."""
    known = dict(labels)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: known.get(found[1], ""), form).strip()


def worded(value: float, unit: str) -> str:
    """A figure in the unit that the board gives a panel."""
    if unit == "s":
        return _scaled(value, (("days", 86_400.0), ("hours", 3_600.0), ("min", 60.0), ("s", 1.0)))
    if unit == "bytes":
        return _scaled(value, (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0)))
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "currencyUSD":
        sign = "−" if value < 0 else ""
        return sign + "$" + _scaled(abs(value), (("Bil", 1e9), ("Mil", 1e6), ("K", 1e3), ("", 1.0)))
    return f"{_short(value)}{' ms' if unit == 'ms' else ''}"


def _scaled(value: float, steps: tuple[tuple[str, float], ...]) -> str:
    name, size = next((step for step in steps if abs(value) >= step[1]), steps[-1])
    return f"{_short(value / size)} {name}".strip()


def _short(value: float) -> str:
    digits = 3 if value == 0 else max(3, math.floor(math.log10(abs(value))) + 1)
    return f"{value:.{digits}g}".replace("-", "−")
