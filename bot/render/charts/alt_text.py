"""Pictures in words, for whoever cannot see them: what is drawn, with its figures. Pure."""

from typing import Final

from bot.render.charts.chart_spec import Chart, kind_of

_LIMIT: Final = 1024
"""Discord's longest description of an attachment."""


def alt_text(chart: Chart) -> str:
    """What the chart shows, then whose figures they are and of when."""
    source = chart.footer.replace("\n", ", ").replace(" · ", ", ")
    shown = kind_of(chart).shown(chart)
    text = f"{chart.title.replace('  ', ': ')}, {chart.subtitle.replace(' · ', ', ')}. {shown} {source}."
    return text[:_LIMIT]
