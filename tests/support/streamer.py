"""A tiny streamer on loopback: answers requests by a script, sends what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from streaming.schwab.wire.frames import StreamerInfo
from tests.support.frames import response

Answer = Callable[[dict[str, Any]], bytes | str | None]


class FakeStreamer:
    """Every connection's requests, in order, and a way to send frames and to cut the line."""

    def __init__(self) -> None:
        self.url = ""
        self.sessions: list[list[dict[str, Any]]] = []
        self.live: list[ServerConnection] = []
        self.answer: Answer = succeed
        self.keys: set[str] = set()
        self.level2 = True
        self.preferences_asked = 0
        self.tokens_rejected: list[str] = []

    # What the stream client needs of its REST client and its login.
    async def user_preference(self) -> StreamerInfo:
        self.preferences_asked += 1
        return StreamerInfo(self.url, "customer", f"correl-{self.preferences_asked}", "N9", "APIAPP", self.level2)

    async def access_token(self, *, rejected: str | None = None) -> str:
        if rejected is not None:
            self.tokens_rejected.append(rejected)
        return f"token-{len(self.tokens_rejected)}"

    async def send(self, *frames: bytes | str) -> None:
        """Send to the newest connection; always as text, like Schwab."""
        for frame in frames:
            await self.live[-1].send(frame, text=True)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the newest connection."""
        await self.live[-1].close(code, reason)

    def cut(self) -> None:
        """Drop the newest connection without a close frame."""
        self.live[-1].transport.abort()

    def commands(self, session: int = -1) -> list[tuple[str, str, str]]:
        """(command, service, keys) of a connection's requests, login left out."""
        return [
            (request["command"], request["service"], request["parameters"].get("keys", ""))
            for request in self.sessions[session]
            if request["command"] != "LOGIN"
        ]

    def taken(self) -> set[str]:
        """The keys of every SUBS and ADD that the newest connection answered with success."""
        return set(self.keys)

    def _note(self, request: dict[str, Any], answer: bytes | str | None) -> None:
        """Remember what was taken, as Schwab does: SUBS replaces, ADD adds."""
        if request["command"] == "LOGIN":
            self.keys = set()
        if answer is None or json.loads(answer)["response"][0]["content"]["code"] != 0:
            return
        keys = set(request["parameters"].get("keys", "").split(",")) - {""}
        self.keys = keys if request["command"] == "SUBS" else self.keys | keys

    async def _handle(self, connection: ServerConnection) -> None:
        session: list[dict[str, Any]] = []
        self.sessions.append(session)
        self.live.append(connection)
        with suppress(ConnectionClosed):
            async for message in connection:
                for request in json.loads(message)["requests"]:
                    session.append(request)
                    answer = self.answer(request)
                    self._note(request, answer)
                    if answer is not None:
                        await connection.send(answer, text=True)


def succeed(request: dict[str, Any]) -> bytes:
    """The answer to a request that works."""
    return response(request["requestid"], request["command"], 0, service=request["service"], msg="succeeded")


def with_code(code: int, *, command: str = "", service: str = "") -> Answer:
    """Answer `code` to one command or service, success to all else."""

    def answer(request: dict[str, Any]) -> bytes:
        hit = request["command"] == command or request["service"] == service
        return response(request["requestid"], request["command"], code if hit else 0, service=request["service"])

    return answer


@asynccontextmanager
async def open_streamer() -> AsyncIterator[FakeStreamer]:
    """Serve on a free loopback port."""
    streamer = FakeStreamer()
    async with serve(streamer._handle, "127.0.0.1", 0, close_timeout=0.5) as server:
        host, port = server.sockets[0].getsockname()[:2]
        streamer.url = f"ws://{host}:{port}/ws"
        yield streamer
        await asyncio.sleep(0)
