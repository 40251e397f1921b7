"""`/stream start|stop|restart|status` on the supervised streamer, and the memory of what was asked for."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from bot.supervisor import JobState, Supervisor
from streaming.bus.notes import Notes
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.status import StreamReport, StreamStatus
from streaming.streamer.streamer import Streamer

_LOG: Final = logging.getLogger(__name__)
JOB: Final = "schwab-stream"
RESUME_JOB: Final = "stream-resume"
ANSWER_WITHIN_S: Final = 2.2
_REMEMBER_WITHIN_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.02
_TRANSIENT: Final = (JobState.STOPPED, JobState.ENDED)


class StreamControl:
    """The streamer as operators steer it."""

    def __init__(self, streamer: Streamer, supervisor: Supervisor, wanted: Notes, clock: Clock) -> None:
        self._streamer = streamer
        self._supervisor = supervisor
        self._wanted = wanted
        """Something is set while the stream is wanted, also across restarts."""
        self._clock = clock

    async def resume(self) -> None:
        """Start again when streaming was wanted as the process last ended."""
        if await self._wanted.get() is not None:
            self._supervisor.start(JOB, self._streamer.run)

    def resume_in_background(self) -> None:
        """`resume` as a job of its own, which waits for Redis as long as that takes."""
        self._supervisor.start(RESUME_JOB, lambda _progress: self.resume())

    async def start(self) -> StreamReport:
        """Start streaming, or say why not, within 3 s; starting twice is no error."""
        began_s = self._clock.monotonic()
        started = self._supervisor.start(JOB, self._streamer.run)
        if not started:
            self._supervisor.retry_now(JOB)
        await asyncio.sleep(_LOOK_EVERY_S)
        if self._refused():
            return self._clear_news(began_s) or self._unclear_news()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remember(wanted=True), name="remember the stream")
            return await self._answer(began_s, started=started)

    async def _answer(self, began_s: float, *, started: bool) -> StreamReport:
        if not started:
            if self._streamer.status().state == "live":
                return StreamReport(ok=True, sentence=f"The stream is already running: {self._symbols()}.")
            self._streamer.retry_now()
        return await self._first_news(began_s)

    def _refused(self) -> bool:
        job = self._supervisor.job(JOB)
        return job is not None and job.state is JobState.FAILED

    async def stop(self) -> StreamReport:
        """Stop streaming; stopping twice is no error."""
        await self._supervisor.stop(RESUME_JOB)
        await self._remember(wanted=False)
        if await self._supervisor.stop(JOB):
            return StreamReport(ok=True, sentence="The stream has stopped.")
        return StreamReport(ok=True, sentence="The stream was not running.")

    async def restart(self) -> StreamReport:
        """Stop if need be, then start."""
        await self._supervisor.stop(JOB)
        return await self.start()

    def status(self) -> StreamStatus:
        """The streamer's own word; where it is not running, the supervisor's."""
        status, job = self._streamer.status(), self._supervisor.job(JOB)
        if status.state != "stopped" or job is None or job.state in _TRANSIENT:
            return status
        return replace(status, state=str(job.state), since_at=job.since_at, last_error=job.last_error)

    def _symbols(self) -> str:
        count = len(self._streamer.status().symbols)
        return f"{count} symbol" if count == 1 else f"{count} symbols"

    async def _first_news(self, began_s: float) -> StreamReport:
        """What has become of the order by the time the answer is due, or as soon as that is clear."""
        while (report := self._clear_news(began_s)) is None:
            if self._clock.monotonic() - began_s >= ANSWER_WITHIN_S:
                return self._unclear_news()
            await asyncio.sleep(_LOOK_EVERY_S)
        return report

    def _clear_news(self, began_s: float) -> StreamReport | None:
        job, status = self._supervisor.job(JOB), self._streamer.status()
        if job is not None and job.state is JobState.WAITING:
            return StreamReport(
                ok=False, sentence=f"The stream is waiting and will try again by itself. {job.last_error}"
            )
        if job is not None and job.state in (JobState.FAILED, JobState.BACKOFF):
            return StreamReport(ok=False, sentence=f"The stream did not start. {job.last_error}")
        if status.state == "live":
            after_ms = round((self._clock.monotonic() - began_s) * 1000)
            return StreamReport(ok=True, sentence=f"Connected: {self._symbols()}; first data after {after_ms} ms.")
        if status.state == "needs_login":
            return StreamReport(
                ok=False,
                sentence=f"The stream is waiting for a Schwab login and will start by itself. {status.needs_login}",
            )
        if status.state == "standby":
            return StreamReport(
                ok=True, sentence="Another process is streaming; this one stands by and takes over when it ends."
            )
        return None

    def _unclear_news(self) -> StreamReport:
        status = self._streamer.status()
        if status.state == "ready":
            quiet = "Nothing has arrived yet, which is normal outside market hours."
            return StreamReport(ok=True, sentence=f"Connected: {self._symbols()} asked for. {quiet}")
        if status.state in {"backoff", "refused", "taken_over"}:
            retry = "" if status.retry_in_s is None else f" The next try is in {status.retry_in_s:.0f} s."
            return StreamReport(ok=False, sentence=f"The stream has no connection: {status.last_close}{retry}")
        return StreamReport(
            ok=True, sentence="The stream is connecting; Schwab has not answered yet. /stream status shows how it goes."
        )

    async def _remember(self, *, wanted: bool) -> None:
        try:
            async with asyncio.timeout(_REMEMBER_WITHIN_S):
                await (self._wanted.set("1") if wanted else self._wanted.release())
        except TimeoutError:
            _LOG.warning("whether the stream is wanted could not be stored within %g s", _REMEMBER_WITHIN_S)
        except GexcordError as error:
            _LOG.warning("whether the stream is wanted could not be stored: %s", error)
