"""A running simulator as tests, the demo and `/sim/control` see it: what they may look at, and what they may break."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

from streaming.sim.stream.codes import Limits, ServerCode
from streaming.sim.stream.stream_routes import StreamRoutes
from streaming.sim.world.authority import Authority
from streaming.sim.world.faults import MALFORMED_FRAME, Area, Failure, Faults
from streaming.sim.world.market import Market
from streaming.sim.world.shared_state import SharedState


@dataclass(frozen=True, slots=True, eq=False)
class SimServer:
    """Made by `open_sim`."""

    url: str
    """Base of `/v1/oauth`, `/trader/v1` and `/marketdata/v1`."""
    stream_url: str
    shared: SharedState
    _streams: StreamRoutes

    @property
    def market(self) -> Market:
        """The market behind it."""
        return self.shared.market

    @property
    def authority(self) -> Authority:
        """Codes and tokens."""
        return self.shared.authority

    @property
    def faults(self) -> Faults:
        """Switches of faults."""
        return self.shared.faults

    @property
    def counters(self) -> Counter[str]:
        """Requests by path, stream frames by service, logins, sockets."""
        return self.shared.counters

    @property
    def subscriptions(self) -> dict[str, tuple[str, ...]]:
        """Keys by service over all logged-in connections."""
        held: dict[str, tuple[str, ...]] = {}
        for connection in self._streams.connections:
            for service, item in connection.session.subscriptions.items():
                held[service] = held.get(service, ()) + tuple(item.keys)
        return held

    def issue_token(self) -> dict[str, Any]:
        """Sign in without a browser: a token file's content in schwab-py's shape (specs/schwab-wire.md §1.5)."""
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
        known = ServerCode(code)
        connections = [item for item in self._streams.connections if item.session.ids is not None]
        for connection in connections:
            await connection.tell(connection.session.notify(known, text))
            if close:
                await connection.close()
        return len(connections)

    async def send_raw(self, frame: bytes = MALFORMED_FRAME) -> int:
        """Send a text frame as it is to every logged-in stream; returns to how many."""
        connections = [item for item in self._streams.connections if item.session.ids is not None]
        for connection in connections:
            await connection.send(frame)
        return len(connections)
