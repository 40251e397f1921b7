"""One worker process of the engines: orders in, their answers in turn, until it ends."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections import deque
from contextlib import suppress
from typing import Final

from streaming.engine.protocol import ANSWERS, ENCODER, Answer, Order
from streaming.errors import TransientError
from streaming.process.child_process import PipedProcess

COMMAND: Final = (sys.executable, "-m", "streaming.engine.worker")
_GONE: Final = "The engine process ended."


class EngineProcess(PipedProcess):
    """A running process of engines; `end` it in any case."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._over = False

    @property
    def is_idle(self) -> bool:
        """Whether every answer has come."""
        return not self._waiting

    def order(self, order: Order) -> None:
        """Give an order that has no answer."""
        if not self._over:
            self.send(ENCODER.encode(order))

    def ask(self, order: Order, payload: bytes | None = None) -> "asyncio.Future[Answer]":
        """Give an order and the bytes that belong to it; TransientError, now or later, when the process ends."""
        if self._over:
            raise TransientError(_GONE)
        self.order(order)
        if payload is not None:
            self.send(payload)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def read_answers(self) -> None:
        """Hand answers to those who asked until the process closes its output; ValueError and others for nonsense."""
        while True:
            try:
                body = await self.read()
            except asyncio.IncompleteReadError:
                return
            if not self._waiting:
                raise ValueError(f"an answer of {len(body)} bytes that nobody asked for")
            answer = ANSWERS.decode(body)
            future = self._waiting.popleft()
            if not future.done():  # its order may have been given up meanwhile
                future.set_result(answer)

    async def end(self) -> None:
        """Close its input, which ends it, and wait until it is gone; orders without an answer fail."""
        self._over = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(TransientError(_GONE))
                future.exception()  # whoever gave the order up does not have to look at it
        self._waiting.clear()
        await super().end()


class SpareEngine:
    """A process of engines begun before anybody needs one, so that its imports run beside ours; taken once."""

    def __init__(self) -> None:
        self._starting: asyncio.Task[EngineProcess] | None = None

    def begin(self) -> None:
        """Start it; whoever takes it hears of errors."""
        self._starting = asyncio.create_task(EngineProcess.start(COMMAND), name="spare engine process")

    async def take(self) -> EngineProcess | None:
        """The process, which is the taker's to end from now on; None where there is none. OSError as of `start`."""
        starting, self._starting = self._starting, None
        return None if starting is None else await starting

    async def close(self) -> None:
        """End it if nobody took it."""
        with suppress(OSError):
            if (process := await self.take()) is not None:
                await process.end()
