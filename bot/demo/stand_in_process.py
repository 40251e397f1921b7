"""The demo's stand-ins as the bot sees them: a process that is told what to make, and tells where it is."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from streaming.clock import Clock, ShiftedClock
from streaming.errors import GexcordError, RequestError, UnavailableError
from streaming.process.child_process import PipedProcess

_COMMAND: Final = (sys.executable, "-m", "bot.demo")
CLIENT_ID: Final = "demo-app-key"
CLIENT_SECRET: Final = "demo-app-secret"  # noqa: S105  # opens nothing but the local Schwab


class StandInOrder(msgspec.Struct, frozen=True):
    """Which surroundings to make."""

    port: int
    """Of the page; 0 takes a free one."""
    seed: int
    chain: str | None = None
    """The absolute path of a file to begin the market with; None: a made-up one."""
    two: bool = False
    """Whether there are two bots, one of which leads."""


class Bots(msgspec.Struct, frozen=True):
    """Told afterwards: whose panel the page has."""

    redis_folder: str
    pids: tuple[int, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """There are none."""

    of_caller: bool
    """Whether the chain's file is to blame; else the port is taken."""
    reason: str
    remedy: str

    def error(self) -> GexcordError:
        """What to raise."""
        return (RequestError if self.of_caller else UnavailableError)(self.reason, remedy=self.remedy)


class Places(msgspec.Struct, frozen=True, tag=True):
    """First answer: Discord and its page are there, and Schwab is going to be."""

    page_url: str
    api_url: str
    gateway_url: str
    bot_token: str
    owner_id: int
    channel_ids: dict[str, int]
    """By ticker."""
    schwab_url: str
    start_at: datetime
    """The market's time when its clock began."""
    began_s: float
    """The machine's monotonic time then, which all processes share."""

    def clock(self) -> Clock:
        """The market's own clock."""
        return ShiftedClock(self.start_at, began_s=self.began_s)


class SignedIn(msgspec.Struct, frozen=True, tag=True):
    """Second answer: Schwab is there."""

    token: bytes
    """The content of a token file, as somebody who has logged in has it."""


Answer = Places | SignedIn | Refused
_ANSWERS: Final = msgspec.msgpack.Decoder(Answer)
A = TypeVar("A", Places, SignedIn)


class StandIns:
    """The process as the bot sees it; its answers come in order, each once."""

    def __init__(self, process: PipedProcess) -> None:
        self._process = process

    async def places(self) -> Places:
        """Where they are; RequestError when the chain's file cannot be read, UnavailableError for a taken port."""
        return await self._next(Places)

    async def token(self) -> bytes:
        """The content of a token file, once Schwab answers."""
        return (await self._next(SignedIn)).token

    def tell(self, bots: Bots) -> None:
        """Say which processes the bots are, for the panel of the page."""
        self._process.send(msgspec.msgpack.encode(bots))

    async def _next(self, kind: type[A]) -> A:
        try:
            answer = _ANSWERS.decode(await self._process.read())
        except asyncio.IncompleteReadError:
            raise UnavailableError("The demo's surroundings ended.", remedy="What they printed says why.") from None
        if isinstance(answer, Refused):
            raise answer.error()
        assert isinstance(answer, kind)  # noqa: S101  # they come in order
        return answer


@asynccontextmanager
async def open_stand_ins(order: StandInOrder) -> AsyncIterator[StandIns]:
    """Have them run until the block ends.

    They call nobody: reading the machine's certificates would take a sixth of the time until the page answers.
    """
    process = await PipedProcess.start(_COMMAND, SSL_CERT_FILE=os.devnull)
    try:
        process.send(msgspec.msgpack.encode(order))
        yield StandIns(process)
    finally:
        await process.end()
