"""`/stream` and `/stream symbols` on the supervised streamer: what was asked for, remembered over restarts."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bot.supervisor import JobState, Supervisor
from streaming.bus.notes import Notes
from streaming.clock import Clock
from streaming.errors import GexcordError, RequestError
from streaming.setting_values import split_commas
from streaming.status import StreamReport, StreamStatus, SymbolList, some_of
from streaming.streamer.streamed_symbols import SymbolChanges
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_wire_symbol

_LOG: Final = logging.getLogger(__name__)
JOB: Final = "schwab-stream"
RESUME_JOB: Final = "stream-resume"
ANSWER_WITHIN_S: Final = 2.2
_REMEMBER_WITHIN_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.02
DATA_WITHIN_S: Final = 2.0
_LOOK_FOR_DATA_S: Final = 0.05
_TRANSIENT: Final = (JobState.STOPPED, JobState.ENDED)


class StreamControl:
    """The streamer as operators steer it."""

    def __init__(self, streamer: Streamer, supervisor: Supervisor, wanted: Notes, clock: Clock) -> None:
        self._streamer = streamer
        self._supervisor = supervisor
        self._wanted = wanted
        """Something is set while the stream is wanted, also across restarts."""
        self._clock = clock

    async def resume(self) -> None:
        """Start again when streaming was wanted as the process last ended."""
        if await self._wanted.get() is not None:
            self._supervisor.start(JOB, self._streamer.run)

    def resume_in_background(self) -> None:
        """`resume` as a job of its own, which waits for Redis as long as that takes."""
        self._supervisor.start(RESUME_JOB, lambda _progress: self.resume())

    async def start(self) -> StreamReport:
        """Start streaming, or say why not, within 3 s; starting twice is no error."""
        began_s = self._clock.monotonic()
        started = self._supervisor.start(JOB, self._streamer.run)
        if not started:
            self._supervisor.retry_now(JOB)
        await asyncio.sleep(_LOOK_EVERY_S)
        if self._refused():
            return self._clear_news(began_s) or self._unclear_news()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remember(wanted=True), name="remember the stream")
            return await self._answer(began_s, started=started)

    async def _answer(self, began_s: float, *, started: bool) -> StreamReport:
        if not started:
            if self._streamer.status().state == "live":
                return StreamReport(ok=True, sentence=f"The stream is already running: {self._symbols()}.")
            self._streamer.retry_now()
        return await self._first_news(began_s)

    def _refused(self) -> bool:
        job = self._supervisor.job(JOB)
        return job is not None and job.state is JobState.FAILED

    async def stop(self) -> StreamReport:
        """Stop streaming; stopping twice is no error."""
        await self._supervisor.stop(RESUME_JOB)
        await self._remember(wanted=False)
        if await self._supervisor.stop(JOB):
            return StreamReport(ok=True, sentence="The stream has stopped.")
        return StreamReport(ok=True, sentence="The stream was not running.")

    async def restart(self) -> StreamReport:
        """Stop if need be, then start."""
        await self._supervisor.stop(JOB)
        return await self.start()

    def status(self) -> StreamStatus:
        """The streamer's own word; where it is not running, the supervisor's."""
        status, job = self._streamer.status(), self._supervisor.job(JOB)
        if status.state != "stopped" or job is None or job.state in _TRANSIENT:
            return status
        return replace(status, state=str(job.state), since_at=job.since_at, last_error=job.last_error)

    def _symbols(self) -> str:
        count = len(self._streamer.status().symbols)
        return f"{count} symbol" if count == 1 else f"{count} symbols"

    async def _first_news(self, began_s: float) -> StreamReport:
        """What has become of the order by the time the answer is due, or as soon as that is clear."""
        while (report := self._clear_news(began_s)) is None:
            if self._clock.monotonic() - began_s >= ANSWER_WITHIN_S:
                return self._unclear_news()
            await asyncio.sleep(_LOOK_EVERY_S)
        return report

    def _clear_news(self, began_s: float) -> StreamReport | None:
        job, status = self._supervisor.job(JOB), self._streamer.status()
        if job is not None and job.state is JobState.WAITING:
            return StreamReport(
                ok=False, sentence=f"The stream is waiting and will try again by itself. {job.last_error}"
            )
        if job is not None and job.state in (JobState.FAILED, JobState.BACKOFF):
            return StreamReport(ok=False, sentence=f"The stream did not start. {job.last_error}")
        if status.state == "live":
            after_ms = round((self._clock.monotonic() - began_s) * 1000)
            return StreamReport(ok=True, sentence=f"Connected: {self._symbols()}; first data after {after_ms} ms.")
        if status.state == "needs_login":
            return StreamReport(
                ok=False,
                sentence=f"The stream is waiting for a Schwab login and will start by itself. {status.needs_login}",
            )
        if status.state == "standby":
            return StreamReport(
                ok=True, sentence="Another process is streaming; this one stands by and takes over when it ends."
            )
        return None

    def _unclear_news(self) -> StreamReport:
        status = self._streamer.status()
        if status.state == "ready":
            quiet = "Nothing has arrived yet, which is normal outside market hours."
            return StreamReport(ok=True, sentence=f"Connected: {self._symbols()} asked for. {quiet}")
        if status.state in {"backoff", "refused", "taken_over"}:
            retry = "" if status.retry_in_s is None else f" The next try is in {status.retry_in_s:.0f} s."
            return StreamReport(ok=False, sentence=f"The stream has no connection: {status.last_close}{retry}")
        return StreamReport(
            ok=True, sentence="The stream is connecting; Schwab has not answered yet. See /stream status."
        )

    async def _remember(self, *, wanted: bool) -> None:
        try:
            async with asyncio.timeout(_REMEMBER_WITHIN_S):
                await (self._wanted.set("1") if wanted else self._wanted.release())
        except TimeoutError:
            _LOG.warning("whether the stream is wanted could not be stored within %g s", _REMEMBER_WITHIN_S)
        except GexcordError as error:
            _LOG.warning("whether the stream is wanted could not be stored: %s", error)


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
        while (elapsed_s := self._clock.monotonic() - began_s) < DATA_WITHIN_S:
            status = self._streamer.status()
            if status.state not in {"live", "ready"}:
                sentence = f"{_names(symbols)}: streamed as soon as the stream runs; it is {status.state} now."
                return StreamReport(ok=True, sentence=sentence)
            if all(status.symbols.get(symbol) is not None for symbol in symbols):
                sentence = f"{_names(symbols)}: streamed from now on; first data after {elapsed_s * 1000:.0f} ms."
                return StreamReport(ok=True, sentence=sentence)
            await asyncio.sleep(_LOOK_FOR_DATA_S)
        ages = self._streamer.status().symbols
        silent = [symbol for symbol in symbols if ages.get(symbol) is None]
        if refused := self._refused().intersection(silent):
            sentence = f"{_names(symbols)}: requested, but Schwab refuses {_names(sorted(refused))}."
            return StreamReport(ok=False, sentence=sentence)
        return StreamReport(
            ok=True,
            sentence=f"{_names(symbols)}: asked for. Nothing has arrived for {_names(silent)} yet; Schwab accepts "
            "unknown symbols without a word. `/stream status` shows symbols that stay silent.",
        )


def _parse(text: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(parse_wire_symbol(part) for part in split_commas(text)))
    if not symbols:
        raise RequestError("No symbol was named.", remedy="Use SPY, $SPX, /MNQ or a 21-character option symbol.")
    return symbols


def _names(symbols: Iterable[str]) -> str:
    return some_of(tuple(symbols))
