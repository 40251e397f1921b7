"""Pictures from a worker process: the feed's loop never draws, and a drawing that hangs is replaced."""

import asyncio
import logging
import sys
from collections import OrderedDict
from typing import Final, Self

import msgspec

from bot.render.charts.chart_spec import Chart, Drawn, Failed
from streaming.errors import ContractError, TransientError
from streaming.process.child_process import BROKEN, PipedProcess

_LOG: Final = logging.getLogger(__name__)
_KEPT: Final = 8
_COMMAND: Final = (sys.executable, "-m", "bot.render.charts.chart_worker")


class ChartWorker:
    """One drawing process, started when the first picture is asked for and gone when this context is left.

    Pictures are drawn one after another; a request equal to one that is waiting, being drawn, or among the
    last few shares its picture. At most `most_waiting` different pictures wait.
    """

    def __init__(self, *, timeout_s: float = 30.0, most_waiting: int = 16, command: tuple[str, ...] = _COMMAND) -> None:
        self._timeout_s = timeout_s
        self._most_waiting = most_waiting
        self._command = command
        self._process: PipedProcess | None = None
        self._one_at_a_time = asyncio.Lock()
        self._under_way: dict[bytes, asyncio.Task[bytes]] = {}
        self._recent: OrderedDict[bytes, bytes] = OrderedDict()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        drawings = list(self._under_way.values())
        for drawing in drawings:
            drawing.cancel()
        await asyncio.gather(*drawings, return_exceptions=True)
        await self._end()

    @property
    def pid(self) -> int | None:
        """The worker's process id while one is running."""
        return None if self._process is None else self._process.pid

    async def draw(self, chart: Chart) -> bytes:
        """The chart as PNG.

        TransientError when drawing takes too long or too many wait, ContractError when it cannot be drawn.
        """
        request = msgspec.msgpack.encode(chart)
        if (png := self._recent.get(request)) is not None:
            return png
        drawing = self._under_way.get(request)
        if drawing is None:
            if self._closed or len(self._under_way) >= self._most_waiting:
                raise TransientError("Too many pictures are being drawn.", remedy="Try again in a few seconds.")
            drawing = asyncio.create_task(self._draw(request), name=f"chart {chart.title}")
            self._under_way[request] = drawing
            drawing.add_done_callback(lambda done: self._finished(request, done))
        return await asyncio.shield(drawing)

    def _finished(self, request: bytes, drawing: asyncio.Task[bytes]) -> None:
        self._under_way.pop(request, None)
        if drawing.cancelled() or drawing.exception() is not None:
            return
        self._recent[request] = drawing.result()
        if len(self._recent) > _KEPT:
            self._recent.popitem(last=False)

    async def _draw(self, request: bytes) -> bytes:
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await self._ask_twice(request)
            except TimeoutError:
                await self._end(kill=True)
                raise TransientError("The chart took too long to draw.", remedy="Try again in a moment.") from None
            except BROKEN as error:
                await self._end(kill=True)
                raise TransientError("The chart worker failed.", remedy="Try again in a moment.") from error
            except asyncio.CancelledError:
                await self._end(kill=True)  # its answer would be taken for the next one's
                raise
        if isinstance(answer, Failed):
            _LOG.error("The chart worker could not draw: %s", answer.reason)
            raise ContractError("The chart could not be drawn.", remedy="The log says why.")
        return answer.png

    async def _ask_twice(self, request: bytes) -> Drawn | Failed:
        """A worker that died since the last picture is not this request's fault."""
        try:
            return await self._ask(request)
        except BROKEN as error:
            _LOG.warning("The chart worker is gone (%s); starting another.", type(error).__name__)
            await self._end(kill=True)
            return await self._ask(request)

    async def _ask(self, request: bytes) -> Drawn | Failed:
        process = await self._started()
        process.send(request)
        await process.taken()
        return msgspec.msgpack.decode(await process.read(), type=Drawn | Failed)

    async def _started(self) -> PipedProcess:
        if self._process is None or self._process.is_over:
            self._process = await PipedProcess.start(self._command)
        return self._process

    async def _end(self, *, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is not None:
            await (process.kill_and_wait() if kill else process.end())
