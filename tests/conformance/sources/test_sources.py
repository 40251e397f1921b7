"""Every source of snapshots, held to the same promises. Each test runs for schwab (the simulator, so also the demo),

cboe and gexbot (local servers, cboe with a whole chain), redis (another program's snapshots) and replay (a recording).
"""

import asyncio
import logging
import os
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.feed.window import Slot
from bot.feed.wording import board_view
from streaming.bus.redis_connection import open_redis
from streaming.figures import headline
from streaming.freshness import Freshness
from streaming.symbols import parse_ticker
from tests.support.redis_server import embedded_redis
from tests.support.source_rigs import RIGS, age_of, open_rig

_CALLED = {"schwab": "simulated"}
"""What the figures of a source say of themselves, where that is not its name: the local Schwab confesses."""
_NOBODY_ASKED = {"replay"}
"""A file has no other side; what is torn or unusable in one: tests/streaming/recording."""
_NOT_ASKED = {"redis", *_NOBODY_ASKED}
"""Nobody asks another program: its silence is no error, only an age."""
_OWN_ENGINE_LIVE = {"schwab"}
"""A live chain without any weight is shown as unknown figures; there is no answer to reject: tests/streaming/gex."""
each_source = pytest.mark.parametrize("name", RIGS)
each_that_can_fail = pytest.mark.parametrize("name", [name for name in RIGS if name not in _NOBODY_ASKED])
each_that_is_answered = pytest.mark.parametrize(
    "name", [name for name in RIGS if name not in _NOBODY_ASKED | _OWN_ENGINE_LIVE]
)
each_that_ages = pytest.mark.parametrize("name", [name for name in RIGS if name != "replay"])
"""A replay's age is that of its playing: tests/bot/feed."""


@pytest.fixture
def rig_of(redis, redis_url, tmp_path):
    @asynccontextmanager
    async def opened(name):
        async with open_rig(name, redis=redis, redis_url=redis_url, tmp_path=tmp_path) as rig:
            yield rig

    return opened


@each_source
async def test_s01_the_first_snapshot_arrives_and_names_its_source(rig_of, name):
    async with rig_of(name) as rig:
        snapshot = await rig.first()
        assert (snapshot.ticker, snapshot.source) == (rig.ticker, _CALLED.get(name, name))
        assert snapshot.spot > 0
        status = rig.status()
        assert (status.name, status.tickers, status.state) == (name, (rig.ticker,), "live")
        assert status.last_snapshot_at is not None


@each_source
async def test_s02_a_figure_that_the_source_does_not_provide_is_none_and_never_zero(rig_of, name):
    async with rig_of(name) as rig:
        snapshot = await rig.first()
        assert {figure: getattr(snapshot, figure) for figure in rig.unknown} == dict.fromkeys(rig.unknown)
        shown = headline(snapshot)
        assert all(value != 0 for value in shown.values())


@each_source
async def test_s03_the_quote_time_is_that_of_the_quotes_and_not_of_the_receipt(rig_of, name):
    async with rig_of(name) as rig:
        snapshot = await rig.first()
        quoted = datetime.fromtimestamp(snapshot.asof_ms / 1000, tz=UTC)
        if rig.quote_at is None:
            assert abs(age_of(snapshot, datetime.fromtimestamp(snapshot.computed_ms / 1000, tz=UTC))) < timedelta(
                seconds=5
            )
        else:
            assert quoted == rig.quote_at
        assert snapshot.delayed is (name == "cboe")


@each_that_can_fail
async def test_s04_a_failure_keeps_the_last_snapshot_with_its_age_counts_itself_and_is_recovered_from(rig_of, name):
    async with rig_of(name) as rig:
        await rig.first()
        rig.break_down()
        if name not in _NOT_ASKED:
            errors = rig.status().errors
            await rig.until(lambda: rig.status().errors > errors)
            assert "503" in rig.status().last_error
        await asyncio.sleep(0.4)
        kept, count = await rig.latest(), rig.status().snapshots
        await asyncio.sleep(0.3)
        assert rig.status().snapshots == count
        still = await rig.latest()
        assert (still.asof_ms, still.seq, still.spot) == (kept.asof_ms, kept.seq, kept.spot)
        rig.recover()
        await rig.until(lambda: rig.status().snapshots > count)
        assert rig.status().state == "live"


