"""From a person's request to its answer: the newest figures, what is kept of the day or of past days, the drawing."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from msgspec import structs

from bot.feed.window import of_scope
from bot.lookup import find_or_ask, find_snapshot, meant, scope_and_weight
from bot.render.charts.chart_spec import KINDS, Chart, ThemeName, alt_text, chart_of
from bot.render.charts.chart_words import Asked, drawn_by
from bot.render.charts.history_text import history_text
from bot.render.charts.kinds.chart_kind import WHOLE_DAY_MIN
from bot.render.charts.kinds.history import days_chart
from bot.render.past_days_text import days_text, rank_text, record_text, rows_of
from bot.services import Services
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.day_map import DayMap
from streaming.errors import RequestError, TransientError
from streaming.history.grades import LevelName
from streaming.history.history_files import DayReport
from streaming.model import GexSnapshot, ScopeName, WeightName, is_made_up
from streaming.past import PastLevels

_READ_WITHIN_S: Final = 20.0
_DRAWN_WITHIN_S: Final = 60.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest:
    """What somebody wants to see."""

    symbol: str | None
    """As it was typed; None for what the channel shows."""
    kind: str = "strikes"
    scope: ScopeName | None = None
    """None for the one that the live message sums over, and the history's strikes."""
    weight: WeightName = "oi"
    theme: ThemeName = "dark"


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture with its words."""

    png: bytes
    alt: str
    filename: str
    shown: PictureRequest
    """With ticker and scope as they were found."""


async def take_picture(services: Services, request: PictureRequest, *, channel_id: int | None) -> Picture:
    """The newest picture of a request.

    Raises what `find_or_ask` raises, RequestError when the figures it needs are not there, TransientError when
    drawing takes too long, ContractError when it cannot be drawn.
    """
    kind = KINDS[request.kind]
    of_a_day = kind.most_past > 0 and not kind.past_adds
    find = find_snapshot if of_a_day or kind.looks_ahead else find_or_ask  # what was asked for once has neither
    latest = await find(services, request.symbol, channel_id=channel_id)
    history = await _past_of_kind(services, latest, request.kind)
    day_map = await _read_map(services, latest.ticker) if kind.looks_ahead else None
    return await draw_picture(services, request, latest, history, day_map=day_map)


async def take_history(
    services: Services, symbol: str | None, *, minutes: float, channel_id: int | None
) -> tuple[str, Picture]:
    """The last minutes before the newest snapshot as a table and a picture, as the channel chose; raises as above."""
    latest = await find_snapshot(services, symbol, channel_id=channel_id)
    history = await _read_past(services, latest, "history", minutes=minutes)
    recent = [seen for seen in history if seen.asof_ms >= latest.asof_ms - minutes * 60_000]
    scope, weight = scope_and_weight(services, channel_id, None, None)
    scope = scope or latest.scope or services.settings.gex_scope
    request = PictureRequest(symbol=symbol, kind="history", scope=scope, weight=weight)
    picture = await draw_picture(services, request, latest, recent)
    return history_text(latest, recent, scope=scope, weight=weight, now=services.clock.now()), picture


async def take_rank(
    services: Services, symbol: str | None, *, weight: WeightName | None, channel_id: int | None
) -> str:
    """The ranks of the newest figures; raises what `find_snapshot` raises, and RequestError without a history."""
    latest = await find_snapshot(services, symbol, channel_id=channel_id)
    if is_made_up(latest.source) or latest.replay is not None:
        raise RequestError("Simulated and replayed figures have no rank among real days.")
    reports = await _reports(services, latest.ticker)
    today = new_york(instant_of(latest.asof_ms)).date().isoformat()
    scope, weight = scope_and_weight(services, channel_id, None, weight)
    return rank_text(of_scope(latest, scope), reports, weight=weight, today=today)


async def take_record(
    services: Services, symbol: str | None, *, level: LevelName | None, days: int, channel_id: int | None
) -> str:
    """Whether past levels held; raises RequestError without a history."""
    ticker = meant(services, symbol, channel_id).name
    reports = await _reports(services, ticker)
    return record_text(ticker, reports, level=level, days=days)


async def take_days(
    services: Services, symbol: str | None, *, days: int, channel_id: int | None
) -> tuple[str, Picture]:
    """The last days as a table and a picture, as `take_history`; raises as above, and what drawing raises."""
    ticker = meant(services, symbol, channel_id).name
    reports = await _reports(services, ticker)
    scope, weight = scope_and_weight(services, channel_id, None, None)
    scope = scope or _published_scope(reports)
    rows = rows_of(reports, scope, weight)[-days:]
    chart = days_chart(ticker, rows)
    request = PictureRequest(symbol=ticker, kind="history", scope=scope, weight=weight)
    return days_text(ticker, rows), await finish_picture(services, chart, request)


async def draw_picture(
    services: Services,
    request: PictureRequest,
    latest: GexSnapshot,
    history: Sequence[PastLevels],
    *,
    day_map: DayMap | None = None,
) -> Picture:
    """The picture of figures that were read already; raises as `take_picture`."""
    scope = request.scope or latest.scope or services.settings.gex_scope
    asked = Asked(scope, request.weight, request.theme, services.clock.now())
    chart = chart_of(request.kind, latest, history, asked, day_map)
    return await finish_picture(services, chart, replace(request, symbol=latest.ticker, scope=scope))


async def finish_picture(services: Services, chart: Chart, shown: PictureRequest) -> Picture:
    """Draw it; TransientError when that takes too long, ContractError when it cannot be done."""
    try:
        async with asyncio.timeout(_DRAWN_WITHIN_S):
            png = await services.charts.draw(structs.replace(chart, bot=drawn_by(services.bot_name())))
    except TimeoutError:
        raise TransientError("The chart took too long to draw.", remedy="Try again in a moment.") from None
    name = "-".join(filter(None, ("gex", (shown.symbol or "").lower(), shown.kind, shown.scope, shown.weight)))
    return Picture(png, alt_text(chart), f"{name}.png", shown)


async def _read_past(
    services: Services, latest: GexSnapshot, kind: str, *, minutes: float = WHOLE_DAY_MIN
) -> Sequence[PastLevels]:
    """As much of the day as the kind can show; TransientError when the store does not answer."""
    return await _read(
        services.snapshots.past(latest, minutes=minutes, most=KINDS[kind].most_past, strikes=KINDS[kind].past_strikes)
    )


async def _past_of_kind(services: Services, latest: GexSnapshot, kind: str) -> Sequence[PastLevels]:
    """As much of the day as a picture shows; where it only adds something, none while the store does not answer."""
    shown = KINDS[kind]
    if shown.most_past == 0 or (shown.past_adds and latest.on_demand is not None):
        return ()
    try:
        return await _read_past(services, latest, kind, minutes=shown.past_minutes)
    except TransientError:
        if shown.past_adds:
            return ()  # the picture says itself which minutes it shows
        raise


async def _read_map(services: Services, ticker: str) -> DayMap | None:
    """The newest map of a ticker; TransientError when the store does not answer."""
    return await _read(services.day_map(ticker))


async def _read(reading: Awaitable[T], whence: str = "snapshot store") -> T:
    try:
        async with asyncio.timeout(_READ_WITHIN_S):
            return await reading
    except TimeoutError:
        raise TransientError(f"The {whence} does not answer.", remedy="Try again in a moment.") from None


def _published_scope(reports: Sequence[DayReport]) -> ScopeName | None:
    """The scope that the live message showed last."""
    return next((row.scope for report in reversed(reports) for row in report.rows if row.published), None)


async def _reports(services: Services, ticker: str) -> Sequence[DayReport]:
    if services.reports is None:
        raise RequestError("No history is kept here.", remedy="The operator keeps one with GEX_HISTORY=true.")
    found = await _read(services.reports(ticker), "history")
    if not found:
        raise RequestError(f"There is no past day of {ticker} yet.", remedy="Each session adds one after its close.")
    return found
