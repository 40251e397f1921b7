"""The Grafana board drawn from its JSON, as a page for a browser: a drawing, and it says so, not Grafana."""

import json
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.pictures.scrapes import Labels, Scrapes, legend, worded

BOARD: Final = Path(__file__).resolve().parents[2] / "specs" / "deploy" / "grafana.json"
_COLOURS: Final = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#5794f2", "#ff9830")
_WIDTH, _HEIGHT = 440, 130
_LEFT, _BOTTOM = 64, 18
_STYLE: Final = """
body { margin: 0; padding: 14px; width: 1372px; background: #111217; color: #ccccdc; font: 12px 'DejaVu Sans'; }
h1 { font-size: 17px; margin: 0 0 4px; } p { margin: 0 0 12px; color: #9da0ad; }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 19px; gap: 6px; }
section { background: #181b1f; border: 1px solid #2c2f36; border-radius: 3px; padding: 6px 8px; overflow: hidden; }
.row { background: none; border: none; padding: 2px 0; font-weight: bold; }
h2 { font-size: 12px; margin: 0 0 4px; font-weight: bold; white-space: nowrap; }
.stat { color: #73bf69; font-size: 20px; line-height: 25px; white-space: nowrap; }
.stat small { color: #9da0ad; font-size: 12px; }
td { padding: 0 8px 0 0; font-size: 10px; white-space: nowrap; }
.legend { white-space: nowrap; font-size: 10px; } .legend b { margin-right: 3px; } .legend span { margin-right: 10px; }
.none { color: #9da0ad; text-align: center; padding-top: 60px; }
svg text { fill: #9da0ad; font-size: 10px; } svg { display: block; }
"""


def page(scrapes: Scrapes) -> str:
    """The whole board."""
    board = json.loads(BOARD.read_text())
    panels = "".join(_panel(panel, scrapes) for panel in board["panels"])
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><h1>{board['title']}</h1>"
        f"<p>A drawing made from specs/deploy/grafana.json and scrapes of the demo's /metrics. In Grafana it looks"
        f" different.</p><main>{panels}</main>"
    )


def _panel(panel: dict[str, Any], scrapes: Scrapes) -> str:
    at, kind = panel["gridPos"], panel["type"]
    place = f"grid-column: {at['x'] + 1} / span {at['w']}; grid-row: {at['y'] + 1} / span {at['h']}"
    title = f"<h2>{escape(panel['title'])}</h2>"
    if kind == "row":
        return f"<section class=row style='{place}'>▾ {escape(panel['title'])}</section>"
    unit = panel["fieldConfig"]["defaults"].get("unit", "none")
    found = [
        (target["legendFormat"], labels, past)
        for target in panel["targets"]
        for labels, past in scrapes.answer(target["expr"]).items()
        if past
    ]
    named = {legend(form, labels) if form else _every(labels): past for form, labels, past in found}
    if kind == "stat":
        return f"<section style='{place}'>{title}{_stat(named, unit, panel['options']['textMode'])}</section>"
    if kind == "table":
        return f"<section style='{place}'>{title}{_table([labels for _, labels, _ in found])}</section>"
    return f"<section style='{place}'>{title}{_lines(named, unit)}</section>"


def _every(labels: Labels) -> str:
    return " ".join(value for name, value in labels if name != "instance")


def _stat(named: dict[str, list[tuple[float, float]]], unit: str, mode: str) -> str:
    if mode == "name":
        return "".join(f"<div class=stat>{escape(name)}</div>" for name in named)
    return "".join(
        f"<div class=stat>{worded(past[-1][1], unit)} <small>{escape(name)}</small></div>"
        for name, past in named.items()
    )


def _table(series: list[Labels]) -> str:
    rows = ("".join(f"<td>{escape(value)}" for name, value in labels if name != "instance") for labels in series)
    return f"<table>{''.join(f'<tr>{row}' for row in rows)}</table>"


def _lines(named: dict[str, list[tuple[float, float]]], unit: str) -> str:
    """An SVG with time to the right, and a legend below."""
    points = [point for past in named.values() for point in past]
    if not points:
        return "<div class=none>No data</div>"
    low, high = min(value for _, value in points), max(value for _, value in points)
    low, high = (low, high) if high > low else (min(low, 0.0), max(high, low + 1.0))
    begin, end = min(at for at, _ in points), max(at for at, _ in points)

    def x(at: float) -> float:
        return _LEFT + (at - begin) / max(end - begin, 1.0) * (_WIDTH - _LEFT - 8)

    def y(value: float) -> float:
        return 6 + (high - value) / (high - low) * (_HEIGHT - _BOTTOM - 12)

    drawn = "".join(_level(y(value), worded(value, unit)) for value in (low, (low + high) / 2, high))
    for at in (begin + (end - begin) * part for part in (0.15, 0.5, 0.85)):
        clock = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo("America/New_York"))
        drawn += f"<text x={x(at):.0f} y={_HEIGHT - 2} text-anchor=middle>{clock:%H:%M:%S}</text>"
    names = ""
    for (name, past), colour in zip(named.items(), _COLOURS * 3, strict=False):
        way = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in past)
        drawn += f"<polyline points='{way}' fill=none stroke='{colour}' stroke-width=1.4 />"
        names += f"<span><b style='color:{colour}'>▬</b>{escape(name)}</span>"
    return f"<svg width={_WIDTH} height={_HEIGHT}>{drawn}</svg><div class=legend>{names}</div>"


def _level(y: float, words: str) -> str:
    line = f"<line x1={_LEFT} x2={_WIDTH - 8} y1={y:.1f} y2={y:.1f} stroke='#2c2f36' />"
    return f"{line}<text x={_LEFT - 6} y={y + 3:.1f} text-anchor=end>{words}</text>"
