"""One connection to the streamer from login to its end: a socket, a session and a merger working together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from streaming.clock import Clock, epoch_ms
from streaming.errors import TransientError
from streaming.model import OptionQuote, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab.stream.announcements import Announcements, ConnectionOwner
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import Wanted
from streaming.schwab.stream.session import State, StreamSession
from streaming.schwab.stream.session_events import (
    ConnectionUnknown,
    Data,
    KickedOut,
    LoggedOut,
    LoginDenied,
    StopStreaming,
)
from streaming.schwab.stream.socket import StreamSocket
from streaming.schwab.stream.stream_status import StreamCounters
from streaming.schwab.stream.watch import DataWatch
from streaming.schwab.wire.fields import Service

_LOG: Final = logging.getLogger(__name__)
_GOODBYE_S: Final = 1.0
_EXTEND_EVERY_S: Final = 1.0
_WATCH_EVERY_S: Final = 1.0
_SIGNS_OF_LIFE: Final = frozenset({TickEvent, OptionQuote})
_TOGETHER: Final = 16
"""Frames worked off as one: few enough for the processor's cache and for not waking the garbage collector."""
_BYTES_TOGETHER: Final = 1 << 17
"""And few enough bytes for decoding them not to hold the loop: a burst of Schwab's is a frame of 100 KB and more."""

_MISSING: Final = (
    "Schwab has sent nothing for {} since it was subscribed: is there such a symbol? "
    "`/stream symbols remove` or SCHWAB_SYMBOLS takes it out."
)

StreamSink = Callable[[Sequence[StreamEvent]], None]
Room = Callable[[], Awaitable[None]]
"""Waits until a sink would rather have more than keep what it has."""
Ending = LoginDenied | KickedOut | StopStreaming | ConnectionUnknown | LoggedOut


