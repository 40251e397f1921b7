"""Draws exposure by strike with matplotlib; runs in the chart worker only."""

import io
from collections.abc import Sequence
from itertools import pairwise
from statistics import mean, median
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.render.chart_spec import Mark, StrikesChart
from bot.render.numbers import price, signed
from bot.render.theme import THEMES, ChartTheme

_SIZE_INCHES: Final = (9.0, 6.0)
_DPI: Final = 160
"""1,440 × 960 pixels: Discord shows it about 550 wide, on dense screens with twice the pixels."""
_TEXT_PT: Final = 18
"""What is still readable where a phone shows the picture 390 points wide: about 11 of them."""
_AXES: Final = (0.135, 0.2, 0.845, 0.49)
_LABEL_WIDTH: Final = 0.245
"""Of the axes' width; four labels side by side still fit."""
_VALUE_Y: Final = 1.075
_NAME_Y: Final = 1.195
_MILLIONS_BELOW: Final = 20.0
_PNG: Final = {"compress_level": 4}
_BAR_SHARE: Final = 0.82
_STYLES: Final = {"spot": "-", "zero_gamma": "--", "call_wall": ":", "put_wall": ":"}


class StrikesPainter:
    """One figure of one theme whose artists are made once and moved for every picture."""

    def __init__(self, theme: ChartTheme) -> None:
        self._theme = theme
        self._figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, facecolor=theme.background)
        self._canvas = FigureCanvasAgg(self._figure)
        self._title = self._words(0.03, 0.925, theme.text, size=22, weight="bold")
        self._unit = self._words(0.98, 0.925, theme.muted, ha="right")
        self._subtitle = self._words(0.03, 0.855, theme.muted)
        self._footer = self._words(0.03, 0.03, theme.muted, linespacing=1.25)
        self._axes = self._figure.add_axes(_AXES, facecolor=theme.panel)
        self._dress_axes()
        self._bars = PolyCollection([], linewidths=0)
        self._axes.add_collection(self._bars, autolim=False)
        self._lines = {kind: self._line(kind) for kind in _STYLES}
        self._leaders = {kind: self._leader(kind) for kind in _STYLES}
        self._names = {kind: self._label(kind, _NAME_Y) for kind in _STYLES}
        self._values = {kind: self._label(kind, _VALUE_Y) for kind in _STYLES}

    def draw(self, chart: StrikesChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        unit, scale = ("M", 1.0) if max(abs(value) for _, value in chart.bars) < _MILLIONS_BELOW else ("Bn", 1e-3)
        self._title.set_text(chart.title)
        self._unit.set_text(f"$ {unit} per 1 % move")
        self._subtitle.set_text(chart.subtitle)
        self._footer.set_text(chart.footer)
        self._move_bars([(strike, value * scale) for strike, value in chart.bars])
        self._move_marks(chart.marks)
        png = io.BytesIO()
        self._canvas.print_png(png, pil_kwargs=_PNG)  # type: ignore[no-untyped-call]  # matplotlib's own gap
        return png.getvalue()

    def _move_bars(self, bars: Sequence[tuple[float, float]]) -> None:
        half = _bar_width([strike for strike, _ in bars]) / 2
        self._bars.set_verts([[(x - half, 0.0), (x - half, y), (x + half, y), (x + half, 0.0)] for x, y in bars])
        self._bars.set_facecolor([self._theme.positive if y >= 0 else self._theme.negative for _, y in bars])
        low, high = min(0.0, *(y for _, y in bars)), max(0.0, *(y for _, y in bars))
        margin = (high - low) * 0.06
        self._axes.set_xlim(bars[0][0] - 2 * half, bars[-1][0] + 2 * half)
        self._axes.set_ylim(low - margin, high + margin)
        decimals = _decimals((high - low) / 5)
        self._axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: signed(y, decimals) if y else "0"))

    def _move_marks(self, marks: Sequence[Mark]) -> None:
        low, high = self._axes.get_xlim()
        places = {mark.kind: (mark.value - low) / (high - low) for mark in marks}
        spread = spread_labels([min(max(place, 0.0), 1.0) for place in places.values()], _LABEL_WIDTH)
        centres = dict(zip(places, spread, strict=True))
        for kind in _STYLES:
            for artist in (self._lines[kind], self._leaders[kind], self._names[kind], self._values[kind]):
                artist.set_visible(kind in places)
        for mark in marks:
            self._move_mark(mark, places[mark.kind], centres[mark.kind])

    def _move_mark(self, mark: Mark, place: float, centre: float) -> None:
        line, leader = self._lines[mark.kind], self._leaders[mark.kind]
        line.set_xdata([mark.value, mark.value])
        leader.set_data([place, centre], [1.0, _VALUE_Y - 0.02])
        for artist in (line, leader):
            artist.set_visible(0.0 <= place <= 1.0)
        self._names[mark.kind].set_position((centre, _NAME_Y))
        self._names[mark.kind].set_text(mark.name)
        self._values[mark.kind].set_position((centre, _VALUE_Y))
        self._values[mark.kind].set_text(_value(mark, place))

    def _dress_axes(self) -> None:
        axes, theme = self._axes, self._theme
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis="y", color=theme.faint, alpha=0.25, linewidth=0.8)
        axes.axhline(0.0, color=theme.faint, linewidth=1.2)
        axes.tick_params(colors=theme.text, labelsize=_TEXT_PT, length=0, pad=6)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        for spine in axes.spines.values():
            spine.set_visible(False)

    def _words(self, x: float, y: float, colour: str, *, size: float = _TEXT_PT, **style: Any) -> Text:
        return self._figure.text(x, y, "", fontsize=size, color=colour, **style)

    def _colour(self, kind: str) -> str:
        theme = self._theme
        colours = {"spot": theme.spot, "zero_gamma": theme.zero_gamma}
        return colours.get(kind) or (theme.positive if kind == "call_wall" else theme.negative)

    def _line(self, kind: str) -> Line2D:
        return self._axes.axvline(0.0, color=self._colour(kind), linestyle=_STYLES[kind], linewidth=2.2)

    def _leader(self, kind: str) -> Line2D:
        style = {"color": self._colour(kind), "linewidth": 1.4, "clip_on": False}
        return self._axes.add_line(Line2D([], [], transform=self._axes.transAxes, **style))  # type: ignore[arg-type]  # mixed keyword types

    def _label(self, kind: str, y: float) -> Text:
        text = self._axes.text(0.5, y, "", transform=self._axes.transAxes, ha="center", va="baseline")
        text.set(fontsize=_TEXT_PT, weight="bold", color=self._colour(kind))
        return text


