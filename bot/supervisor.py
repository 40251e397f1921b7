"""Named background jobs: who runs, who restarts, who gives up, and who is told.

A job is `async def job(progress)`. It calls `progress()` whenever data has flowed; only that resets the
backoff, so a peer that accepts and closes at once is dialled ever more slowly. How a job ends decides
what comes next: Transient and Contract errors restart it; what needs a person (an
Operator or Request error, a broken protocol that persists) is told once, tried again every 5 to 15 minutes
and told once more when it is over; a setting that cannot work ends it, and a bug after a few restarts.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, Self

from streaming.clock import Clock
from streaming.errors import (
    ConfigurationError,
    ContractError,
    GexcordError,
    OperatorError,
    RequestError,
    TransientError,
    leading_error,
)
from streaming.ports import Progress, Tell
from streaming.process.backoff import InterruptibleWait, delay_s
from streaming.process.signals import is_cancelled

log = logging.getLogger(__name__)

JobFactory = Callable[[Progress], Awaitable[None]]


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    BACKOFF = "backoff"
    ENDED = "ended"
    """It returned by itself."""
    STOPPED = "stopped"
    """Somebody asked it to stop."""
    WAITING = "waiting"
    """A person has to mend something; it looks again by itself in minutes, or at once when asked to."""
    FAILED = "failed"
    """It is over until somebody starts it again."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often and how soon one job is run again; delays in seconds."""

    first_delay_s: float = 1.0
    max_delay_s: float = 60.0
    max_contract_errors: int = 10
    """In a row, without progress between them."""
    max_bugs: int = 3
    """Within `bug_window_s`; one more and the job has failed."""
    bug_window_s: float = 600.0
    least_wait_s: float = 300.0
    most_wait_s: float = 900.0
    """Between these a job waits for what a person has to mend."""

    def delay_s(self, failures: int, rng: random.Random, least_s: float | None = None) -> float:
        """The pause after the given number of failures in a row, at least what the other side asks for."""
        earlier = max(failures - 1, 0)
        return delay_s(earlier, rng, first_s=self.first_delay_s, cap_s=self.max_delay_s, least_s=least_s)


DEFAULT_POLICY = RestartPolicy()
_LAST_END_S: Final = 0.5
_OVER_AFTER_S: Final = 60.0
"""Trouble is over when a job makes progress after running so long: many begin well before they meet it again."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One look at a job."""

    name: str
    state: JobState
    since_at: datetime
    restarts: int = 0
    failures: int = 0
    """In a row, since the last progress."""
    bugs: int = 0
    contract_errors: int = 0
    last_error: str | None = None
    """One sentence; for a bug only its type, the log has the rest."""
    retry_in_s: float | None = None


class _Job:
    """The supervisor's own book on one job."""

    def __init__(self, name: str, factory: JobFactory, policy: RestartPolicy, now: datetime) -> None:
        self.name = name
        self.factory = factory
        self.policy = policy
        self.state = JobState.RUNNING
        self.since_at = now
        self.restarts = 0
        self.failures = 0
        self.contract_errors = 0
        self.contract_errors_in_a_row = 0
        self.bugs = 0
        self.bug_times: deque[float] = deque()
        self.last_error: str | None = None
        self.retry_in_s: float | None = None
        self.task: asyncio.Task[None] | None = None
        self.pause = InterruptibleWait()
        self.begun_s = 0.0
        """When this run began, by the monotonic clock."""
        self.open_trouble: GexcordError | None = None
        """What the operators were told and what is not over yet."""

    def enter(self, state: JobState, now: datetime, *, retry_in_s: float | None = None) -> None:
        self.state = state
        self.since_at = now
        self.retry_in_s = retry_in_s

    def status(self) -> JobStatus:
        return JobStatus(**{part.name: getattr(self, part.name) for part in fields(JobStatus)})


