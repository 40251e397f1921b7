"""An event loop without waiting: asyncio code runs unchanged, and time jumps to whoever is due next.

Two runs of one program give the same order of everything: tasks are hashed by their number, so that sets of them are
walked alike. A `Household` of tasks can sleep as a stopped process does: what is due meanwhile is done when it wakes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
_MOST_LOOKS = 10_000
"""At the clock, while it stands."""
_household: ContextVar["Household | None"] = ContextVar("household", default=None)


class Household:
    """Tasks that are one process: those begun in its context, and theirs."""

    def __init__(self) -> None:
        self.asleep = False
        self.missed: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(_household.set, self)

    def wake(self, loop: "VirtualLoop") -> None:
        """Everything that was due while it slept is due now."""
        self.asleep = False
        missed, self.missed = self.missed, []
        loop.hurry(missed)


class StandstillError(Exception):
    """Somebody has something to do again and again, and time does not pass."""


class _NumberedTask(asyncio.Task[Any]):
    def __init__(self, number: int, coro: Coroutine[Any, Any, Any], **options: Any) -> None:
        self._number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """`loop.time()` begins at 0 and moves only when nobody has anything to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._tasks = self._looks = 0
        self._selector = self
        self.complaints: list[str] = []
        """What nobody caught, one sentence each."""
        self.set_task_factory(self._numbered)
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        self._looks += 1
        if self._looks > _MOST_LOOKS:
            self._looks = 0
            raise StandstillError(f"Time stands still at {self._now_s:.2f} s.")
        return self._now_s

    def select(self, timeout: float | None) -> tuple[()]:
        """In a loop of sockets this waits."""
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self._now_s += timeout
        self._looks = 0 if timeout else self._looks
        return ()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        household = _household.get() if context is None else context.get(_household)
        if household is None or not household.asleep:
            return super().call_soon(callback, *args, context=context)
        household.missed.append(handle := asyncio.Handle(callback, args, self, context))
        return handle

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        def due() -> None:
            household = _household.get()
            if household is not None and household.asleep:
                household.missed.append(timer)
            else:
                callback(*args)

        timer = super().call_at(when, due, context=context)
        return timer

    def hurry(self, handles: list[asyncio.Handle]) -> None:
        """Put back what was withheld; what was cancelled meanwhile stays undone."""
        self._ready.extend(handles)

    def _numbered(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        self._tasks += 1
        return _NumberedTask(self._tasks, coro, loop=loop, **options)

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        task = context.get("task") or context.get("future")
        name = task.get_name() if isinstance(task, asyncio.Task) else "nobody"
        self.complaints.append(f"{context['message']} ({name}): {error!r}")

    def _process_events(self, event_list: object) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


class LoopClock:
    """The `Clock` of a loop: its time, counted from `start`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return 1000.0 + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a program in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        return runner.run(main(loop))
