"""New York's clock along the bottom of a picture; runs in the chart worker only."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

_STEPS_S: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400)
_MOST_TICKS: Final = 7
_EDGE: Final = 0.035
"""A time this near to a side of the picture gets no label; its text would be cut off."""


def set_time_axis(axes: Axes, begins: float, ends: float) -> None:
    """Span the axis over seconds since midnight and label round times."""
    span = max(ends - begins, 1.0)
    axes.set_xlim(begins, begins + span)
    step = next((step for step in _STEPS_S if span / step <= _MOST_TICKS), _STEPS_S[-1])
    first = int(begins // step) * step
    ticks = range(first, int(begins + span) + step, step)
    inside = [tick for tick in ticks if begins + span * _EDGE <= tick <= begins + span * (1 - _EDGE)]
    if not inside:
        inside = [round(begins + span / 2)]
        axes.xaxis.set_major_formatter(FuncFormatter(_with_seconds))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(_clock))
    axes.xaxis.set_major_locator(FixedLocator(inside))


def _clock(seconds: float, _: int | None = None) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _with_seconds(seconds: float, _: int | None = None) -> str:
    return f"{_clock(seconds)}:{int(seconds) % 60:02d}"
