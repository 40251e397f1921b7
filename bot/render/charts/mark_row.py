"""Levels above the axes: name and figure of each, and a line down to where it is. Runs in the chart worker only."""

from collections.abc import Collection, Mapping, Sequence
from statistics import mean
from typing import Final

from matplotlib.lines import Line2D
from matplotlib.text import Text

from bot.render.charts.chart_canvas import AXES, STYLES, TEXT_PT, ChartCanvas
from bot.render.charts.chart_words import Mark
from bot.render.numbers import known

_LABEL_WIDTH: Final = 0.245
"""Of the axes' width; four labels side by side still fit."""
_NAME_Y: Final = 0.815
_VALUE_Y: Final = 0.764
_SAMPLE: Final = 0.036
"""Length of a legend's line, of the picture's width."""
_SLOT: Final = AXES[2] / len(STYLES)
_NO_ARROWS: Final[Mapping[str, str]] = {}


class MarkRow:
    """Vertical lines through the axes, with leaders up to labels that never touch."""

    def __init__(self, canvas: ChartCanvas) -> None:
        self._canvas = canvas
        self.lines = {kind: self._line(kind) for kind in STYLES}
        self.labels = _Labels(canvas)
        self._leaders = {kind: self._leader(kind) for kind in STYLES}

    def show(self, marks: Sequence[Mark]) -> None:
        """Move lines and labels to the marks; call it when the axes' limits are set."""
        low, high = self._canvas.axes.get_xlim()
        places = {mark.kind: (mark.value - low) / (high - low) for mark in marks}
        spread = spread_labels([min(max(place, 0.0), 1.0) for place in places.values()], _LABEL_WIDTH)
        centres = dict(zip(places, spread, strict=True))
        for kind in STYLES:
            self.lines[kind].set_visible(False)
            self._leaders[kind].set_visible(False)
        self.labels.clear()
        for mark in marks:
            place, centre = places[mark.kind], centres[mark.kind]
            left, _, width, _ = self._canvas.axes.get_position().bounds
            self.labels.put(mark.kind, left + width * centre, mark.name, _value(mark, place))
            if 0.0 <= place <= 1.0:
                self._point(mark, place, centre)

    def _point(self, mark: Mark, place: float, centre: float) -> None:
        line, leader = self.lines[mark.kind], self._leaders[mark.kind]
        left, bottom, width, height = self._canvas.axes.get_position().bounds
        line.set_xdata([mark.value, mark.value])
        leader.set_data([left + width * place, left + width * centre], [bottom + height, _VALUE_Y - 0.008])
        line.set_visible(True)
        leader.set_visible(True)

    def _line(self, kind: str) -> Line2D:
        colour, style = self._canvas.colour(kind), STYLES[kind]
        return self._canvas.axes.axvline(0.0, color=colour, linestyle=style, linewidth=2.6)

    def _leader(self, kind: str) -> Line2D:
        leader = Line2D([], [], color=self._canvas.colour(kind), linewidth=1.4)
        self._canvas.figure.add_artist(leader)
        return leader


class LegendRow:
    """The same labels side by side, each with a piece of its line: for lines that run from left to right."""

    def __init__(self, canvas: ChartCanvas) -> None:
        self._canvas = canvas
        self.labels = _Labels(canvas)
        self._samples = {kind: self._sample(kind) for kind in STYLES}

    def show(self, marks: Sequence[Mark], *, drawn: Collection[str], arrows: Mapping[str, str] = _NO_ARROWS) -> None:
        """Name each level with its figure; those `drawn` get a piece of their line, those out of sight an arrow."""
        self.labels.clear()
        for sample in self._samples.values():
            sample.set_visible(False)
        for position, mark in enumerate(marks):
            start = AXES[0] + position * _SLOT
            self.labels.put(mark.kind, start + (_SLOT + _SAMPLE) / 2, mark.name, arrows.get(mark.kind, "") + mark.words)
            sample = self._samples[mark.kind]
            sample.set_data([start + 0.005, start + 0.005 + _SAMPLE], [_VALUE_Y + 0.016] * 2)
            sample.set_visible(mark.kind in drawn and known(mark.value))

    def _sample(self, kind: str) -> Line2D:
        colour, style = self._canvas.colour(kind), STYLES[kind]
        sample = Line2D([], [], color=colour, linestyle=style, linewidth=3.0)
        self._canvas.figure.add_artist(sample)
        return sample


class _Labels:
    """A name over a figure for each kind of level."""

    def __init__(self, canvas: ChartCanvas) -> None:
        self._canvas = canvas
        self._texts = {kind: (self._text(kind, _NAME_Y), self._text(kind, _VALUE_Y)) for kind in STYLES}

    def clear(self) -> None:
        for texts in self._texts.values():
            for text in texts:
                text.set_visible(False)

    def put(self, kind: str, centre: float, name: str, value: str) -> None:
        """Show both, centred at a place of the picture's width."""
        for text, words in zip(self._texts[kind], (name, value), strict=True):
            text.set_x(centre)
            text.set_text(words)
            text.set_visible(True)

    def value(self, kind: str) -> str:
        return self._texts[kind][1].get_text()

    def _text(self, kind: str, y: float) -> Text:
        style = {"ha": "center", "va": "baseline", "weight": "bold"}
        return self._canvas.words(0.5, y, self._canvas.colour(kind), size=TEXT_PT, **style)


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
    return f"◀ {mark.words}" if place < 0 else f"{mark.words} ▶" if place > 1 else mark.words
