"""The simulator on loopback: one HTTP server with OAuth, REST and the streamer's WebSocket."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from aiohttp import web

from streaming.clock import Clock
from streaming.errors import UnavailableError
from streaming.sim.application import build_application
from streaming.sim.authority import Authority
from streaming.sim.books import BookRows
from streaming.sim.chart_rows import ChartRows
from streaming.sim.codes import Code, Limits
from streaming.sim.control_routes import ControlRoutes
from streaming.sim.equity_rows import EquityRows
from streaming.sim.faults import MALFORMED_FRAME, Area, Failure, Faults
from streaming.sim.forex_rows import ForexRows
from streaming.sim.future_option_rows import FutureOptionRows
from streaming.sim.future_rows import FutureRows
from streaming.sim.hall import Hall
from streaming.sim.market import Market
from streaming.sim.option_rows import OptionRows
from streaming.sim.rows import ItemSource, RowSource
from streaming.sim.screener_rows import ScreenerRows
from streaming.sim.stream_routes import StreamRoutes

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, eq=False)
class SimServer:
    """A running simulator. Everything a test or the demo may look at or break."""

    url: str
    """Base of `/v1/oauth`, `/trader/v1` and `/marketdata/v1`."""
    stream_url: str
    hall: Hall
    _streams: StreamRoutes

    @property
    def market(self) -> Market:
        """The market behind it."""
        return self.hall.market

    @property
    def authority(self) -> Authority:
        """Codes and tokens."""
        return self.hall.authority

    @property
    def faults(self) -> Faults:
        """Switches of faults."""
        return self.hall.faults

    @property
    def counters(self) -> Counter[str]:
        """Requests by path, stream frames by service, logins, sockets."""
        return self.hall.counters

    @property
    def subscriptions(self) -> dict[str, tuple[str, ...]]:
        """Keys by service over all logged-in connections."""
        held: dict[str, tuple[str, ...]] = {}
        for connection in self._streams.connections:
            for service, item in connection.session.subscriptions.items():
                held[service] = held.get(service, ()) + tuple(item.keys)
        return held

    def issue_token(self) -> dict[str, Any]:
        """Sign in without a browser: a token file's content in schwab-py's shape (schwab-api.md §1.5)."""
        now_s = int(self.authority.clock.now().timestamp())
        token = self.authority.sign_in()
        return {"creation_timestamp": now_s, "token": token | {"expires_at": now_s + token["expires_in"]}}

    def fail(self, area: Area, failure: Failure, *, times: int = 1) -> None:
        """Answer the next `times` REST requests of an area with `failure`."""
        self.faults.add(area, failure, times=times)

    async def drop_streams(self, code: int | None = None) -> int:
        """Close every stream socket with a code, or tear it down without one; returns how many."""
        connections = tuple(self._streams.connections)
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(connection.close(code), name="sim-stream-close")
        return len(connections)

    def set_limits(self, limits: Limits) -> None:
        """Change the server's patience and sizes, for open connections too."""
        self._streams.limits = limits
        for connection in self._streams.connections:
            connection.limits = connection.session.limits = limits

    @property
    def limits(self) -> Limits:
        """The server's patience and sizes."""
        return self._streams.limits

    async def notify(self, code: int, text: str | None = None, *, close: bool = True) -> int:
        """Send a notify with a code to every stream that is logged in, and close it; returns to how many.

        ValueError for a code that Schwab does not have.
        """
        known = Code(code)
        connections = [item for item in self._streams.connections if item.session.ids is not None]
        for connection in connections:
            await connection.send(connection.session.notify(known, text))
            if close:
                await connection.close()
        return len(connections)

    async def send_raw(self, frame: bytes = MALFORMED_FRAME) -> int:
        """Send a text frame as it is to every logged-in stream; returns to how many."""
        connections = [item for item in self._streams.connections if item.session.ids is not None]
        for connection in connections:
            await connection.send(frame)
        return len(connections)


@asynccontextmanager
async def open_sim(
    market: Market,
    clock: Clock,
    *,
    port: int = 0,
    client_id: str = "demo",
    client_secret: str = "demo-secret",  # noqa: S107 - the password of a simulation
    callback_url: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    requests_per_minute: int | None = None,
    rng: Random | None = None,
    login_clock: Clock | None = None,
) -> AsyncIterator[SimServer]:
    """Serve `market` on a loopback port until the context ends; port 0 takes a free one.

    The market follows `clock`, and so do the tokens' lives unless they have a `login_clock`. With
    `callback_url`, OAuth accepts no other; with `requests_per_minute`, more market-data requests get 429.
    Raises UnavailableError when the port is taken.
    """
    authority = Authority(client_id, client_secret, login_clock or clock, rng or Random(), callback_url=callback_url)
    hall = Hall(market, clock, authority, customer_id=f"{authority.rng.getrandbits(256):064x}")
    streams = StreamRoutes(hall, _sources(hall), limits)
    control = ControlRoutes()
    application = build_application(hall, streams, control, requests_per_minute=requests_per_minute)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        bound = await _listen(runner, port)
        server = SimServer(f"http://{_HOST}:{bound}", f"ws://{_HOST}:{bound}/ws", hall, streams)
        control.server = server
        try:
            yield server
        finally:
            await server.drop_streams(1001)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> int:
    try:
        await web.TCPSite(runner, _HOST, port).start()
    except OSError as error:
        raise UnavailableError(
            f"Port {port} is taken.", remedy="Choose another one, or 0 for any free port."
        ) from error
    return int(runner.addresses[0][1])


def _sources(hall: Hall) -> dict[str, RowSource | ItemSource]:
    market = hall.market
    return {
        "LEVELONE_EQUITIES": EquityRows(market),
        "LEVELONE_OPTIONS": OptionRows(market),
        "LEVELONE_FUTURES": FutureRows(market),
        "LEVELONE_FUTURES_OPTIONS": FutureOptionRows(market),
        "LEVELONE_FOREX": ForexRows(market),
        "NYSE_BOOK": BookRows(market, "NYSE_BOOK"),
        "NASDAQ_BOOK": BookRows(market, "NASDAQ_BOOK"),
        "OPTIONS_BOOK": BookRows(market, "OPTIONS_BOOK"),
        "CHART_EQUITY": ChartRows(market, "CHART_EQUITY"),
        "CHART_FUTURES": ChartRows(market, "CHART_FUTURES"),
        "SCREENER_EQUITY": ScreenerRows(market, "SCREENER_EQUITY"),
        "SCREENER_OPTION": ScreenerRows(market, "SCREENER_OPTION"),
        "ACCT_ACTIVITY": hall.activity,
    }


__all__ = ["Failure", "Limits", "SimServer", "open_sim"]
