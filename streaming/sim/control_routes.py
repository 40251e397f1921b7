"""`/sim/control`: look at the simulator and break it from another process. Not part of Schwab's API."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from streaming.sim.faults import AREAS, MALFORMED_FRAME, Failure

if TYPE_CHECKING:
    from streaming.sim.server import SimServer

_Order = Callable[["SimServer", dict[str, Any]], Awaitable[object]]


class ControlRoutes:
    """GET tells counters and subscriptions; POST `{"order": name, ...}` gives an order, see `ORDERS`."""

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
                "counters": dict(server.counters),
                "subscriptions": {service: list(keys) for service, keys in server.subscriptions.items()},
                "orders": sorted(ORDERS),
            }
        )

    async def _order(self, request: web.Request) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        order = ORDERS.get(str(body.get("order"))) if isinstance(body, dict) else None
        if order is None:
            return web.json_response({"message": f"order must be one of {', '.join(sorted(ORDERS))}"}, status=400)
        try:
            return web.json_response({"result": await order(self._running(), body)})
        except (TypeError, ValueError, KeyError) as error:
            return web.json_response({"message": f"The order's arguments are wrong: {error}."}, status=400)

    def _running(self) -> "SimServer":
        if self.server is None:
            raise web.HTTPServiceUnavailable
        return self.server


async def _drop(server: "SimServer", body: dict[str, Any]) -> int:
    return await server.drop_streams(body.get("code"))


async def _malformed(server: "SimServer", body: dict[str, Any]) -> int:
    return await server.send_raw(body["frame"].encode() if "frame" in body else MALFORMED_FRAME)


async def _fail(server: "SimServer", body: dict[str, Any]) -> None:
    area = body["area"]
    if area not in AREAS:
        raise ValueError(f"area is one of {', '.join(AREAS)}")
    failure = Failure(
        status=int(body.get("status", 503)),
        body=body.get("body"),
        retry_after_s=body.get("retry_after_s"),
        compressed=bool(body.get("compressed", False)),
    )
    server.fail(area, failure, times=int(body.get("times", 1)))


async def _set(server: "SimServer", body: dict[str, Any]) -> None:
    name, value = body["name"], body["value"]
    if name == "unavailable":
        server.faults.unavailable = set(map(str, value))
    elif name in {"black_hole", "frozen", "truncated", "preferences_as_list"}:
        setattr(server.faults, name, bool(value))
    elif name == "refused_logins":
        server.faults.refused_logins = int(value)
    else:
        raise ValueError("name is black_hole, frozen, truncated, preferences_as_list, refused_logins or unavailable")


async def _expire_access(server: "SimServer", body: dict[str, Any]) -> None:  # noqa: ARG001 - the shape of an order
    server.authority.expire_access()


async def _expire_login(server: "SimServer", body: dict[str, Any]) -> None:  # noqa: ARG001 - the shape of an order
    server.authority.expire_login()


async def _token(server: "SimServer", body: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the shape of an order
    return server.issue_token()


async def _clear(server: "SimServer", body: dict[str, Any]) -> None:  # noqa: ARG001 - the shape of an order
    server.faults.clear()


ORDERS: Final[dict[str, _Order]] = {
    "drop": _drop,
    "malformed": _malformed,
    "fail": _fail,
    "set": _set,
    "expire_access": _expire_access,
    "expire_login": _expire_login,
    "token": _token,
    "clear": _clear,
}
"""Arguments: drop {code?}; malformed {frame?}; set {name, value};
fail {area, status, body?, retry_after_s?, compressed?, times?}."""
