"""The simulator on loopback: one HTTP server with OAuth, REST and the streamer's WebSocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from streaming.clock import Clock
from streaming.process.loopback import loopback_port
from streaming.sim.application import build_application
from streaming.sim.control_routes import ControlRoutes
from streaming.sim.faults import Failure
from streaming.sim.market import Market
from streaming.sim.rest.authority import Authority
from streaming.sim.shared_state import SharedState
from streaming.sim.sim_server import SimServer
from streaming.sim.stream.book_rows import BookRows
from streaming.sim.stream.chart_rows import ChartRows
from streaming.sim.stream.codes import Limits
from streaming.sim.stream.equity_rows import EquityRows
from streaming.sim.stream.future_rows import FutureRows
from streaming.sim.stream.numbered_rows import RowSource
from streaming.sim.stream.option_rows import OptionRows
from streaming.sim.stream.stream_routes import StreamRoutes


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
    shared = SharedState(market, clock, authority, customer_id=f"{authority.rng.getrandbits(256):064x}")
    streams = StreamRoutes(shared, _sources(shared), limits)
    control = ControlRoutes()
    application = build_application(shared, streams, control, requests_per_minute=requests_per_minute)
    async with loopback_port(port, whose="the local Schwab") as place:
        server = SimServer(f"http://{place.address}", f"ws://{place.address}/ws", shared, streams)
        control.server = server
        await place.serve(application)
        try:
            yield server
        finally:
            await server.drop_streams(1001)


def _sources(shared: SharedState) -> dict[str, RowSource]:
    market = shared.market
    return {
        "LEVELONE_EQUITIES": EquityRows(market),
        "LEVELONE_OPTIONS": OptionRows(market),
        "LEVELONE_FUTURES": FutureRows(market),
        "NYSE_BOOK": BookRows(market, "NYSE_BOOK"),
        "NASDAQ_BOOK": BookRows(market, "NASDAQ_BOOK"),
        "OPTIONS_BOOK": BookRows(market, "OPTIONS_BOOK"),
        "CHART_EQUITY": ChartRows(market, "CHART_EQUITY"),
        "CHART_FUTURES": ChartRows(market, "CHART_FUTURES"),
    }


__all__ = ["Failure", "Limits", "SimServer", "open_sim"]
