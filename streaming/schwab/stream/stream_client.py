"""`SchwabStreamClient`: keeps a stream alive whatever happens to its connections (specs/schwab-wire.md §2.18)."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import ContractError, OperatorError, RequestError, TransientError
from streaming.ports import Assure, Tell
from streaming.process.trouble import Matters
from streaming.schwab.http_errors import RouteRefusedError
from streaming.schwab.login.keeper import Logins
from streaming.schwab.login.oauth import LOG_IN
from streaming.schwab.rest.route_trouble import Route, RouteTroubles
from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.policy import Reaction, StreamTiming, ending_text, reaction_to
from streaming.schwab.stream.routing import Subscriptions, Wanted, plan
from streaming.schwab.stream.session import StreamSession
from streaming.schwab.stream.session_events import Code, KeysRefused
from streaming.schwab.stream.socket import open_socket
from streaming.schwab.stream.stream_connection import Ending, Room, StreamConnection, StreamSink
from streaming.schwab.stream.stream_status import StreamClientStatus, StreamCounters
from streaming.schwab.stream.waits import ClientWaits
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo

_LOG: Final = logging.getLogger(__name__)


class StreamerDirectory(Protocol):
    """Where to connect, asked before every connection."""

    async def user_preference(self) -> StreamerInfo: ...


class AccessTokens(Protocol):
    """What to log in with."""

    async def access_token(self, *, rejected: str | None = None) -> str: ...


class SchwabStreamClient:
    """Streams what `subscriptions` name into `sink`, a batch for a few frames, until cancelled.

    Every end of a connection that nobody asked for is followed by another connection, after a jittered
    backoff that starts anew only when data has flowed for a while. All subscriptions are repeated, all
    images start afresh. `sink` must not block; what it raises is counted and logged. `tell` is given, once
    for each cause, what a person should know. With `logins` a missing login is waited for.
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
        logins: Logins | None = None,
        tell: Tell | None = None,
        assure: Assure | None = None,
        routes: RouteTroubles | None = None,
        flowed_at: datetime | None = None,
        room: Room | None = None,
    ) -> None:
        """`assure` raises before a login when another process of ours streams by now, which it would kick out.

        `room` waits until `sink` would rather have more than keep what it has; nothing is read meanwhile.
        `flowed_at` is when the process before received its last data, so that the gap is known.
        """
        self._rest = rest
        self._auth = auth
        self._subscriptions = subscriptions
        self._sink = sink
        self._room = room or _always_room
        self._clock = clock
        self._timing = timing or StreamTiming()
        self._chunk = chunk
        self._assure = assure
        self._merger = Merger()
        self._counters = StreamCounters(flowed_at=flowed_at)
        self._connection: StreamConnection | None = None
        self._something_wanted = asyncio.Event()
        self._matters = Matters(tell or _LOG.error)
        self._routes = routes or RouteTroubles(clock, rng, tell=tell, timing=self._timing.routes)
        self._waits = ClientWaits(self._timing, rng, clock, self._matters, logins=logins)
        self._denied = False
        self._level2 = False
        """Whether Schwab has ever offered books; one answer that does not takes none from who had them."""
        self._bad_keys = BadKeys()
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
            state=self._waits.state,
            since_at=self._waits.since_at,
            connects=counters.connects,
            reconnects=counters.reconnects,
            gaps=counters.gaps,
            gap_s=counters.gap_s,
            last_gap_s=counters.last_gap_s,
            last_close=counters.last_close,
            last_login_at=counters.last_login_at,
            frames=dict(counters.frames),
            frames_per_s=counters.rate.per_s(now_s),
            service_frames_per_s={name: rate.per_s(now_s) for name, rate in counters.rates.items()},
            last_frame_at=counters.last_frame_at,
            events=counters.events,
            bad_frames=counters.bad_frames,
            tolerant_frames=counters.tolerant_frames,
            dropped_rows=counters.dropped_rows + self._merger.odd_rows,
            sink_errors=counters.sink_errors,
            symbols=counters.symbol_ages_s(self._subscriptions.symbols, now_s),
            delayed=self._merger.delayed_symbols(),
            unavailable=dict(counters.unavailable),
            left_out={service.value: keys for service, keys in self._left_out().items()},
            missing=counters.missing,
            quiet=counters.quiet,
            contracts=dict(self._merger.active_contracts),
            needs_login=self.needs_login,
            retry_in_s=self._waits.retry_in_s,
            problems=tuple(counters.problems),
        )

    @property
    def needs_login(self) -> str | None:
        """Why a person must log in; None while nobody must."""
        return self._waits.needs_login

    async def run(self) -> None:
        """Stream until cancelled.

        What passes by itself is waited out. While another program has the stream, it is left alone for a
        long time. Without `logins`, LoginRequiredError says that a person must log in.
        """
        try:
            while True:
                if not self._something_wanted.is_set():
                    self._waits.enter("idle")
                    await self._something_wanted.wait()
                await self._connect_and_wait()
        finally:
            self._waits.enter("stopped")

    def retry_now(self) -> None:
        """Cut short whatever is being waited for: the backoff, a login, another program's turn, a route's."""
        self._routes.ask_again()
        self._waits.retry_now()

    async def set_symbols(self, symbols: Iterable[str]) -> None:
        """Stream exactly these symbols, beside the engine's options."""
        await self._change(replace(self._subscriptions, symbols=tuple(dict.fromkeys(symbols))))

    def quote_symbols(self, wanted: bool) -> None:
        """Whether an engine looks at the options among the symbols."""
        self._apply_subscriptions(replace(self._subscriptions, quotes=wanted))

    async def follow_options(self, options: Iterable[str]) -> None:
        """Quote exactly these options for the engine, instead of those before."""
        await self._change(self._subscriptions.quoting(options))

    async def ask_again(self, symbols: Iterable[str]) -> None:
        """Ask for symbols that were refused as if they never had been."""
        again = tuple(symbols)
        self._bad_keys.forgive(again)
        if self._connection is not None:
            await self._connection.ask_again(again)

    async def _change(self, subscriptions: Subscriptions) -> None:
        self._apply_subscriptions(subscriptions)
        if self._connection is not None:
            await self._connection.replan()

    def _apply_subscriptions(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        published, quoted = frozenset(subscriptions.symbols), frozenset(subscriptions.option_quotes)
        self._merger.quotes_only = quoted - published
        self._merger.unquoted = frozenset() if subscriptions.quotes else published - quoted
        self._bad_keys.keep(plan(subscriptions, self._merger.listings, level2=True))
        if subscriptions.symbols or subscriptions.option_quotes:
            self._something_wanted.set()
        else:
            self._something_wanted.clear()

    async def _connect_and_wait(self) -> None:
        """One connection, and what its end asks for."""
        wish_s = 0.0
        try:
            reaction = await self._connect()
        except RouteRefusedError as error:
            self._counters.last_close, self._denied = str(error), False
            await self._waits.refused(str(error), error.retry_after_s or self._timing.max_delay_s)
            return
        except (TransientError, ContractError, RequestError) as error:
            self._counters.last_close = str(error)
            wish_s = (error.retry_after_s or 0.0) if isinstance(error, TransientError) else 0.0
            reaction = Reaction.RECONNECT
        except OperatorError as error:
            self._counters.last_close = self._counters.last_close or str(error)
            self._denied = False
            await self._waits.for_login(error)
            return
        self._counters.reconnects += 1
        if reaction is Reaction.YIELD:
            await self._waits.leave_to_the_other()
        elif reaction is Reaction.RECONNECT:
            await self._waits.back_off(self._counters.last_close, wish_s)

    async def _connect(self) -> Reaction:
        """One connection from its login to its end, and what that end asks for."""
        self._waits.enter("connecting")
        if self._assure is not None:
            await self._assure()
        token = await self._auth.access_token()
        info = await self._rest.user_preference()
        self._level2 = self._level2 or info.level2
        async with open_socket(info.url, self._timing) as socket:
            self._counters.connects += 1
            self._merger.reset(source=info.source)
            self._merger.keep(self._subscriptions.symbols)
            self._counters.keep(self._subscriptions.symbols)
            self._waits.enter("login")
            wanted = self._plan(self._merger.listings)
            session = StreamSession(info, wanted, chunk=self._chunk, bad_keys=self._bad_keys)
            connection = StreamConnection(
                socket,
                session,
                self._merger,
                plan=self._plan,
                sink=self._sink,
                room=self._room,
                owner=self,
                counters=self._counters,
                timing=self._timing,
                clock=self._clock,
            )
            with self._serving(connection):
                ending = await connection.serve(token)
        return await self._react(ending, token)

    async def _react(self, ending: Ending, token: str) -> Reaction:
        """Note an ending and do what its code asks for (specs/schwab-wire.md §2.4)."""
        self._counters.last_close = ending_text(ending)
        reaction = reaction_to(ending, denied_before=self._denied)
        if reaction is Reaction.GIVE_UP_LOGIN:
            error = RouteRefusedError(
                "Schwab's streamer denied the login twice, with a fresh token too.", remedy=LOG_IN
            )
            await self._routes.refused(Route.LOGIN, error)
            raise error
        if reaction is Reaction.RENEW_TOKEN:
            self._denied = True
            await self._auth.access_token(rejected=token)
        return reaction

    @contextmanager
    def _serving(self, connection: StreamConnection) -> Iterator[StreamConnection]:
        self._connection = connection
        self._bad_keys.connection_began()
        try:
            yield connection
        finally:
            self._connection = None
            self._bad_keys.connection_ended(self._clock.monotonic())

    def wanted_symbols(self) -> tuple[str, ...]:
        return self._subscriptions.symbols

    def logged_in(self) -> None:
        self._denied = False
        self._routes.over(Route.LOGIN)
        self._matters.over("needs login")
        self._waits.enter("ready")

    def live(self) -> None:
        self._matters.over("taken over")
        self._waits.enter("live")

    def settled(self) -> None:
        self._waits.well()
        delayed = self._merger.delayed_symbols()
        for symbol in self._subscriptions.symbols:
            if symbol not in delayed:
                self._matters.over(f"delayed {symbol}")
        self.tell_of(
            delayed, "delayed", lambda names: f"Schwab sends {names} with a delay: the account has no real-time quotes."
        )

    def refused(self, event: KeysRefused) -> None:
        """Keys that the server will not take: told once a service, until it has taken all of them."""
        again = "with the next connection" if event.code == Code.BAD_COMMAND_FORMAT else "in five minutes"
        self.tell(
            f"refused {event.service}",
            f"Schwab refused {event.command} {event.service} with code {event.code} ({event.message or 'no reason'}) "
            f"for {', '.join(event.keys[:5])}{', …' if len(event.keys) > 5 else ''}: left out, and asked for again "  # noqa: PLR2004 - a taste of them
            f"{again}, or at once by `/stream symbols add`. `/stream status` names all that is left out.",
        )

    def served(self, service: Service) -> None:
        left_out = self._left_out()
        self._matters.over(f"unavailable {service}")
        if not left_out.get(service):
            self._matters.over(f"refused {service}")
        if _number_of(left_out) == _number_of(self._bad_keys.left_out()):
            self._matters.over("limit")

    def _left_out(self) -> Mapping[Service, tuple[str, ...]]:
        return self._bad_keys.left_out() if self._connection is None else self._connection.left_out

    def tell(self, about: str, sentence: str) -> None:
        """Tell a person once; the same matter is told again only after it was over."""
        self._matters.tell(about, sentence)

    def tell_of(self, symbols: Iterable[str], about: str, say: Callable[[str], str]) -> None:
        """Tell a person in one sentence, which `say` makes of their names, of symbols that were not told about."""
        self._matters.tell_of(symbols, about, say)

    def _plan(self, listings: Mapping[str, str]) -> Wanted:
        return plan(self._subscriptions, listings, level2=self._level2)


def _number_of(keys: Mapping[Service, tuple[str, ...]]) -> int:
    return sum(map(len, keys.values()))


async def _always_room() -> None:
    """For sinks that take everything."""
