"""A bare streamer client, to see what the simulator really sends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


class Stream:
    """A bare streamer client."""

    def __init__(self, socket, info: dict, token: str) -> None:
        self.socket, self.info, self.token = socket, info, token
        self.sent = 0

    async def send(self, service: str, command: str, **parameters) -> None:
        request = {
            "service": service,
            "command": command,
            "requestid": self.sent,
            "SchwabClientCustomerId": self.info["schwabClientCustomerId"],
            "SchwabClientCorrelId": self.info["schwabClientCorrelId"],
            "parameters": parameters,
        }
        self.sent += 1
        await self.socket.send(json.dumps({"requests": [request]}))

    async def next(self, kind: str, limit_s: float = 2.0) -> dict:
        """The next element under `kind`, skipping frames of other kinds."""
        async with asyncio.timeout(limit_s):
            while True:
                body = json.loads(await self.socket.recv())
                if kind in body:
                    return body[kind][0]

    async def ask(self, service: str, command: str, **parameters) -> int:
        await self.send(service, command, **parameters)
        return (await self.next("response"))["content"]["code"]

    async def login(self) -> int:
        return await self.ask(
            "ADMIN", "LOGIN", Authorization=self.token, SchwabClientChannel="N9", SchwabClientFunctionId="APIAPP"
        )

    async def closed(self, limit_s: float = 2.0) -> int | None:
        """Read to the end; the close code, or None when there was none."""
        async with asyncio.timeout(limit_s):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None


@asynccontextmanager
async def stream(http: httpx.AsyncClient, *, login: bool = True, **options) -> AsyncIterator[Stream]:
    """A connected client, logged in unless told not to; `options` are the WebSocket library's."""
    info = (await http.get("/trader/v1/userPreference")).json()["streamerInfo"][0]
    token = http.headers["Authorization"].removeprefix("Bearer ")
    async with connect(info["streamerSocketUrl"], proxy=None, **options) as socket:
        client = Stream(socket, info, token)
        if login:
            assert await client.login() == 0
        yield client