def painter(theme: str) -> StrikesPainter:
    """A painter for `dark` or `light`; anything else is dark."""
    return StrikesPainter(THEMES.get(theme, THEMES["dark"]))


def spread_labels(places: Sequence[float], width: float) -> list[float]:
    """Centres as near to `places` (0..1) as they can be without two labels of `width` touching or leaving the row.

    Labels that would touch form a block around the mean of where they want to be (isotonic regression).
    """
    order = sorted(range(len(places)), key=lambda position: places[position])
    blocks: list[list[float]] = []
    for rank, position in enumerate(order):
        blocks.append([places[position] - rank * width])
        while len(blocks) > 1 and mean(blocks[-2]) > mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    wanted = [mean(block) for block in blocks for _ in block]
    centres = [0.0] * len(places)
    for rank, position in enumerate(order):
        left = width / 2
        right = 1.0 - width / 2 - (len(order) - 1) * width
        centres[position] = min(max(wanted[rank], left), right) + rank * width
    return centres


def _value(mark: Mark, place: float) -> str:
    value = price(mark.value)
    return f"◀ {value}" if place < 0 else f"{value} ▶" if place > 1 else value


def _bar_width(strikes: Sequence[float]) -> float:
    gaps = [after - before for before, after in pairwise(strikes) if after > before]
    return _BAR_SHARE * (median(gaps) if gaps else max(abs(strikes[0]) * 0.002, 0.5))


def _decimals(step: float) -> int:
    return next((decimals for decimals in range(4) if step >= 10.0**-decimals), 4)
