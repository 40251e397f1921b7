"""Which symbols are streamed: the setting, what operators changed since, and what the tickers need."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.notes import NoteTable
from streaming.errors import RequestError
from streaming.gex.points.point_views import relatives_of
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.wire.fields import Service
from streaming.settings import StreamSettings
from streaming.symbols import Ticker, parse_wire_symbol

_LOG: Final = logging.getLogger(__name__)

_ADDED: Final = "added"
_REMOVED: Final = "removed"


@dataclass(frozen=True, slots=True)
class SymbolChanges:
    """What operators added to and removed from SCHWAB_SYMBOLS."""

    added: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()

    def adding(self, symbols: Iterable[str], configured: Collection[str]) -> "SymbolChanges":
        """With these streamed; one of the setting only has its removal forgotten."""
        wanted = tuple(symbols)
        added = dict.fromkeys([*self.added, *(symbol for symbol in wanted if symbol not in configured)])
        return replace(self, added=tuple(added), removed=self.removed.difference(wanted))

    def removing(self, symbols: Iterable[str], configured: Collection[str]) -> "SymbolChanges":
        """Without these."""
        unwanted = frozenset(symbols)
        added = tuple(symbol for symbol in self.added if symbol not in unwanted)
        return SymbolChanges(added, self.removed | unwanted.intersection(configured))

    def applied_to(self, configured: Sequence[str]) -> tuple[str, ...]:
        """The symbols of the setting with the changes made, each once."""
        return tuple(dict.fromkeys([*(s for s in configured if s not in self.removed), *self.added]))


def needed_by(tickers: Sequence[Ticker]) -> tuple[str, ...]:
    """What the tickers cannot be priced without; nobody can remove it."""
    return tuple(
        dict.fromkeys(symbol for ticker in tickers for symbol in (ticker.wire, ticker.future) if symbol is not None)
    )


def useful_to(tickers: Sequence[Ticker]) -> tuple[str, ...]:
    """What lets levels be shown in index, ETF and futures points besides; streamed unless operators remove it."""
    needed = needed_by(tickers)
    relatives = dict.fromkeys(symbol for ticker in tickers for symbol in relatives_of(ticker).values())
    return tuple(symbol for symbol in relatives if symbol not in needed)


class StoredChanges:
    """One hash: symbol -> `added` or `removed`. TransientError while Redis is away."""

    def __init__(self, redis: Redis, key: str = keys.STREAM_SYMBOLS) -> None:
        self._table = NoteTable(redis, key, about="the symbols to stream")

    async def load(self) -> SymbolChanges:
        """What was last stored, without kinds of symbols that are not streamed any more; no change when nothing was."""
        stored = {symbol: change for symbol, change in (await self._table.read()).items() if _is_streamed(symbol)}
        return SymbolChanges(
            added=tuple(sorted(symbol for symbol, change in stored.items() if change == _ADDED)),
            removed=frozenset(symbol for symbol, change in stored.items() if change == _REMOVED),
        )

    async def store(self, changes: SymbolChanges) -> None:
        """Replace what is stored."""
        await self._table.replace(dict.fromkeys(changes.added, _ADDED) | dict.fromkeys(changes.removed, _REMOVED))


def _is_streamed(symbol: str) -> bool:
    try:
        return parse_wire_symbol(symbol) == symbol
    except RequestError as error:
        _LOG.warning("the stored symbol %.24s is left out: %s", symbol, error.sentence)
        return False


def subscriptions_for(
    settings: StreamSettings, symbols: Sequence[str], services: frozenset[Service] | None
) -> Subscriptions:
    """What to ask of Schwab for these symbols: nothing that would not be published."""
    published = settings.redis_events
    return Subscriptions(
        symbols=tuple(symbols),
        books="level2" in published,
        charts=settings.schwab_charts and "candles" in published,
        services=services,
    )
