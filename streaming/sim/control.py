"""`/sim/control`: look at the simulator and break it from another process. Not part of Schwab's API."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from inspect import isawaitable
from typing import Any, Final

import msgspec
from aiohttp import web

from streaming.errors import RequestError
from streaming.sim.rest.odd_answers import CHAINS, EXPIRATIONS
from streaming.sim.sim_server import SimServer
from streaming.sim.stream.codes import Limits
from streaming.sim.stream.odd_frames import ODDITIES
from streaming.sim.world.faults import AREAS, MALFORMED_FRAME, SWITCHES, Failure

Body = Mapping[str, Any]
_ODD: Final[Mapping[str, Collection[str]]] = {"chains": CHAINS, "expirations": EXPIRATIONS}
LONGEST_JUMP_S: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class ControlOrder:
    """One order: what it takes besides its name, and what it does."""

    run: Callable[[SimServer, Body], object]
    """What it returns is the answer; what it returns to be awaited, its result."""
    takes: str
    does: str


def _fail(server: SimServer, body: Body) -> None:
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


def _refuse(server: SimServer, body: Body) -> None:
    path = str(body["path"])
    if body.get("status") is None:
        server.faults.refused.pop(path, None)
    else:
        server.faults.refused[path] = Failure(status=int(body["status"]), body=body.get("body"))


def _grant(server: SimServer, body: Body) -> None:
    server.faults.grant = dict(body["says"])


def _secret(server: SimServer, body: Body) -> None:
    server.authority.client_secret = str(body["value"])


def _callback(server: SimServer, body: Body) -> None:
    registered = body.get("value")
    server.authority.callback_url = None if registered is None else str(registered)


def _set(server: SimServer, body: Body) -> None:
    name, value, faults = body["name"], body["value"], server.faults
    if name in SWITCHES:
        setattr(faults, name, bool(value))
    elif name in _ODD:
        setattr(faults, name, _odd(_ODD[name], str(value)))
    elif name == "unavailable":
        faults.unavailable = set(map(str, value))
    elif name == "bad_keys":
        faults.bad_keys = set(map(str, value))
    elif name == "odd":
        faults.odd = _oddities(value)
    elif name == "refused_logins":
        faults.refused_logins = int(value)
    elif name == "fragment":
        faults.fragment = max(int(value), 0)
    elif name == "partial":
        faults.partial = min(max(float(value), 0.0), 1.0)
    else:
        others = "unavailable, bad_keys, odd, refused_logins, fragment or partial"
        raise ValueError(f"name is {', '.join((*SWITCHES, *_ODD))}, {others}")


def _oddities(value: Iterable[object]) -> set[str]:
    names = set(map(str, value))
    if unknown := names.difference(ODDITIES):
        raise ValueError(f"odd frames have {', '.join(ODDITIES)}, not {', '.join(sorted(unknown))}")
    return names


def _odd(kinds: Collection[str], kind: str) -> str:
    if kind and kind not in kinds:
        raise ValueError(f"value is one of {', '.join(kinds)}, or empty")
    return kind


def _limit(server: SimServer, body: Body) -> None:
    known = {item.name: type(getattr(server.limits, item.name)) for item in fields(Limits)}
    name = body["name"]
    if name not in known:
        raise ValueError(f"name is one of {', '.join(known)}")
    server.set_limits(replace(server.limits, **{name: known[name](body["value"])}))


def _halt(server: SimServer, body: Body) -> None:
    halted = bool(body.get("halted", True))
    symbols = [tape.symbol for tape in server.market.tapes] if body["symbol"] == "*" else [str(body["symbol"])]
    for symbol in symbols:
        server.market.halt(symbol, halted=halted)


def _jump(server: SimServer, body: Body) -> str:
    seconds = float(body["seconds"])
    if not 0.0 <= seconds <= LONGEST_JUMP_S:
        raise ValueError(f"seconds lies between 0 and {LONGEST_JUMP_S:.0f}")
    return server.shared.jump(timedelta(seconds=seconds)).isoformat()


def _clear(server: SimServer, body: Body) -> None:  # noqa: ARG001 - the shape of an order
    server.faults.clear()
    for tape in server.market.tapes:
        server.market.halt(tape.symbol, halted=False)


ORDERS: Final[Mapping[str, ControlOrder]] = {
    "drop": ControlOrder(
        lambda server, body: server.drop_streams(body.get("code")),
        "code?",
        "closes every stream with a WebSocket code, or without one (seen as 1006)",
    ),
    "send": ControlOrder(
        lambda server, body: server.send_raw(body["frame"].encode() if "frame" in body else MALFORMED_FRAME),
        "frame?",
        "sends a text frame unchanged to every stream; by default one that is not JSON",
    ),
    "notify": ControlOrder(
        lambda server, body: server.notify(int(body["code"]), body.get("msg"), close=bool(body.get("close", True))),
        "code, msg?, close?",
        "sends a notify such as 12 or 30, and closes unless told not to",
    ),
    "fail": ControlOrder(
        _fail,
        "area, status?, body?, retry_after_s?, compressed?, times?",
        "answers the next requests of `token`, `trader` or `marketdata` with a status and body instead",
    ),
    "refuse": ControlOrder(
        _refuse, "path, status?, body?", "one path answers all requests like this, until ordered again without a status"
    ),
    "grant": ControlOrder(
        _grant,
        "says",
        "token answers contain these values instead, such as another `expires_in`; null leaves a field out",
    ),
    "secret": ControlOrder(_secret, "value", "changes the app's secret; any other is `invalid_client`"),
    "callback": ControlOrder(
        _callback,
        "value?",
        "only this redirect URL is registered; logins with another get Schwab's Whitelabel page; without it, any is",
    ),
    "set": ControlOrder(_set, "name, value", "sets one of the faults below"),
    "limit": ControlOrder(_limit, "name, value", "sets one of the limits below"),
    "halt": ControlOrder(
        _halt, "symbol, halted?", 'halts an index, share or future and its options, or all of them with "*"'
    ),
    "jump": ControlOrder(
        _jump, "seconds", "moves the market's time forward, with no trades in between; tokens keep their own time"
    ),
    "expire_access": ControlOrder(lambda server, _: server.authority.expire_access(), "", "voids every access token"),
    "expire_login": ControlOrder(lambda server, _: server.authority.expire_login(), "", "ends the weekly login"),
    "token": ControlOrder(
        lambda server, _: server.issue_token(), "", "signs in without a browser; the answer is a token file's content"
    ),
    "clear": ControlOrder(_clear, "", "ends all faults and halts"),
}


async def carry_out(server: SimServer, body: object) -> object:
    """Carry out `{"order": name, ...}`; RequestError says what is wrong with it."""
    order = ORDERS.get(str(body.get("order"))) if isinstance(body, Mapping) else None
    if order is None or not isinstance(body, Mapping):
        raise RequestError(f"order must be one of {', '.join(ORDERS)}.")
    try:
        answer = order.run(server, body)
        return await answer if isawaitable(answer) else answer
    except KeyError as error:
        raise RequestError(f"The order needs {error}.") from error
    except (TypeError, ValueError) as error:
        raise RequestError(f"The order's arguments are wrong: {error}.") from error


class ControlRoutes:
    """GET tells counters, subscriptions and orders; POST `{"order": name, ...}` gives an order."""

    def __init__(self, server: SimServer) -> None:
        self._server = server

    def routes(self) -> Iterable[web.RouteDef]:
        """What to mount."""
        return (web.get("/sim/control", self._look), web.post("/sim/control", self._order))

    async def _look(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - aiohttp's signature
        server = self._server
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
            return web.json_response({"result": await carry_out(self._server, body)})
        except msgspec.DecodeError:
            return web.json_response({"message": "An order is a JSON object."}, status=400)
        except RequestError as error:
            return web.json_response({"message": str(error)}, status=400)
