"""The sheet every picture is drawn on: words around one pair of axes, and a row of levels above them.

Runs in the chart worker only. Places are fractions of the figure, texts at least `TEXT_PT`.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bot.render.charts.chart_words import Band, ChartWords, Mark
from bot.render.numbers import DIGITS, MINUS, signed, significant
from bot.render.theme import ChartTheme

SIZE_INCHES: Final = (9.0, 6.0)
DPI: Final = 160
"""1,440 × 960 pixels: Discord shows it about 525 wide, on dense screens with twice the pixels."""
TEXT_PT: Final = 18
"""What is still readable where a phone shows the picture 390 points wide: about 11 of them."""
AXES: Final = (0.135, 0.238, 0.845, 0.507)
"""Left, bottom, width, height."""
STYLES: Final[dict[str, Any]] = {"spot": "-", "zero_gamma": "--", "call_wall": ":", "put_wall": "-."}
"""Lines are told apart by their pattern as well as by their colour."""
_APART_PX: Final = 24
_SHADE: Final = 0.13
"""Of what the market expects: seen on both themes, and nothing on it harder to read."""
BILLIONS: Final = 1e-3
"""Of the millions that charts hold: pictures show billions, as everything else does."""
_SMALL: Final = 1e-2
"""Bars that are all shorter have an exponent beside them."""
_FINEST: Final = 1e-4
"""Steps of an axis below which its numbers have an exponent."""
_PNG: Final = {"compress_level": 4}
rcParams["text.parse_math"] = False  # what stands between two dollar signs is money or somebody's name, no formula
_SHARED: Final = FigureCanvasAgg(Figure(figsize=SIZE_INCHES, dpi=DPI))
"""One sheet of pixels for all figures: each has its own artists, none its own 5 MB."""
_STEPS_S: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400)
_MOST_TICKS: Final = 7
_EDGE: Final = 0.035
"""A time this near to a side of the picture gets no label; its text would be cut off."""


class InnerLocator(MaxNLocator):
    """Round numbers, none so near to an end of its axis that its text would be cut off or touch what is above."""

    def __init__(self, most: int, *, edge: float) -> None:
        super().__init__(nbins=most, steps=[1, 2, 2.5, 5, 10])
        self._edge = edge

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """The round numbers at least `edge` of the axis away from its ends."""
        room = abs(vmax - vmin) * self._edge
        low, high = min(vmin, vmax) + room, max(vmin, vmax) - room
        return [tick for tick in super().tick_values(vmin, vmax) if low <= tick <= high]


class ChartCanvas:
    """One figure of one theme; its words are made once and changed for every picture."""

    def __init__(self, theme: ChartTheme, axes: tuple[float, float, float, float] = AXES) -> None:
        self.theme = theme
        self.figure = Figure(figsize=SIZE_INCHES, dpi=DPI, facecolor=theme.background)
        self.title = self.words(0.03, 0.93, theme.text, size=22, weight="bold")
        self.bot = self.words(0.98, 0.93, theme.muted, ha="right")
        self.unit = self.words(0.98, 0.873, theme.muted, ha="right")
        self.left = self.words(0.02, 0.764, theme.muted)
        self.subtitle = self.words(0.03, 0.873, theme.muted)
        self.below = self.words(axes[0] + axes[2] / 2, 0.14, theme.muted, ha="center")
        self.footer = self.words(0.03, 0.03, theme.muted, linespacing=1.25)
        self.axes = self.beside(axes)

    def write(self, chart: ChartWords, *, unit: str, below: str) -> None:
        """Set the words: `unit` is that of the vertical axis, `below` what the horizontal one counts."""
        self.title.set_text(chart.title)
        self._sign(chart.bot)
        self.subtitle.set_text(chart.subtitle)
        self.unit.set_text(unit)
        self.below.set_text(below)
        self.footer.set_text(chart.footer)

    def _sign(self, name: str) -> None:
        """The bot's name, cut where it would touch the title."""
        self.bot.set_text(name)
        ends = self.title.get_window_extent().x1 + _APART_PX
        while name and self.bot.get_window_extent().x0 < ends:
            name = name[:-1]
            self.bot.set_text(f"{name.rstrip()}…" if name else "")

    def png(self) -> bytes:
        """The picture as it stands; the same artists give the same bytes."""
        self.figure.set_canvas(_SHARED)
        _SHARED.figure = self.figure
        png = io.BytesIO()
        _SHARED.print_png(png, pil_kwargs=_PNG)  # type: ignore[no-untyped-call]  # matplotlib's own gap
        return png.getvalue()

    def words(self, x: float, y: float, colour: str, *, size: float = TEXT_PT, **style: Any) -> Text:
        """An empty text of the figure."""
        return self.figure.text(x, y, "", fontsize=size, color=colour, **style)

    def colour(self, kind: str) -> str:
        """Of a level's line and name."""
        theme = self.theme
        colours = {"spot": theme.spot, "zero_gamma": theme.zero_gamma, "call_wall": theme.positive}
        return colours.get(kind, theme.negative)

    def polygons(self, **style: Any) -> PolyCollection:
        """No polygons yet, on the axes, not looked at when the axes find their limits."""
        polygons = PolyCollection([], **style)
        self.axes.add_collection(polygons, autolim=False)
        return polygons

    def signed_bars(self, hatch: str, **style: Any) -> "SignedBars":
        """No bars yet: plain for what is above zero, hatched for what is below."""
        plus = self.polygons(facecolors=self.theme.positive, **style)
        theme = self.theme
        minus = self.polygons(facecolors=theme.negative, hatch=hatch, edgecolors=theme.background, **style)
        return SignedBars(plus, minus)

    def beside(self, box: tuple[float, float, float, float]) -> Axes:
        """Another pair of axes, dressed like the first."""
        axes = self.figure.add_axes(box, facecolor=self.theme.panel)
        _dress(axes, self.theme)
        return axes

    def band(self) -> PolyCollection:
        """Nothing shaded yet, behind everything else."""
        return self.polygons(facecolors=self.theme.spot, alpha=_SHADE, linewidths=0, zorder=0)

    def line(self, kind: str) -> Line2D:
        """An empty line over time in a level's colour and pattern."""
        style: dict[str, Any] = {"color": self.colour(kind), "linestyle": STYLES[kind], "solid_capstyle": "round"}
        return self.axes.add_line(Line2D([], [], linewidth=3.2 if kind == "spot" else 2.8, **style))


