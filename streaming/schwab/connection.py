"""One connection to the streamer from login to its end: a socket, a session and a merger working together."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from streaming.clock import Clock, epoch_ms
from streaming.errors import ContractError, TransientError
from streaming.ports import StreamEvent
from streaming.schwab.merge import Merger
from streaming.schwab.policy import StreamTiming
from streaming.schwab.routing import Wanted
from streaming.schwab.session import State, StreamSession
from streaming.schwab.session_events import (
    ConnectionUnknown,
    Data,
    KickedOut,
    LoggedIn,
    LoggedOut,
    LoginDenied,
    Oddity,
    Refused,
    ServiceUnavailable,
    SessionEvent,
    StopStreaming,
    SymbolLimit,
    Tolerated,
)
from streaming.schwab.socket import StreamSocket
from streaming.schwab.stream_status import StreamCounters

_LOG: Final = logging.getLogger(__name__)
_GOODBYE_S: Final = 1.0
_EXTEND_EVERY_S: Final = 1.0

StreamSink = Callable[[Sequence[StreamEvent]], None]
Ending = LoginDenied | KickedOut | StopStreaming | ConnectionUnknown | LoggedOut


class Connection:
    """Serves one socket. `plan` gives the wanted keys for what is known of the listings so far."""

    def __init__(
        self,
        socket: StreamSocket,
        session: StreamSession,
        merger: Merger,
        *,
        plan: Callable[[Mapping[str, str]], Wanted],
        sink: StreamSink,
        on_login: Callable[[], None],
        on_live: Callable[[], None],
        on_settled: Callable[[], None],
        counters: StreamCounters,
        timing: StreamTiming,
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._session = session
        self._merger = merger
        self._plan = plan
        self._sink = sink
        self._on_login = on_login
        self._on_live = on_live
        self._on_settled = on_settled
        self._counters = counters
        self._timing = timing
        self._clock = clock
        self._sending = asyncio.Lock()
        self._listings_seen = len(merger.listings)
        self._data_since_s: float | None = None
        self._settled = False

    async def serve(self, access_token: str) -> Ending:
        """Log in and pass on events until the server ends the session, and return how it did.

        Raises TransientError when the connection breaks, falls silent or leaves a request unanswered.
        Cancellation logs out first.
        """
        self._session.login(access_token)
        try:
            async with asyncio.timeout(self._timing.login_s) as limit:
                await self._flush()
                return await self._read(limit)
        except TimeoutError:
            logged_in = self._session.state is State.READY
            what = f"sent nothing for {self._timing.silence_s:.0f} s" if logged_in else "did not answer the login"
            raise TransientError(f"The streamer {what}.") from None
        except asyncio.CancelledError:
            await self._say_goodbye()
            raise

    async def replan(self) -> None:
        """Ask for what is wanted now; when the connection is just breaking, the next one will."""
        self._session.want(self._plan(self._merger.listings))
        try:
            await self._flush()
        except TransientError as error:
            _LOG.debug("Subscriptions go out with the next connection: %s", error)

    async def _read(self, limit: asyncio.Timeout) -> Ending:
        loop = asyncio.get_running_loop()
        next_extension_s = 0.0
        while True:
            raw = await self._socket.receive()
            now_s = self._clock.monotonic()
            ending = self._take(raw, now_s)
            if ending is not None:
                return ending
            await self._flush()
            if self._session.overdue(now_s, self._timing.answer_s):
                raise TransientError("The streamer left a request unanswered.")
            if self._session.state is State.READY and loop.time() >= next_extension_s:
                next_extension_s = loop.time() + min(_EXTEND_EVERY_S, self._timing.silence_s / 8)
                limit.reschedule(loop.time() + self._timing.silence_s)

    async def _flush(self) -> None:
        async with self._sending:
            while (text := self._session.to_send(self._clock.monotonic())) is not None:
                await self._socket.send(text)

    def _take(self, raw: bytes, now_s: float) -> Ending | None:
        """Work off one frame; a bad one is counted and forgotten."""
        received_at = self._clock.now()
        self._counters.last_frame_at = received_at
        self._counters.rate.count(now_s)
        try:
            events = self._session.receive(raw)
        except ContractError as error:
            self._counters.bad_frames += 1
            self._note(str(error))
            return None
        for event in events:
            if isinstance(event, Data):
                self._pass_on(event, now_s, epoch_ms(received_at))
            elif isinstance(event, Ending):
                return event
            else:
                self._heard(event)
        return None

    def _pass_on(self, data: Data, now_s: float, recv_ms: int) -> None:
        counters = self._counters
        for block in data.blocks:
            counters.frames[block.service] = counters.frames.get(block.service, 0) + 1
        batch = self._merger.apply(data.blocks, recv_ms)
        for event in batch:
            counters.last_event_s[event.symbol] = now_s
        counters.events += len(batch)
        self._note_flow(now_s)
        if len(self._merger.listings) != self._listings_seen:
            self._listings_seen = len(self._merger.listings)
            self._session.want(self._plan(self._merger.listings))
        try:
            self._sink(batch)
        except Exception:  # noqa: BLE001 - a consumer's bug must not end the stream; it is logged with its traceback
            counters.sink_errors += 1
            _LOG.exception("A consumer of the stream failed; the stream goes on.")

    def _note_flow(self, now_s: float) -> None:
        if self._data_since_s is None:
            self._data_since_s = now_s
            self._on_live()
        elif not self._settled and now_s - self._data_since_s >= self._timing.settle_s:
            self._settled = True
            self._on_settled()

    def _heard(self, event: SessionEvent) -> None:
        if isinstance(event, Tolerated):
            self._counters.tolerant_frames += 1
            self._counters.dropped_rows += event.dropped
        elif isinstance(event, LoggedIn):
            self._counters.last_login_at = self._clock.now()
            self._counters.unavailable.clear()
            self._on_login()
        elif isinstance(event, ServiceUnavailable):
            self._counters.unavailable[event.service] = event.message
            self._note(f"{event.service} is not available: {event.message}")
        elif isinstance(event, SymbolLimit):
            self._note(f"{event.service}: Schwab's symbol limit is reached, {len(event.keys)} symbols are left out")
        elif isinstance(event, Refused):
            self._note(f"{event.command} {event.service} was refused with code {event.code}: {event.message}")
        elif isinstance(event, Oddity):
            self._note(event.what)

    def _note(self, problem: str) -> None:
        self._counters.problems.append(problem)
        _LOG.warning("Stream: %s", problem)

    async def _say_goodbye(self) -> None:
        if self._session.state is not State.READY:
            return
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._socket.send(self._session.logout())
        except (TransientError, TimeoutError) as error:
            _LOG.debug("No LOGOUT: %s", error)
