"""From a person's question about past days to its answer: the newest figures, what is kept of the days, the words."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.lookup import default_ticker, find_snapshot
from bot.pictures import Picture, PictureRequest, finish_picture
from bot.render.charts.kinds.history import days_chart
from bot.render.past_days_text import days_text, rank_text, record_text, rows_of
from bot.services import Services
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.errors import RequestError, TransientError
from streaming.history.grades import LevelName
from streaming.history.history_files import DayReport
from streaming.model import ScopeName, WeightName, is_made_up
from streaming.symbols import parse_ticker

_READ_WITHIN_S: Final = 20.0


async def take_rank(services: Services, symbol: str | None, *, weight: WeightName, channel_id: int | None) -> str:
    """The ranks of the newest figures; raises what `find_snapshot` raises, and RequestError without a history."""
    latest = await find_snapshot(services, symbol, channel_id=channel_id)
    if is_made_up(latest.source) or latest.replay is not None:
        raise RequestError("Simulated and replayed figures have no rank among real days.")
    reports = await _reports(services, latest.ticker)
    today = new_york(instant_of(latest.asof_ms)).date().isoformat()
    return rank_text(latest, reports, weight=weight, today=today)


async def take_record(
    services: Services, symbol: str | None, *, level: LevelName | None, days: int, channel_id: int | None
) -> str:
    """Whether past levels held; raises RequestError without a history."""
    ticker = _name(services, symbol, channel_id)
    reports = await _reports(services, ticker)
    return record_text(ticker, reports, level=level, days=days)


async def take_days(
    services: Services, symbol: str | None, *, days: int, channel_id: int | None
) -> tuple[str, Picture]:
    """The last days as a table and a picture, by open interest; raises as above, and what drawing raises."""
    ticker = _name(services, symbol, channel_id)
    reports = await _reports(services, ticker)
    scope = _published(reports)
    rows = rows_of(reports, scope, "oi")[-days:]
    chart = days_chart(ticker, rows)
    request = PictureRequest(symbol=ticker, kind="history", scope=scope, weight="oi")
    return days_text(ticker, rows), await finish_picture(services, chart, request)


def _name(services: Services, symbol: str | None, channel_id: int | None) -> str:
    return (parse_ticker(symbol) if symbol else default_ticker(services, channel_id)).name


def _published(reports: Sequence[DayReport]) -> ScopeName | None:
    """The scope that the live message showed last."""
    return next((row.scope for report in reversed(reports) for row in report.rows if row.published), None)


async def _reports(services: Services, ticker: str) -> Sequence[DayReport]:
    if services.reports is None:
        raise RequestError("No history is kept here.", remedy="The operator keeps one with GEX_HISTORY=true.")
    try:
        async with asyncio.timeout(_READ_WITHIN_S):
            found = await services.reports(ticker)
    except TimeoutError:
        raise TransientError("The history does not answer.", remedy="Try again in a moment.") from None
    if not found:
        raise RequestError(f"There is no past day of {ticker} yet.", remedy="Each session adds one after its close.")
    return found