class Supervisor:
    """Owns every background task of the process; leaving the context ends them all within a budget."""

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random | None = None,
        tell: Tell | None = None,
        close_budget_s: float = 6.0,
        last: Collection[str] = (),
    ) -> None:
        """Jobs named in `last` are needed by the others and end when these have."""
        self._clock = clock
        self._rng = rng or random.Random()
        self._tell = tell
        self._close_budget_s = close_budget_s
        self._jobs: dict[str, _Job] = {}
        self._last = last
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        await self._end([job for job in self._jobs.values() if job.name not in self._last])
        await self._end([job for job in self._jobs.values() if job.name in self._last], within_s=_LAST_END_S)

    def start(self, name: str, factory: JobFactory, policy: RestartPolicy = DEFAULT_POLICY) -> bool:
        """Run a job under a name; False when that job is alive already. RuntimeError while closing."""
        if self._closing:
            raise RuntimeError(f"the supervisor is closing and cannot start {name}")
        known = self._jobs.get(name)
        if known is not None and known.task is not None and not known.task.done():
            return False
        job = _Job(name, factory, policy, self._clock.now())
        self._jobs[name] = job
        job.task = asyncio.create_task(self._supervise(job), name=f"job:{name}")
        return True

    async def stop(self, name: str) -> bool:
        """Cancel a job and wait for its end; False when it was not alive."""
        job = self._jobs.get(name)
        if job is None or job.task is None or job.task.done():
            return False
        await self._end([job])
        return True

    def retry_now(self, name: str) -> bool:
        """End a job's pause, since what it waits for may be mended; False when it is not pausing."""
        job = self._jobs.get(name)
        if job is None or job.state not in (JobState.WAITING, JobState.BACKOFF):
            return False
        job.enter(JobState.RUNNING, self._clock.now())
        job.pause.nudge()
        return True

    def status(self) -> tuple[JobStatus, ...]:
        """Every job ever started, by name."""
        return tuple(self._jobs[name].status() for name in sorted(self._jobs))

    def job(self, name: str) -> JobStatus | None:
        """One job, or None when it was never started."""
        job = self._jobs.get(name)
        return None if job is None else job.status()

    async def wait(self, name: str) -> JobStatus:
        """Wait until a job needs no more of the supervisor; KeyError for a name never started."""
        job = self._jobs[name]
        if job.task is not None:
            await asyncio.wait({job.task})
        return job.status()

    async def _end(self, jobs: list[_Job], *, within_s: float | None = None) -> None:
        within_s = self._close_budget_s if within_s is None else within_s
        tasks = {job.task: job for job in jobs if job.task is not None and not job.task.done()}
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, pending = await asyncio.wait(tasks, timeout=within_s)
        for task in pending:
            log.error("job %s did not end within %g s and is left behind", tasks[task].name, within_s)

    async def _supervise(self, job: _Job) -> None:
        log.info("job %s started", job.name)
        try:
            while await self._run_once(job):
                job.restarts += 1
                job.enter(JobState.RUNNING, self._clock.now())
        except asyncio.CancelledError:
            job.enter(JobState.STOPPED, self._clock.now())
            log.info("job %s stopped", job.name)
            raise

    async def _run_once(self, job: _Job) -> bool:
        """Run the job to its end; True when it is to be run again, after the pause it earned."""
        job.begun_s = self._clock.monotonic()
        try:
            await job.factory(partial(self._progress, job))
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            return await self._failed_by_bug(job, error)
        except Exception as error:
            if is_cancelled():
                log.warning("job %s ended with %s: %s", job.name, type(error).__name__, error)
                raise asyncio.CancelledError from error
            return await self._after(job, error)
        self._over(job)
        job.enter(JobState.ENDED, self._clock.now())
        log.info("job %s ended", job.name)
        return False

    def _progress(self, job: _Job) -> None:
        job.failures = 0
        job.contract_errors_in_a_row = 0
        if job.open_trouble is not None and self._clock.monotonic() - job.begun_s >= _OVER_AFTER_S:
            self._over(job)

    def _over(self, job: _Job) -> None:
        """Tell that what was told is over."""
        if job.open_trouble is None:
            return
        log.info("job %s goes on: %s", job.name, job.open_trouble)
        self._tell_operators(job, f"{job.name} works again. The trouble was: {job.open_trouble}")
        job.open_trouble = None

    async def _after(self, job: _Job, error: Exception) -> bool:
        match leading_error(error):
            case TransientError() as cause:
                log.warning("job %s: %s", job.name, cause.sentence)
                return await self._pause(job, cause.sentence, least_s=cause.retry_after_s)
            case ConfigurationError() as cause:
                return self._give_up(job, cause.sentence)
            case OperatorError() | RequestError() as cause:
                return await self._wait_for_a_person(job, cause)
            case ContractError() as cause:
                return await self._failed_by_contract(job, cause)
            case cause:
                return await self._failed_by_bug(job, error, type(cause).__name__)

    async def _failed_by_contract(self, job: _Job, error: ContractError) -> bool:
        job.contract_errors += 1
        job.contract_errors_in_a_row += 1
        if job.contract_errors_in_a_row > job.policy.max_contract_errors:
            return await self._wait_for_a_person(job, error)
        log.warning("job %s: the other side broke the protocol: %s", job.name, error.sentence)
        return await self._pause(job, error.sentence)

    async def _failed_by_bug(self, job: _Job, error: BaseException, kind: str = "CancelledError") -> bool:
        log.error("job %s failed on a bug", job.name, exc_info=error)
        job.bugs += 1
        now = self._clock.monotonic()
        job.bug_times.append(now)
        while job.bug_times[0] < now - job.policy.bug_window_s:
            job.bug_times.popleft()
        sentence = f"{job.name} failed on an unexpected {kind}; the log has the traceback."
        if len(job.bug_times) > job.policy.max_bugs:
            return self._give_up(job, sentence)
        return await self._pause(job, sentence)

    async def _pause(self, job: _Job, sentence: str, *, least_s: float | None = None) -> bool:
        job.failures += 1
        delay_s = job.policy.delay_s(job.failures, self._rng, least_s)
        log.info("job %s runs again in %.1f s", job.name, delay_s)
        return await self._rest(job, JobState.BACKOFF, sentence, delay_s)

    async def _wait_for_a_person(self, job: _Job, error: GexcordError) -> bool:
        """Tell a cause once, however often it is met, and look again."""
        job.failures += 1
        if job.open_trouble is None or job.open_trouble.sentence != error.sentence:
            log.error("job %s waits until somebody acts: %s", job.name, error.sentence)
            self._tell_operators(job, error.sentence)
            job.open_trouble = error
        least_s = error.retry_after_s if isinstance(error, OperatorError) else None
        delay_s = max(self._rng.uniform(job.policy.least_wait_s, job.policy.most_wait_s), least_s or 0.0)
        return await self._rest(job, JobState.WAITING, error.sentence, delay_s)

    async def _rest(self, job: _Job, state: JobState, sentence: str, delay_s: float) -> bool:
        job.last_error = sentence
        job.enter(state, self._clock.now(), retry_in_s=delay_s)
        await job.pause.wait(self._clock.sleep(delay_s), job.name)
        return True

    def _give_up(self, job: _Job, sentence: str) -> bool:
        job.failures += 1
        job.last_error = sentence
        job.enter(JobState.FAILED, self._clock.now())
        log.error("job %s stopped until somebody starts it again: %s", job.name, sentence)
        self._tell_operators(job, sentence)
        return False

    def _tell_operators(self, job: _Job, sentence: str) -> None:
        if self._tell is None:
            return
        try:
            self._tell(sentence)
        except Exception:
            log.exception("the operators could not be told about job %s", job.name)
