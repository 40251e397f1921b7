"""One worker process of the engines: orders in, their answers in turn, until it ends."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from streaming.child_environment import child_environment
from streaming.engine.protocol import ANSWERS, ENCODER, Answer, Order
from streaming.errors import TransientError
from streaming.framing import HEADER, MOST_BYTES, frame, header

COMMAND: Final = (sys.executable, "-m", "streaming.engine.worker")
BROKEN: Final = (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError, ValueError)
"""What a process that cannot be started or talks nonsense raises."""
_ROOT: Final = Path(__file__).resolve().parents[2]
_ONE_THREAD: Final = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "VECLIB", "NUMEXPR")}
_END_WITHIN_S: Final = 2.0
_GONE: Final = "The engine process ended."


class EngineProcess:
    """A running process; `end` it in any case."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # both are pipes
        self._process = process
        self._orders = process.stdin
        self._answers = process.stdout
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._over = False

    @classmethod
    async def start(cls, command: tuple[str, ...]) -> Self:
        """Start it; OSError when that is not possible."""
        environment = child_environment() | _ONE_THREAD
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=_ROOT, env=environment))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def unread(self) -> int:
        """Bytes of orders that the pipe has not taken yet."""
        return self._orders.transport.get_write_buffer_size()

    def tell(self, order: Order) -> None:
        """Give an order that has no answer."""
        if not self._over:
            self._orders.write(frame(ENCODER.encode(order)))

    def ask(self, order: Order, payload: bytes | None = None) -> "asyncio.Future[Answer]":
        """Give an order and the bytes that belong to it; TransientError, now or later, when the process ends."""
        if self._over:
            raise TransientError(_GONE)
        self.tell(order)
        if payload is not None:
            self._orders.write(header(payload))
            self._orders.write(payload)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def read_answers(self) -> None:
        """Hand answers to those who asked until the process closes its output; ValueError and others for nonsense."""
        while True:
            try:
                (length,) = HEADER.unpack(await self._answers.readexactly(HEADER.size))
            except asyncio.IncompleteReadError:
                return
            if length > MOST_BYTES or not self._waiting:
                raise ValueError(f"an answer of {length} bytes to {len(self._waiting)} orders")
            answer = ANSWERS.decode(await self._answers.readexactly(length))
            future = self._waiting.popleft()
            if not future.done():  # its order may have been given up meanwhile
                future.set_result(answer)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Close its input, which ends it, and wait until it is gone; orders without an answer fail."""
        self._over = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(TransientError(_GONE))
                future.exception()  # whoever gave the order up does not have to look at it
        self._waiting.clear()
        self._orders.close()
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            await self._kill_and_wait()
        except asyncio.CancelledError:
            await self._kill_and_wait()
            raise

    async def _kill_and_wait(self) -> None:
        self.kill()
        await self._process.wait()
