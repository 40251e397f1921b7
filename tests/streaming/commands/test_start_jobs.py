"""streaming/commands/start.py"""

import asyncio
from types import SimpleNamespace

import pytest

from streaming.commands import start
from streaming.commands.start import run_jobs, tell_states
from streaming.errors import ConfigurationError, TransientError
from streaming.settings import StreamSettings
from streaming.status import Loading, StreamStatus
from tests.support.waiting import until


async def forever(*_):
    await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(start, "_RETRY_S", 0.0)


async def test_a_signal_ends_every_job():
    ended, stop = [], asyncio.Event()

    async def job(_progress):
        try:
            await forever()
        finally:
            ended.append(1)

    asyncio.get_running_loop().call_later(0.02, stop.set)
    await run_jobs(stop, {"one": job, "two": job}, forever())
    assert ended == [1, 1]


@pytest.mark.parametrize(
    "trouble", [TransientError("Redis went away."), ExceptionGroup("all", [TransientError("The lease was taken.")])]
)
async def test_a_job_begins_again_after_what_passes_by_itself(trouble):
    runs, stop = [], asyncio.Event()

    async def job(_progress):
        runs.append(1)
        if len(runs) < 3:
            raise trouble
        stop.set()
        await forever()

    await run_jobs(stop, {"one": job}, forever())
    assert len(runs) == 3


async def test_what_a_person_must_mend_ends_the_process_even_out_of_a_group_of_passing_trouble():
    wrong = ConfigurationError("A is wrong.")

    async def job(_progress):
        raise ExceptionGroup("all", [TransientError("Redis went away."), wrong])

    with pytest.raises(ConfigurationError) as caught:
        await run_jobs(asyncio.Event(), {"one": job, "two": forever}, forever())
    assert caught.value is wrong


async def test_every_change_of_a_state_is_one_line_with_its_reason():
    said = []
    stream = StreamStatus(state="connecting")
    source = SimpleNamespace(name="cboe", state="failing", last_error="CBOE answered 503.")
    streamer = SimpleNamespace(status=lambda: stream, loading=lambda _: None)
    sources = SimpleNamespace(polled=[SimpleNamespace(status=lambda: source)])
    task = asyncio.create_task(tell_states(streamer, sources, said.append))
    try:
        await until(lambda: len(said) == 2)
        stream = StreamStatus(state="backoff", last_close="code 12")
        source = SimpleNamespace(name="cboe", state="live", last_error="CBOE answered 503.")
        await until(lambda: len(said) == 4)
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert said == [
        "Stream: connecting",
        "Source cboe: failing (CBOE answered 503.)",
        "Stream: backoff (code 12)",
        "Source cboe: live",
    ]


async def test_the_bar_is_told_how_far_the_first_load_of_all_tickers_is(monkeypatch):
    shares = []
    monkeypatch.setattr(start.ProgressBar, "show", lambda _bar, share: shares.append(share))
    loads = {"SPX": Loading(0, 0), "NDX": Loading(2, 4)}
    streamer = SimpleNamespace(status=lambda: StreamStatus(state="live"), loading=loads.get)
    sources = SimpleNamespace(polled=[])
    task = asyncio.create_task(tell_states(streamer, sources, lambda _: None, tickers=["SPX", "NDX"]))
    await until(lambda: shares == [0.5])
    loads |= {"SPX": Loading(3, 6), "NDX": None}
    await until(lambda: shares[-1:] == [0.5] and len(shares) > 1)
    task.cancel()
    await asyncio.wait({task})


async def test_what_was_imported_is_frozen_before_the_jobs_begin(redis_url, tmp_path, monkeypatch):
    """Else each full collection would hold the stream."""
    seen = []

    async def no_jobs(_stop, _jobs, telling):
        telling.close()
        seen.append("jobs")

    monkeypatch.setattr(start.gc, "freeze", lambda: seen.append("frozen"))
    monkeypatch.setattr(start, "run_jobs", no_jobs)
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "token.json")
    assert await start._serve(settings, start._Order(None, None, ()), lambda _line: None) == 0
    assert seen == ["frozen", "jobs"]
