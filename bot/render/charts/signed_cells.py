"""Cells coloured by the square root of what they hold, hatched where it is negative. Runs in the chart worker only."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.text import Text
from numpy.typing import NDArray

from bot.render.charts.chart_canvas import TEXT_PT, ChartCanvas, scale_number
from bot.render.theme import ChartTheme

HATCH: Final = "///"
Floats = NDArray[np.float64]
Corners = list[tuple[float, float]]
_FULL_AT: Final = 0.99
"""The share of cells below full colour; a single giant would leave the rest pale."""
_SHADES: Final = 128
_TICKS: Final = (1.0, 0.5, 0.0, -0.5, -1.0)
_SEEN: Final = 0.04
_MIDDLE: Final = 0.5
_BESIDE: Final = {1.0: "top", -1.0: "bottom"}


def colours_of(theme: ChartTheme) -> LinearSegmentedColormap:
    """From a theme's negative through its panel to its positive colour, for shades from 0 to 1."""
    return LinearSegmentedColormap.from_list("gex", [theme.negative, theme.panel, theme.positive], 255)


def full_of(values: Any) -> float:
    """The value that gets full colour; 1 where all are 0."""
    return float(np.quantile(np.abs(values), _FULL_AT)) or 1.0


def shades_of(values: Any, full: float) -> Floats:
    """0 for as negative as can be, 0.5 for nothing, 1 for as positive as can be."""
    share = np.minimum(np.abs(values) / full, 1.0)
    shades: Floats = _MIDDLE + np.copysign(np.sqrt(share), values) / 2.0
    return shades


def is_negative(shades: Floats) -> NDArray[np.bool_]:
    """Which cells are visibly below zero; what looks like nothing is not hatched."""
    negative: NDArray[np.bool_] = shades < _MIDDLE - _SEEN
    return negative


def joined(cells: Iterable[tuple[float, float]], low: float, high: float) -> list[Corners]:
    """Cells of one row, as (begin, end), neighbours as one patch: so that hatching runs on from cell to cell."""
    spans: list[tuple[float, float]] = []
    for begins, ends in cells:
        start = spans.pop()[0] if spans and spans[-1][1] == begins else begins
        spans.append((start, ends))
    return [corners(begins, ends, low, high) for begins, ends in spans]


def corners(begins: float, ends: float, low: float, high: float) -> Corners:
    """A cell as a polygon."""
    return [(begins, low), (begins, high), (ends, high), (ends, low)]


class SignedScale:
    """A strip of all colours with signed figures beside it."""

    def __init__(self, canvas: ChartCanvas, box: tuple[float, float, float, float]) -> None:
        strip = canvas.figure.add_axes(box, facecolor=canvas.theme.panel)
        shades = np.linspace(0.0, 1.0, _SHADES)[:, np.newaxis]
        colours = colours_of(canvas.theme)
        strip.imshow(colours(shades), aspect="auto", origin="lower", extent=(0.0, 1.0, -1.0, 1.0))
        half = PolyCollection([corners(0.0, 1.0, -1.0, 0.0)], facecolors="none", linewidths=0)
        half.set(hatch=HATCH, edgecolor=canvas.theme.background)
        strip.add_collection(half, autolim=False)
        strip.set_axis_off()
        style: dict[str, Any] = {"fontsize": TEXT_PT, "color": canvas.theme.text, "clip_on": False}
        self.texts: Sequence[Text] = [strip.text(1.25, at, "", va=_BESIDE.get(at, "center"), **style) for at in _TICKS]

    def label(self, full: float) -> None:
        """Name what the colours stand for; `full` is in billions."""
        for text, at in zip(self.texts, _TICKS, strict=True):
            text.set_text(scale_number(at * abs(at) * full, full / 40))