@each_that_is_answered
@pytest.mark.parametrize("what", ["send_spot_only", "send_zeros"])
async def test_s05_an_answer_without_figures_is_rejected_counted_and_replaces_nothing(rig_of, name, what):
    async with rig_of(name) as rig:
        await rig.first()
        getattr(rig, what)()
        await rig.until(lambda: rig.status().rejected >= 2)
        assert "no figures except spot" in rig.status().last_error
        if name not in _NOT_ASKED:
            assert (await rig.latest()).sum_gex_vol is not None
            assert rig.status().state == "failing"
        rig.recover()
        count = rig.status().snapshots
        await rig.until(lambda: rig.status().snapshots > count)


@each_that_can_fail
async def test_s06_a_body_that_is_no_answer_is_counted_and_ends_nothing(rig_of, name):
    async with rig_of(name) as rig:
        await rig.first()
        before = rig.status()
        rig.send_garbage()
        await rig.until(lambda: rig.status().rejected + rig.status().errors > before.rejected + before.errors)
        assert rig.status().last_error
        rig.recover()
        count = rig.status().snapshots
        await rig.until(lambda: rig.status().snapshots > count)


@each_source
async def test_s07_cancelling_leaves_no_task_no_process_and_no_socket(rig_of, name):
    async with rig_of(name) as rig:
        before = {task for task in asyncio.all_tasks() if task is not rig.task}
        await rig.first()
        assert len(_engine_processes()) == (name in {"schwab", "cboe"})
        rig.task.cancel()
        await asyncio.wait({rig.task}, timeout=5)
        assert rig.task.cancelled()
        left = {task.get_name() for task in asyncio.all_tasks() - before if _is_of_a_source(task)}
        assert left == set()
        assert _engine_processes() == []
        assert rig.status().state == "stopped"


def _engine_processes():
    """Command lines of this process's children that compute."""
    mine = [pid for children in Path("/proc/self/task").glob("*/children") for pid in children.read_text().split()]
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in mine]
    return [line for line in lines if "streaming.engine.worker" in line]


def _is_of_a_source(task):
    return any(word in task.get_name() for word in ("engine", "source", "snapshot", "lease", "schwab"))


@each_source
async def test_s08_no_secret_reaches_a_log_an_error_or_a_repr(rig_of, name, caplog):
    caplog.set_level(logging.DEBUG)
    async with rig_of(name) as rig:
        await rig.first()
        rig.break_down()
        if name not in _NOT_ASKED:
            await rig.until(lambda: rig.status().errors >= 1)
        ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # the other side's
        said = "\n".join(ours) + repr(rig.status()) + repr(rig.task) + "".join(rig.alarms)
        assert "HTTP Request" in said or rig.http is None
        assert [secret for secret in rig.secrets if secret in said] == []


@each_that_ages
async def test_s09_a_board_never_lets_a_snapshot_that_stays_look_alive(rig_of, name):
    async with rig_of(name) as rig:
        snapshot = await rig.first()
    slot = Slot(60.0)
    slot.put(snapshot)
    quoted = datetime.fromtimestamp(snapshot.asof_ms / 1000, tz=UTC)

    def freshness(age_s):
        now = quoted + timedelta(seconds=age_s)
        view = board_view(parse_ticker(rig.ticker), slot, now, source="?", since=now, window_s=60.0)
        assert (view.source, view.age_s) == (_CALLED.get(name, name), age_s)
        return view.freshness

    expected = [Freshness.DELAYED] * 3 if name == "cboe" else [Freshness.LIVE, Freshness.STALE, Freshness.OLD]
    assert [freshness(4), freshness(6), freshness(31)] == expected


@each_source
async def test_s10_redis_may_die_and_come_back(name, tmp_path):
    async with embedded_redis() as server, open_redis(server.url) as redis:
        places = {"redis": redis, "redis_url": server.url, "tmp_path": tmp_path}
        async with open_rig(name, **places) as rig:
            await rig.first()
            pid, count = server.pid, rig.status().snapshots
            os.kill(pid, signal.SIGKILL)
            await rig.until(lambda: server.pid != pid)
            await rig.until(lambda: rig.status().snapshots > count + 1)
            assert rig.status().state == "live"
