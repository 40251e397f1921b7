"""`/stream symbols add|remove|list`: what is streamed, changed while streaming and kept across restarts."""

import asyncio
from collections.abc import Iterable
from typing import Final

from streaming.clock import Clock
from streaming.errors import RequestError
from streaming.setting_values import split_commas
from streaming.status import StreamReport, SymbolList
from streaming.streamer.streamed_symbols import SymbolChanges
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_wire_symbol

ANSWER_WITHIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05


class SymbolControl:
    """What is streamed, as operators choose it; kept across restarts. Raises TransientError while Redis is away."""

    def __init__(self, streamer: Streamer, clock: Clock) -> None:
        self._streamer = streamer
        self._clock = clock

    async def add(self, text: str) -> StreamReport:
        """Stream more symbols. RequestError for what is no symbol."""
        symbols = _parse(text)
        changes = await self._streamer.load_changes()
        configured = self._by_itself()
        streamed = {*changes.applied_to(configured), *self._streamer.needed_symbols}
        refused = self._refused()
        new = tuple(symbol for symbol in symbols if symbol not in streamed)
        again = tuple(symbol for symbol in symbols if symbol in streamed and symbol in refused)
        if not (new or again):
            return StreamReport(ok=True, sentence=f"{_names(symbols)}: already streamed.")
        if new:
            await self._streamer.store_changes(changes.adding(new, configured))
        if again:
            await self._streamer.ask_again(again)
        return await self._first_data((*new, *again))

    async def remove(self, text: str) -> StreamReport:
        """Stop streaming symbols. RequestError for what is not streamed or what a board needs."""
        symbols = _parse(text)
        changes = await self._streamer.load_changes()
        configured, needed = self._by_itself(), self._streamer.needed_symbols
        streamed = changes.applied_to(configured)
        if kept := [symbol for symbol in symbols if symbol in needed]:
            raise RequestError(f"{_names(kept)}: needed by the live messages.", remedy="Nothing was removed.")
        if unknown := [symbol for symbol in symbols if symbol not in streamed]:
            raise RequestError(f"{_names(unknown)}: not streamed.", remedy="`/stream symbols list` shows what is.")
        await self._streamer.store_changes(changes.removing(symbols, configured))
        return StreamReport(ok=True, sentence=f"{_names(symbols)}: no longer streamed, even after a restart.")

    async def list(self) -> SymbolList:
        """What is streamed, and why."""
        changes = await self._streamer.load_changes()
        return SymbolList(
            configured=tuple(s for s in self._streamer.configured_symbols if s not in changes.removed),
            added=changes.added,
            removed=tuple(sorted(changes.removed)),
            needed=(*self._streamer.needed_symbols, *self._useful(changes)),
        )

    def _by_itself(self) -> tuple[str, ...]:
        """What is streamed unless operators remove it."""
        return (*self._streamer.configured_symbols, *self._streamer.useful_symbols)

    def _refused(self) -> set[str]:
        """Every symbol that Schwab refused in one service or another."""
        return {symbol for symbols in self._streamer.status().left_out.values() for symbol in symbols}

    def _useful(self, changes: SymbolChanges) -> tuple[str, ...]:
        configured = self._streamer.configured_symbols
        known = {*configured, *changes.added, *changes.removed}
        return tuple(symbol for symbol in self._streamer.useful_symbols if symbol not in known)

    async def _first_data(self, symbols: tuple[str, ...]) -> StreamReport:
        """Wait a moment for the first images, which prove more than an acknowledgement."""
        began_s = self._clock.monotonic()
        while (elapsed_s := self._clock.monotonic() - began_s) < ANSWER_WITHIN_S:
            status = self._streamer.status()
            if status.state not in {"live", "ready"}:
                sentence = f"{_names(symbols)}: streamed as soon as the stream runs, which is {status.state} now."
                return StreamReport(ok=True, sentence=sentence)
            if all(status.symbols.get(symbol) is not None for symbol in symbols):
                sentence = f"{_names(symbols)}: streamed from now on; first data after {elapsed_s * 1000:.0f} ms."
                return StreamReport(ok=True, sentence=sentence)
            await asyncio.sleep(_LOOK_EVERY_S)
        ages = self._streamer.status().symbols
        silent = [symbol for symbol in symbols if ages.get(symbol) is None]
        if refused := self._refused().intersection(silent):
            sentence = f"{_names(symbols)}: asked for, but Schwab refuses {_names(sorted(refused))}."
            return StreamReport(ok=False, sentence=sentence)
        return StreamReport(
            ok=True,
            sentence=f"{_names(symbols)}: asked for. Nothing has arrived for {_names(silent)} yet; Schwab accepts "
            "unknown symbols without a word. `/stream status` shows one that stays silent.",
        )


def _parse(text: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(parse_wire_symbol(part) for part in split_commas(text)))
    if not symbols:
        raise RequestError("No symbol was named.", remedy="Use SPY, $SPX, /MNQ or a 21-character option symbol.")
    return symbols


def _names(symbols: Iterable[str]) -> str:
    return ", ".join(symbols)