class SignedBars(NamedTuple):
    """Two kinds of bars, told apart by their sign."""

    plus: PolyCollection
    minus: PolyCollection

    def show(self, bars: Iterable[tuple[float, Sequence[tuple[float, float]]]]) -> None:
        """Move them to (value, corners)."""
        known = list(bars)
        self.plus.set_verts([corners for value, corners in known if value >= 0])
        self.minus.set_verts([corners for value, corners in known if value < 0])


def arrows_beyond(marks: Iterable[Mark], low: float, high: float) -> dict[str, str]:
    """Which way the levels are that lie outside of what is shown, before their figures."""
    arrows = ((mark.kind, "▲ " if mark.value > high else "▼ " if mark.value < low else "") for mark in marks)
    return {kind: arrow for kind, arrow in arrows if arrow}


def _dress(axes: Axes, theme: ChartTheme) -> None:
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="y", color=theme.faint, alpha=0.25, linewidth=0.8)
    axes.tick_params(colors=theme.text, labelsize=TEXT_PT, length=0, pad=6)
    axes.xaxis.set_major_locator(InnerLocator(6, edge=0.045))
    axes.yaxis.set_major_locator(InnerLocator(7, edge=0.025))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    for spine in axes.spines.values():
        spine.set_visible(False)


def shade_across(shading: PolyCollection, band: Band | None, height: tuple[float, float]) -> None:
    """Shade the prices of a band where they run from left to right, over the whole height of the axes."""
    low, high = height
    shading.set_verts(
        [] if band is None else [[(band.low, low), (band.low, high), (band.high, high), (band.high, low)]]
    )


def scale_number(value: float, step: float) -> str:
    """With its sign and as few decimals as tell numbers apart that are `step` from each other."""
    if not value:
        return "0"
    if step < _FINEST:
        return f"{value:+.1e}".replace("-", MINUS).replace("e−0", "e−")
    return signed(value, next((decimals for decimals in range(4) if step >= 10.0**-decimals), 4))


def bar_figure(value: float, largest: float) -> str:
    """What stands beside a bar, in billions as in words; finer where the `largest` bar is small itself."""
    return significant(value, DIGITS) if largest >= _SMALL else scale_number(value, 0.0)


def set_signs(axis: Axis, step: float) -> None:
    """Print the sign of every number beside an axis, told apart where they are `step` from each other."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: scale_number(value, step)))


def set_time_axis(axes: Axes, begins: float, ends: float, *, most: int = _MOST_TICKS) -> None:
    """Span the axis over seconds since midnight and label at most so many round times."""
    span = max(ends - begins, 1.0)
    axes.set_xlim(begins, begins + span)
    step = next((step for step in _STEPS_S if span / step <= most), _STEPS_S[-1])
    first = int(begins // step) * step
    ticks = range(first, int(begins + span) + step, step)
    inside = [tick for tick in ticks if begins + span * _EDGE <= tick <= begins + span * (1 - _EDGE)]
    if not inside:
        inside = [round(begins + span / 2)]
        axes.xaxis.set_major_formatter(FuncFormatter(_with_seconds))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(_hour_minute))
    axes.xaxis.set_major_locator(FixedLocator(inside))


def _hour_minute(seconds: float, _: int | None = None) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _with_seconds(seconds: float, _: int | None = None) -> str:
    return f"{_hour_minute(seconds)}:{int(seconds) % 60:02d}"
