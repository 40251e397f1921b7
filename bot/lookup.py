"""From what a person typed to the snapshot they meant, in time for the first answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.choices import Choices
from bot.feed.feed_metrics import BoardStatus
from bot.notices import Interaction
from bot.permissions import is_operator
from bot.servers.orders import BoardOrder, settings_orders
from bot.services import Services
from streaming.clock import epoch_ms
from streaming.errors import OperatorError, RequestError, TransientError
from streaming.model import GexSnapshot, ScopeName, WeightName
from streaming.symbols import Ticker, parse_ticker

READ_WITHIN_S: Final = 2.0
"""An interaction must be answered within 3 s; what reads before the answer gets two of them."""
_LEFT_OVER_MS: Final = 300_000


def default_ticker(services: Services, channel_id: int | None) -> Ticker:
    """What the channel's board shows, else the first ticker."""
    order = _order(services, channel_id)
    return services.settings.tickers[0] if order is None else order.instruments[0]


def default_choices(services: Services, channel_id: int | None) -> Choices:
    """How the channel's board shows it; of a channel without one nothing is chosen."""
    return _order(services, channel_id) or Choices()


def scope_and_weight(
    services: Services, channel_id: int | None, scope: ScopeName | None, weight: WeightName | None
) -> tuple[ScopeName | None, WeightName]:
    """What was asked for, else what the channel's board shows; None is the scope that the snapshot sums over."""
    choices = default_choices(services, channel_id)
    return scope or choices.scope, weight or choices.one_weight or "oi"


def _order(services: Services, channel_id: int | None) -> BoardOrder | None:
    orders = settings_orders(services.settings) if services.orders is None else services.orders.current
    return None if channel_id is None else orders.get(channel_id)


def boards_here(interaction: Interaction, boards: Sequence[BoardStatus]) -> Sequence[BoardStatus]:
    """Those of the server somebody asks in; in a direct message all of them for operators, else none."""
    guild = interaction.guild
    if guild is None:
        return boards if is_operator(interaction) else ()
    return [board for board in boards if guild.get_channel_or_thread(board.channel_id) is not None]


def matching_names(services: Services, typed: str) -> list[str]:
    """Tickers for the autocomplete box: those that begin with what was typed, then those that contain it."""
    wanted = typed.strip().upper().lstrip("$/").replace("/", ".").replace("-", ".")
    names = [ticker.name for ticker in services.settings.tickers]
    starting = [name for name in names if name.startswith(wanted)]
    containing = [name for name in names if wanted in name and name not in starting]
    return starting + containing


async def find_snapshot(services: Services, typed: str | None, *, channel_id: int | None) -> GexSnapshot:
    """The newest snapshot of the ticker meant.

    Raises RequestError for a ticker that nobody follows, TransientError when there is no snapshot yet or the
    store does not answer.
    """
    ticker = meant(services, typed, channel_id)
    snapshot = await _published(services, ticker)
    if snapshot is None:
        raise _not_followed(services, f"{ticker.name} is not followed here.")
    return snapshot


async def find_or_ask(
    services: Services,
    typed: str | None,
    *,
    channel_id: int | None,
    before_asking: Callable[[], Awaitable[object]] | None = None,
) -> GexSnapshot:
    """As `find_snapshot`, except that the source is asked for a ticker that nobody follows, or nobody any more.

    That takes seconds: `before_asking` tells the person so. RequestError when the source has nothing either; what was
    left of a ticker that was dropped is better than that.
    """
    ticker = meant(services, typed, channel_id)
    snapshot = await _published(services, ticker)
    if snapshot is not None and (ticker in services.settings.tickers or not _is_left_over(snapshot, services)):
        return snapshot
    source = services.on_demand
    if source is None or ticker.future is not None:
        if snapshot is not None:
            return snapshot
        raise _not_followed(services, f"{ticker.name} is not followed here.")
    if (kept := await source.kept(ticker)) is not None:
        return kept
    if before_asking is not None:
        await before_asking()
    try:
        return await source.snapshot(ticker)
    except (RequestError, OperatorError, TransientError) as error:
        if snapshot is not None:
            return snapshot
        if isinstance(error, TransientError):
            raise
        raise _not_followed(
            services, f"{ticker.name} is not followed here, and cannot be asked for: {error}"
        ) from error


def _is_left_over(snapshot: GexSnapshot, services: Services) -> bool:
    """Whether nobody has published the ticker for minutes; the store keeps its last snapshot for a day."""
    newest_ms = snapshot.computed_ms if snapshot.replay is None else snapshot.replay.sent_ms
    return epoch_ms(services.clock.now()) - newest_ms > _LEFT_OVER_MS


def meant(services: Services, typed: str | None, channel_id: int | None) -> Ticker:
    """The ticker that was typed, else what the channel shows; RequestError for what is no ticker."""
    return parse_ticker(typed) if typed else default_ticker(services, channel_id)


async def _published(services: Services, ticker: Ticker) -> GexSnapshot | None:
    """The newest snapshot, None for a ticker that nobody follows.

    Of one that somebody does, RequestError while its first figures are on their way, else TransientError.
    """
    snapshot = await _latest(services, ticker.name)
    if snapshot is None and ticker in services.settings.tickers:
        if (loading := services.loading(ticker)) is not None:
            raise RequestError(f"{ticker.name} starts: {loading}.", remedy="Its figures come with the last one.")
        raise TransientError(
            f"There is no current snapshot of {ticker.name}.",
            remedy="Try again in a moment; with /stream status an operator can see whether data arrives.",
        )
    return snapshot


def _not_followed(services: Services, sentence: str) -> RequestError:
    names = ", ".join(known.name for known in services.settings.tickers)
    return RequestError(sentence, remedy=f"Available: {names}.")


def compared(services: Services, typed: str | None) -> list[str]:
    """The tickers that were typed, once each, else all that are followed; RequestError for what is no ticker."""
    if not typed:
        return [ticker.name for ticker in services.settings.tickers]
    return list(dict.fromkeys(parse_ticker(name).name for name in typed.replace(",", " ").split()))


async def find_several(services: Services, names: Sequence[str]) -> tuple[list[GexSnapshot], list[str]]:
    """The newest snapshots of tickers in their order, and those that have none."""
    found = await asyncio.gather(*(_latest(services, name) for name in names))
    missing = [name for name, snapshot in zip(names, found, strict=True) if snapshot is None]
    return [snapshot for snapshot in found if snapshot is not None], missing


async def _latest(services: Services, name: str) -> GexSnapshot | None:
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            return await services.snapshots.latest(name)
    except TimeoutError:
        raise TransientError("The snapshot store does not answer.", remedy="Try again in a moment.") from None
