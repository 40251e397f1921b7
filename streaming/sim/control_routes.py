"""`/sim/control`: look at the simulator and break it from another process. Not part of Schwab's API."""

from collections.abc import Iterable
from dataclasses import asdict

import msgspec
from aiohttp import web

from streaming.errors import RequestError
from streaming.sim.control_orders import ORDERS, carry_out
from streaming.sim.sim_server import SimServer


class ControlRoutes:
    """GET tells counters, subscriptions and orders; POST `{"order": name, ...}` gives an order."""

    def __init__(self) -> None:
        self.server: SimServer | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        """What to mount."""
        return (web.get("/sim/control", self._look), web.post("/sim/control", self._order))

    async def _look(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - aiohttp's signature
        server = self._running()
        return web.json_response(
            {
                "now": server.market.now.isoformat(),
                "open": server.market.is_open,
                "counters": dict(server.counters),
                "subscriptions": {service: list(keys) for service, keys in server.subscriptions.items()},
                "limits": asdict(server.limits),
                "orders": {name: {"takes": order.takes, "does": order.does} for name, order in ORDERS.items()},
            }
        )

    async def _order(self, request: web.Request) -> web.StreamResponse:
        try:
            body: object = msgspec.json.decode(await request.read())
            return web.json_response({"result": await carry_out(self._running(), body)})
        except msgspec.DecodeError:
            return web.json_response({"message": "An order is a JSON object."}, status=400)
        except RequestError as error:
            return web.json_response({"message": str(error)}, status=400)

    def _running(self) -> SimServer:
        if self.server is None:
            raise web.HTTPServiceUnavailable
        return self.server
