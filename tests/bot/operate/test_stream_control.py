"""bot/operate/stream_control.py on the real streamer, supervisor, simulator and Redis."""

import asyncio
import random
from contextlib import asynccontextmanager

from bot.operate.stream_control import RESUME_JOB, StreamControl
from bot.supervisor import JobState, Supervisor
from streaming.bus import keys
from streaming.bus.notes import Notes
from streaming.clock import SystemClock
from streaming.errors import OperatorError, TransientError
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import Failure
from streaming.sim.stream.stream_session import ServerCode
from streaming.streamer.runtime import open_runtime
from streaming.streamer.streamer import Streamer
from tests.support.stream_rig import QUICK, streamer_rig, until


def stored_wish(redis):
    return Notes(redis, keys.STREAM_WANTED, about="whether the stream is wanted")


@asynccontextmanager
async def controlled(tmp_path, redis, redis_url, **more):
    """A control over a streamer of its own beside the rig's, which is stopped first."""
    async with streamer_rig(tmp_path, redis_url, **more) as rig:
        rig.task.cancel()
        await asyncio.wait({rig.task})
        async with Supervisor(clock=SystemClock(), rng=random.Random(1)) as supervisor:
            streamer = Streamer(rig.runtime, [], rng=random.Random(1), timing=QUICK)
            rig.control = StreamControl(streamer, supervisor, stored_wish(redis), SystemClock())
            rig.streamer = streamer
            yield rig


async def test_start_says_what_happened_within_three_seconds_and_stop_and_restart_too(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        report = await rig.control.start()
        assert loop.time() - began_s < 3.0
        assert report.ok and report.sentence.startswith("Connected: 2 symbols; first data after ")
        assert (await rig.control.start()).sentence == "The stream is already running: 2 symbols."
        assert (await rig.control.restart()).sentence.startswith("Connected: 2 symbols")
        assert rig.sim.counters["logins"] >= 2
        assert (await rig.control.stop()).sentence == "The stream has stopped."
        assert rig.control.status().state == "stopped"
        assert (await rig.control.stop()).sentence == "The stream was not running."


async def test_without_a_login_the_answer_names_the_remedy_and_the_stream_waits(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        rig.runtime.tokens.path.unlink()
        report = await rig.control.start()
        assert not report.ok
        assert "will start by itself" in report.sentence and "token login" in report.sentence
        assert rig.control.status().state == "needs_login"


async def test_without_an_app_key_the_setting_is_named(tmp_path, redis, redis_url):
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "t" / "token.json")
    async with (
        open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime,
        Supervisor(clock=SystemClock()) as supervisor,
    ):
        streamer = Streamer(runtime, [], rng=random.Random(1))
        report = await StreamControl(streamer, supervisor, stored_wish(redis), SystemClock()).start()
        assert not report.ok and "SCHWAB_CLIENT_ID" in report.sentence


async def test_trouble_at_schwab_is_told_with_its_reason(tmp_path, redis, redis_url, monkeypatch):
    monkeypatch.setattr("bot.operate.stream_control.ANSWER_WITHIN_S", 0.3)
    async with controlled(tmp_path, redis, redis_url) as rig:
        rig.streamer._timing = None
        rig.sim.fail("trader", Failure(503), times=50)
        report = await rig.control.start()
        assert not report.ok and "no connection" in report.sentence and "503" in report.sentence
        assert "next try" in report.sentence


async def test_a_stream_that_was_wanted_starts_again_with_the_process(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        await rig.control.resume()
        assert rig.control.status().state == "stopped"
        await stored_wish(redis).set("1")
        await rig.control.resume()
        await until(lambda: rig.control.status().state == "live")


async def test_connected_without_data_says_that_this_may_be_normal(tmp_path, redis, redis_url, monkeypatch):
    monkeypatch.setattr("bot.operate.stream_control.ANSWER_WITHIN_S", 0.4)
    async with controlled(tmp_path, redis, redis_url, symbols=("ZZZZ",)) as rig:
        report = await rig.control.start()
        assert report.ok and "Nothing has arrived yet" in report.sentence
        assert rig.control.status().state == "ready"


async def test_start_takes_the_stream_back_from_another_program(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        await rig.control.start()
        for connection in tuple(rig.sim._streams.connections):
            await connection.evict(ServerCode.CLOSE_CONNECTION)
        await until(lambda: rig.control.status().state == "taken_over")
        assert (await rig.control.start()).sentence.startswith("Connected: 2 symbols")
        assert rig.control.status().state == "live"


class HungWishes:
    """A store that never answers."""

    async def get(self):
        raise TransientError("Redis is away.")

    async def set(self, text):
        await asyncio.sleep(60)

    async def release(self):
        await asyncio.sleep(60)


@asynccontextmanager
async def without_app_key(tmp_path, redis_url, wanted, **more):
    path = tmp_path / "t" / "token.json"
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=path, **more)
    async with (
        open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime,
        Supervisor(clock=SystemClock()) as supervisor,
    ):
        streamer = Streamer(runtime, [], rng=random.Random(1))
        yield StreamControl(streamer, supervisor, wanted, SystemClock())


async def test_a_redis_that_hangs_neither_delays_nor_changes_the_answer(tmp_path, redis_url):
    async with without_app_key(tmp_path, redis_url, HungWishes()) as control:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        report = await control.start()
        assert loop.time() - began_s < 2.8
        assert not report.ok and report.sentence.startswith("The stream did not start.")
        began_s = loop.time()
        await control.stop()
        assert loop.time() - began_s < 1.5


async def test_a_stream_starts_in_time_while_redis_hangs(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        rig.control._wanted = HungWishes()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        report = await rig.control.start()
        assert loop.time() - began_s < 2.8
        assert report.ok and report.sentence.startswith("Connected")


async def test_a_refused_start_is_not_remembered_as_wanted(tmp_path, redis, redis_url):
    async with without_app_key(tmp_path, redis_url, stored_wish(redis)) as control:
        await control.start()
        assert await stored_wish(redis).get() is None


async def test_who_shows_another_programs_snapshots_is_not_told_to_do_just_that(tmp_path, redis, redis_url):
    async with without_app_key(tmp_path, redis_url, stored_wish(redis), gex_source="redis") as control:
        report = await control.start()
        assert "SCHWAB_CLIENT_ID" in report.sentence
        assert "or set GEX_SOURCE" not in report.sentence


async def test_remembering_may_wait_for_redis_while_the_process_runs(tmp_path, redis_url):
    async with without_app_key(tmp_path, redis_url, HungWishes()) as control:
        control.resume_in_background()
        supervisor = control._supervisor
        await until(lambda: supervisor.job(RESUME_JOB).state is JobState.BACKOFF)
        await control.stop()
        assert supervisor.job(RESUME_JOB).state is JobState.STOPPED


async def test_start_asks_again_at_once_when_the_stream_waits_for_a_person(tmp_path, redis, redis_url):
    async with controlled(tmp_path, redis, redis_url) as rig:
        run, refusals = rig.streamer.run, [OperatorError("The disk is full.", remedy="Make room.")]

        async def run_when_not_refused(progress):
            if refusals:
                raise refusals.pop()
            await run(progress)

        rig.streamer.run = run_when_not_refused
        report = await rig.control.start()
        assert not report.ok
        assert report.sentence == "The stream is waiting and will try again by itself. The disk is full. Make room."
        assert await stored_wish(redis).get() is not None
        assert rig.control.status().state == "waiting"
        await rig.control.start()
        await until(lambda: rig.control.status().state == "live")
