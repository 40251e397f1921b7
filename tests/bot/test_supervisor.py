import asyncio
import logging
import random

import pytest

from bot.supervisor import JobState, RestartPolicy, Supervisor
from streaming.errors import (
    ConfigurationError,
    ContractError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
    UnavailableError,
)
from streaming.ports import Progress
from tests.support.clock import ManualClock, StillClock

POLICY = RestartPolicy(first_delay_s=1.0, max_delay_s=8.0, max_contract_errors=2, max_bugs=2, bug_window_s=100.0)


class RecordingClock(ManualClock):
    """Notes every pause."""

    def __init__(self):
        super().__init__()
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await super().sleep(seconds)


class Script:
    """A job that does the next thing of a list each time it is run, then waits for ever."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.runs = 0
        self.idle = asyncio.Event()

    async def idles(self) -> None:
        async with asyncio.timeout(2):
            await self.idle.wait()

    async def __call__(self, progress: Progress) -> None:
        self.runs += 1
        if not self.steps:
            self.idle.set()
            await asyncio.Event().wait()
        step = self.steps.pop(0)
        if callable(step):
            step(progress)
        elif step is not None:
            raise step


@pytest.fixture
def clock():
    return RecordingClock()


@pytest.fixture
def told():
    return []


@pytest.fixture
async def supervisor(clock, told):
    async with Supervisor(clock=clock, rng=random.Random(7), tell=told.append, close_budget_s=1.0) as running:
        yield running


async def test_a_job_that_returns_has_ended_and_is_not_run_again(supervisor):
    job = Script(None)
    assert supervisor.start("job", job)
    status = await supervisor.wait("job")
    assert (status.state, job.runs) == (JobState.ENDED, 1)


async def test_a_transient_error_is_tried_again_ever_more_slowly_up_to_the_cap(supervisor, clock):
    job = Script(*[TransientError("away") for _ in range(6)])
    supervisor.start("job", job, POLICY)
    await job.idles()
    ceilings = [1, 2, 4, 8, 8, 8]
    assert all(ceiling / 2 <= pause <= ceiling for pause, ceiling in zip(clock.slept, ceilings, strict=True))
    assert len(set(clock.slept)) == 6, "every pause has its own jitter"
    assert supervisor.job("job").restarts == 6


async def test_the_delay_resets_only_after_progress(supervisor, clock):
    def fail_after_data(progress):
        progress()
        raise TransientError("gone")

    job = Script(*[TransientError("away")] * 4, fail_after_data, TransientError("away"))
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert clock.slept[3] >= 4
    assert clock.slept[4] <= 1
    assert clock.slept[5] <= 2


async def test_the_other_sides_wish_is_respected_beyond_the_cap(supervisor, clock):
    job = Script(TransientError("slow down", retry_after_s=30.0))
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert clock.slept == [30.0]


async def test_a_setting_that_cannot_work_ends_the_job_and_is_told_with_its_remedy(supervisor, told):
    job = Script(ConfigurationError("The key is no key.", remedy="Correct .env."))
    supervisor.start("job", job, POLICY)
    status = await supervisor.wait("job")
    assert status.state is JobState.FAILED
    assert told == ["The key is no key. Correct .env."] == [status.last_error]
    assert job.runs == 1
    assert not supervisor.retry_now("job")


@pytest.mark.parametrize("family", [OperatorError, UnavailableError, LoginRequiredError, RequestError])
async def test_what_needs_a_person_is_told_once_and_tried_again_every_few_minutes(supervisor, told, clock, family):
    job = Script(*[family("The login is over.", remedy="Log in again.") for _ in range(4)])
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert told == ["The login is over. Log in again."]
    assert all(300 <= pause_s <= 900 for pause_s in clock.slept)
    assert len(set(clock.slept)) == 4, "every pause has its own jitter"
    assert supervisor.job("job").state is JobState.RUNNING


async def test_a_wish_to_be_left_alone_for_longer_is_respected(supervisor, clock):
    job = Script(OperatorError("Enough for today.", retry_after_s=5000.0))
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert clock.slept == [5000.0]


async def test_another_cause_is_told_too(supervisor, told):
    job = Script(OperatorError("One."), OperatorError("Two."), OperatorError("Two."))
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert told == ["One.", "Two."]


async def test_the_end_of_what_was_told_is_told_once(supervisor, told, clock):
    def work(progress):
        progress()
        clock.advance(61)
        progress()
        progress()
        raise TransientError("gone")

    job = Script(OperatorError("The login is over.", remedy="Log in again."), work, work)
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert told == ["The login is over. Log in again.", "job works again. The trouble was: The login is over."]


async def test_a_job_that_only_seems_to_recover_says_nothing_of_it(supervisor, told):
    def seem(progress):
        progress()
        raise OperatorError("The login is over.")

    job = Script(*[seem] * 5)
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert told == ["The login is over."]


async def test_a_job_that_ends_by_itself_has_recovered(supervisor, told):
    supervisor.start("job", Script(OperatorError("Refused."), None), POLICY)
    assert (await supervisor.wait("job")).state is JobState.ENDED
    await asyncio.sleep(0)
    assert told == ["Refused.", "job works again. The trouble was: Refused."]


async def test_whoever_mends_the_cause_need_not_wait():
    clock, job = StillClock(), Script(OperatorError("Refused."))
    async with Supervisor(clock=clock) as supervisor:
        supervisor.start("job", job, POLICY)
        await clock.asleep.wait()
        assert supervisor.job("job").state is JobState.WAITING
        assert 300 <= supervisor.job("job").retry_in_s <= 900
        assert supervisor.retry_now("job")
        await job.idles()
        assert job.runs == 2
        assert not supervisor.retry_now("job")
        assert not supervisor.retry_now("no such job")


async def test_contract_errors_are_counted_and_need_a_person_only_when_they_persist(supervisor, told, clock):
    def progress_then_break(progress):
        progress()
        raise ContractError("odd frame")

    job = Script(
        ContractError("odd"), ContractError("odd"), progress_then_break, ContractError("odd"), ContractError("odd")
    )
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert (job.runs, supervisor.job("job").contract_errors) == (6, 5)
    assert told == ["odd"]
    assert [pause_s >= 300 for pause_s in clock.slept] == [False, False, False, False, True]


async def test_a_bug_is_logged_with_its_traceback_and_restarted_a_few_times_only(supervisor, told, caplog):
    job = Script(KeyError("a"), KeyError("b"), KeyError("c"))
    supervisor.start("feeder", job, POLICY)
    status = await supervisor.wait("feeder")
    assert (job.runs, status.bugs, status.state) == (3, 3, JobState.FAILED)
    assert told == ["feeder failed on an unexpected KeyError; the log has the traceback."]
    assert sum(record.exc_info is not None for record in caplog.records) == 3


async def test_progress_does_not_buy_a_bug_endless_restarts_but_time_does(supervisor, clock):
    def buggy(progress):
        progress()
        raise KeyError

    def buggy_much_later(progress):
        clock.advance(200)
        buggy(progress)

    job = Script(buggy, buggy, buggy_much_later, buggy, buggy)
    supervisor.start("job", job, POLICY)
    status = await supervisor.wait("job")
    assert (job.runs, status.state) == (5, JobState.FAILED)


async def test_a_cancellation_that_nobody_asked_for_counts_as_a_bug(supervisor):
    job = Script(asyncio.CancelledError())
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert supervisor.job("job").bugs == 1
    assert supervisor.job("job").state is JobState.RUNNING


async def test_stopping_cancels_the_job_waits_for_it_and_runs_its_cleanup(supervisor):
    cleaned = []

    async def job(_progress):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    supervisor.start("job", job)
    await asyncio.sleep(0)
    assert await supervisor.stop("job")
    assert cleaned == [True]
    assert supervisor.job("job").state is JobState.STOPPED
    assert not await supervisor.stop("job")
    assert not await supervisor.stop("no such job")


async def test_a_living_job_is_not_started_twice_and_a_dead_one_may_be(supervisor):
    first, second = Script(), Script()
    assert supervisor.start("job", first)
    assert not supervisor.start("job", second)
    await supervisor.stop("job")
    assert supervisor.start("job", second)
    await second.idles()
    assert supervisor.job("job").state is JobState.RUNNING


async def test_leaving_ends_every_job_and_nothing_may_start_any_more(clock):
    jobs = [Script(), Script()]
    async with Supervisor(clock=clock) as supervisor:
        for number, job in enumerate(jobs):
            supervisor.start(f"job-{number}", job)
        await jobs[1].idles()
    assert {status.state for status in supervisor.status()} == {JobState.STOPPED}
    with pytest.raises(RuntimeError, match="closing"):
        supervisor.start("late", Script())


async def test_a_job_in_backoff_is_stopped_at_once():
    clock = StillClock()
    async with Supervisor(clock=clock) as supervisor:
        supervisor.start("job", Script(TransientError("away")), POLICY)
        await clock.asleep.wait()
        assert supervisor.job("job").state is JobState.BACKOFF
        assert supervisor.job("job").retry_in_s > 0
    assert supervisor.job("job").state is JobState.STOPPED


async def test_a_job_that_fails_while_it_is_ended_is_not_run_again(clock, caplog):
    """A task group whose tasks fail while it is cancelled raises what they raised."""
    runs = 0

    async def fails_at_the_end(_progress):
        nonlocal runs
        runs += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TransientError("The lease has gone to another process.") from None

    async with Supervisor(clock=clock, close_budget_s=0.5) as supervisor:
        supervisor.start("job", fails_at_the_end)
        await asyncio.sleep(0)
    assert runs == 1
    assert "left behind" not in caplog.text
    assert supervisor.job("job").state is JobState.STOPPED


async def test_a_job_that_ignores_its_end_is_left_behind_within_the_budget(clock, caplog):
    release = asyncio.Event()

    async def stubborn(_progress):
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with Supervisor(clock=clock, close_budget_s=0.05) as supervisor:
        supervisor.start("stubborn", stubborn)
        await asyncio.sleep(0)
    assert "stubborn did not end within 0.05 s" in caplog.text
    release.set()
    await supervisor.wait("stubborn")


async def test_a_job_that_the_others_need_ends_when_they_have(clock):
    ended = []

    def job(name):
        async def run(_progress):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(name)

        return run

    async with Supervisor(clock=clock, last={"pace"}) as supervisor:
        supervisor.start("pace", job("pace"))
        supervisor.start("boards", job("boards"))
        await asyncio.sleep(0)
    assert ended == ["boards", "pace"]


async def test_every_end_is_logged_by_name(supervisor, caplog):
    caplog.set_level(logging.INFO)
    supervisor.start("alpha", Script(None))
    await supervisor.wait("alpha")
    assert "job alpha started" in caplog.text
    assert "job alpha ended" in caplog.text


async def test_a_notice_that_cannot_be_delivered_does_not_hide_the_failure(clock, caplog):
    def tell(_sentence):
        raise OSError("no way out")

    async with Supervisor(clock=clock, tell=tell) as supervisor:
        supervisor.start("job", Script(ConfigurationError("Broken.")))
        status = await supervisor.wait("job")
    assert status.state is JobState.FAILED
    assert "could not be told" in caplog.text


async def test_a_group_of_transient_errors_is_transient(supervisor):
    job = Script(ExceptionGroup("two at once", [TransientError("a"), TransientError("b")]))
    supervisor.start("job", job, POLICY)
    await job.idles()
    assert supervisor.job("job").bugs == 0