class StreamConnection:
    """Serves one socket. `plan` gives the wanted keys for what is known of the listings so far."""

    def __init__(
        self,
        socket: StreamSocket,
        session: StreamSession,
        merger: Merger,
        *,
        plan: Callable[[Mapping[str, str]], Wanted],
        sink: StreamSink,
        room: Room,
        owner: ConnectionOwner,
        counters: StreamCounters,
        timing: StreamTiming,
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._session = session
        self._merger = merger
        self._plan = plan
        self._sink = sink
        self._room = room
        self._owner = owner
        self._counters = counters
        self._timing = timing
        self._clock = clock
        self._sending = asyncio.Lock()
        self._watch = DataWatch(timing)
        self._announcements = Announcements(owner, counters, self._watch, merger, clock)
        self._next_watch_s = 0.0
        self._listings_seen = merger.listings_version
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

    @property
    def left_out(self) -> Mapping[Service, tuple[str, ...]]:
        """The wanted keys that the server would not take, by service."""
        return self._session.left_out

    async def replan(self) -> None:
        """Ask for what is wanted now; when the connection is just breaking, the next one will."""
        self._session.want(self._plan(self._merger.listings))
        await self._flush_if_open()

    async def ask_again(self, keys: Iterable[str]) -> None:
        """Ask for refused keys as if they never had been."""
        self._session.forgive(keys)
        await self._flush_if_open()

    async def _flush_if_open(self) -> None:
        try:
            await self._flush()
        except TransientError as error:
            _LOG.debug("Subscriptions go out with the next connection: %s", error)

    async def _read(self, limit: asyncio.Timeout) -> Ending:
        loop = asyncio.get_running_loop()
        next_extension_s = 0.0
        while True:
            await self._room()
            raws = await self._socket.receive()
            now_s = self._clock.monotonic()
            for together in _worked_off_as_one(raws):
                if (ending := await self._take(together, now_s)) is not None:
                    return ending
            if now_s >= self._next_watch_s and self._session.state is State.READY:
                self._next_watch_s = now_s + _WATCH_EVERY_S
                await asyncio.sleep(0)
                self._look(now_s)
                self._session.awaken(now_s)
            if not self._session.settled:
                with suppress(TransientError):  # what the server said before it closed is read first; then it raises
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

    async def _take(self, raws: Sequence[bytes], now_s: float) -> Ending | None:
        """Work off what came together; a bad frame is counted and forgotten."""
        received_at = self._clock.now()
        self._counters.last_frame_at = received_at
        self._counters.rate.count(now_s, len(raws))
        for event in self._session.receive_all(raws):
            if isinstance(event, Data):
                await self._pass_on(event, now_s, epoch_ms(received_at))
            elif isinstance(event, Ending):
                return event
            else:
                self._announcements.heard(event)
        if self._data_since_s is not None:
            self._counters.flowed_at = received_at
        return None

    def _look(self, now_s: float) -> None:
        """Let the watch judge; TransientError when the data is lost although the streamer is alive."""
        look = self._watch.look(self._owner.wanted_symbols(), self._clock.now(), now_s)
        if look.missing != self._counters.missing:
            self._owner.tell_of(look.missing, "missing", _MISSING.format)
        self._counters.missing, self._counters.quiet = look.missing, look.quiet
        if look.dead:
            raise TransientError(f"The streamer sent no data for {self._timing.data_silence_s:.0f} s in session.")

    async def _pass_on(self, data: Data, now_s: float, recv_ms: int) -> None:
        """Hand over the events, and let others have the loop between two portions: a publisher sends meanwhile."""
        if not data.continues:
            self._counters.count_blocks(data.blocks, now_s)
        self._note_flow(now_s)
        passed_on = data.continues
        for batch in self._merger.portions(data.blocks, recv_ms):
            if passed_on:
                await asyncio.sleep(0)
                await self._room()
            passed_on = True
            self._hand_over(batch, now_s)
        if self._merger.listings_version != self._listings_seen:
            self._listings_seen = self._merger.listings_version
            self._session.want(self._plan(self._merger.listings))
        self._note_rolls()

    def _hand_over(self, batch: Sequence[StreamEvent], now_s: float) -> None:
        counters = self._counters
        arrived_s = dict.fromkeys([event.symbol for event in batch if type(event) in _SIGNS_OF_LIFE], now_s)
        self._watch.arrived_s |= arrived_s
        counters.last_event_s |= arrived_s
        counters.events += len(batch)
        try:
            self._sink(batch)
        except Exception:  # noqa: BLE001 - a consumer's bug must not end the stream; it is logged with its traceback
            counters.sink_errors += 1
            _LOG.exception("A consumer of the stream failed; the stream goes on.")

    def _note_rolls(self) -> None:
        for symbol in (rolled := self._merger.take_rolled()):
            _LOG.warning("Stream: %s is now %s", symbol, self._merger.active_contracts[symbol])
        if rolled:
            self._session.repeat(Service.LEVELONE_FUTURES, rolled)

    def _note_flow(self, now_s: float) -> None:
        if self._data_since_s is None:
            self._data_since_s = now_s
            self._note_gap()
            self._owner.live()
        elif not self._settled and now_s - self._data_since_s >= self._timing.settle_s:
            self._settled = True
            self._owner.settled()

    def _note_gap(self) -> None:
        gap_s = self._counters.resumed(self._clock.now())
        if gap_s is not None:
            _LOG.warning("Stream: no data for %.1f s; what Schwab sent meanwhile cannot be had again.", gap_s)

    async def _say_goodbye(self) -> None:
        if self._session.state is not State.READY:
            return
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._socket.send(self._session.logout())
        except (TransientError, TimeoutError) as error:
            _LOG.debug("No LOGOUT: %s", error)


def _worked_off_as_one(raws: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """What arrived, in parts of a few frames and not many bytes, or of one large frame."""
    begin = size = 0
    for at, raw in enumerate(raws):
        if at > begin and (at - begin == _TOGETHER or size + len(raw) > _BYTES_TOGETHER):
            yield raws[begin:at]
            begin = at
            size = 0
        size += len(raw)
    yield raws[begin:]
