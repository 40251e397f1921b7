"""`SchwabStreamClient`: keeps a stream alive whatever happens to its connections (schwab-api.md §2.18)."""

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import ContractError, LoginRequiredError, OperatorError, RequestError, TransientError
from streaming.schwab.connection import Connection, Ending, StreamSink
from streaming.schwab.frames import StreamerInfo
from streaming.schwab.merge import Merger
from streaming.schwab.oauth import LOG_IN
from streaming.schwab.policy import Backoff, Reaction, StreamTiming, ending_text, reaction_to
from streaming.schwab.routing import Subscriptions, Wanted, plan
from streaming.schwab.session import StreamSession
from streaming.schwab.socket import open_socket
from streaming.schwab.stream_status import ClientState, StreamClientStatus, StreamCounters

__all__ = ["SchwabStreamClient", "StreamClientStatus", "StreamTiming", "Subscriptions"]

_LOG: Final = logging.getLogger(__name__)


class StreamerDirectory(Protocol):
    """Where to connect, asked before every connection."""

    async def user_preference(self) -> StreamerInfo: ...


class AccessTokens(Protocol):
    """What to log in with."""

    async def access_token(self, *, force_refresh: bool = False, rejected: str | None = None) -> str: ...


class SchwabStreamClient:
    """Streams what `subscriptions` name into `sink`, a batch per frame, until cancelled.

    Every end of a connection that nobody asked for is followed by another connection, after a jittered
    backoff that starts anew only when data has flowed for a while. All subscriptions are repeated, all
    images start afresh. `sink` must not block; what it raises is counted and logged.
    """

    def __init__(  # noqa: PLR0917 - what is used, what is wanted, where it goes: the order reads like the sentence
        self,
        rest: StreamerDirectory,
        auth: AccessTokens,
        subscriptions: Subscriptions,
        sink: StreamSink,
        clock: Clock,
        rng: random.Random,
        *,
        timing: StreamTiming | None = None,
        chunk: int = 300,
        source: str = "schwab",
    ) -> None:
        self._rest = rest
        self._auth = auth
        self._subscriptions = subscriptions
        self._sink = sink
        self._clock = clock
        self._timing = timing or StreamTiming()
        self._chunk = chunk
        self._backoff = Backoff(self._timing, rng)
        self._merger = Merger(source=source)
        self._counters = StreamCounters()
        self._connection: Connection | None = None
        self._something_wanted = asyncio.Event()
        self._denied = False
        self._state: ClientState = "stopped"
        self._since_at = clock.now()
        self._apply_subscriptions(subscriptions)

    @property
    def subscriptions(self) -> Subscriptions:
        """What is wanted now."""
        return self._subscriptions

    @property
    def status(self) -> StreamClientStatus:
        """One look at everything."""
        counters, now_s = self._counters, self._clock.monotonic()
        return StreamClientStatus(
            state=self._state,
            since_at=self._since_at,
            connects=counters.connects,
            reconnects=counters.reconnects,
            last_close=counters.last_close,
            last_login_at=counters.last_login_at,
            frames=dict(counters.frames),
            frames_per_s=counters.rate.per_s(now_s),
            last_frame_at=counters.last_frame_at,
            events=counters.events,
            bad_frames=counters.bad_frames,
            tolerant_frames=counters.tolerant_frames,
            dropped_rows=counters.dropped_rows,
            sink_errors=counters.sink_errors,
            symbols=counters.symbol_ages_s(self._subscriptions.symbols, now_s),
            delayed=self._merger.delayed_symbols(),
            unavailable=dict(counters.unavailable),
            problems=tuple(counters.problems),
        )

    async def run(self) -> None:
        """Stream until cancelled.

        Raises LoginRequiredError when Schwab wants a person to log in, and OperatorError when another
        program has taken the stream over; everything that passes by itself is waited out.
        """
        try:
            while True:
                if not self._something_wanted.is_set():
                    self._enter("idle")
                    await self._something_wanted.wait()
                await self._connect_and_wait()
        finally:
            self._enter("stopped")

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Stream more symbols from now on, also after reconnects."""
        await self._change(self._subscriptions.adding(symbols))

    async def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Stop streaming some symbols."""
        await self._change(self._subscriptions.removing(symbols))

    async def follow_options(self, options: Iterable[str]) -> None:
        """Quote exactly these options for the engine, instead of those before."""
        await self._change(self._subscriptions.quoting(options))

    async def _change(self, subscriptions: Subscriptions) -> None:
        self._apply_subscriptions(subscriptions)
        if self._connection is not None:
            await self._connection.replan()

    def _apply_subscriptions(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._merger.quotes_only = frozenset(subscriptions.option_quotes).difference(subscriptions.symbols)
        if subscriptions.symbols or subscriptions.option_quotes:
            self._something_wanted.set()
        else:
            self._something_wanted.clear()

    async def _connect_and_wait(self) -> None:
        """One connection, and the backoff after it."""
        delay_s = 0.0
        try:
            if not self._react(await self._connect()):
                delay_s = self._backoff.next_s()
        except (TransientError, ContractError, RequestError) as error:
            self._counters.last_close = str(error)
            wish_s = error.retry_after_s if isinstance(error, TransientError) else None
            delay_s = max(self._backoff.next_s(), wish_s or 0.0)
        self._counters.reconnects += 1
        _LOG.info("Stream ended (%s); next try in %.1f s", self._counters.last_close, delay_s)
        self._enter("backoff")
        await self._clock.sleep(delay_s)

    async def _connect(self) -> Ending:
        self._enter("connecting")
        token = await self._auth.access_token()
        info = await self._rest.user_preference()
        async with open_socket(info.url, self._timing) as socket:
            self._counters.connects += 1
            self._merger.reset()
            self._enter("login")
            session = StreamSession(info, self._plan(info, self._merger.listings), chunk=self._chunk)
            with self._serving(
                Connection(
                    socket,
                    session,
                    self._merger,
                    plan=lambda listings: self._plan(info, listings),
                    sink=self._sink,
                    on_login=self._logged_in,
                    on_live=self._live,
                    on_settled=self._backoff.reset,
                    counters=self._counters,
                    timing=self._timing,
                    clock=self._clock,
                )
            ) as connection:
                ending = await connection.serve(token)
        if reaction_to(ending, denied_before=self._denied) is Reaction.RENEW_TOKEN:
            await self._auth.access_token(rejected=token)
        return ending

    @contextmanager
    def _serving(self, connection: Connection) -> Iterator[Connection]:
        self._connection = connection
        try:
            yield connection
        finally:
            self._connection = None

    def _react(self, ending: Ending) -> bool:
        """Note an ending; true when the next connection should come at once."""
        self._counters.last_close = ending_text(ending)
        reaction = reaction_to(ending, denied_before=self._denied)
        if reaction is Reaction.YIELD:
            raise OperatorError(
                "Another program has taken over the Schwab stream; a user may hold one.",
                remedy="Stop the other program, then start the stream again.",
            )
        if reaction is Reaction.ASK_FOR_LOGIN:
            raise LoginRequiredError("Schwab's streamer denied the login twice, with a fresh token too.", remedy=LOG_IN)
        self._denied = self._denied or reaction is Reaction.RENEW_TOKEN
        return reaction is Reaction.RENEW_TOKEN

    def _logged_in(self) -> None:
        self._denied = False

    def _live(self) -> None:
        self._enter("live")

    def _plan(self, info: StreamerInfo, listings: Mapping[str, str]) -> Wanted:
        return plan(self._subscriptions, listings, level2=info.level2)

    def _enter(self, state: ClientState) -> None:
        if state != self._state:
            self._state, self._since_at = state, self._clock.now()
            _LOG.debug("Stream client: %s", state)
