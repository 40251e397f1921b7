"""`python -m streaming start` in a process of its own: what it says and how it ends."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest
from aiohttp import web

from streaming.bus import keys
from streaming.bus.server.embedded import free_port
from streaming.clock import ShiftedClock, SystemClock
from streaming.commands.cli import main
from streaming.commands.start import _alarms
from streaming.process.alarm import AlarmBell
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import Failure, open_sim
from streaming.sim.world.market import Market
from tests.support.api import KNOWN, TOKEN
from tests.support.clock import ManualClock
from tests.support.http import open_http_server
from tests.support.source_rigs import GEXBOT_ANSWER, KEY
from tests.support.start_process import environment, start_command
from tests.support.stream_rig import FLOWING, START, write_token
from tests.support.waiting import until


@asynccontextmanager
async def schwab(tmp_path, start=START):
    market = Market.generate(("SPX", "SPY"), start_at=start, seed=7)
    async with open_sim(
        market, ShiftedClock(start), client_id="id", client_secret="secret", limits=FLOWING, login_clock=SystemClock()
    ) as sim:
        token_path = tmp_path / "tokens" / "token.json"
        write_token(token_path, sim)
        yield sim, token_path


async def ended(started):
    return await asyncio.wait_for(started.process.wait(), 20)


async def test_it_streams_what_was_asked_from_the_services_asked_and_ends_cleanly(tmp_path, redis, redis_url):
    async with schwab(tmp_path) as (sim, token_path):
        env = environment(sim, token_path, redis_url)
        env |= {"API_PORT": str(port := free_port()), "API_TOKEN": TOKEN}
        options = ("--symbols", "spy,/mnq:xcme", "--services", "LEVELONE_FUTURES,NYSE_BOOK")
        async with start_command(tmp_path, env, *options) as started:
            await started.says("Stream: live")
            await started.says(f"API: http://127.0.0.1:{port}")
            async with httpx.AsyncClient(headers=KNOWN) as http:
                assert (await http.get(f"http://127.0.0.1:{port}/v1/symbols")).json()["symbols"] == []
            assert set(sim.subscriptions) == {"LEVELONE_FUTURES", "NYSE_BOOK"}
            async with asyncio.timeout(5):
                while not (books := await redis.xrange(keys.LEVEL2_STREAM)):
                    await asyncio.sleep(0.02)
            assert json.loads(books[0][1][b"data"])["symbol"] in {"SPY", "/MNQ"}
            started.process.terminate()
            assert await ended(started) == 0
            assert started.lines[-1] == "Stopped."


async def test_a_dry_run_says_what_would_be_streamed_and_touches_no_stream(tmp_path, redis, redis_url):
    async with schwab(tmp_path) as (sim, token_path):
        env = environment(sim, token_path, redis_url, SCHWAB_SYMBOLS="SPY,/ES", SCHWAB_CHARTS="true")
        async with start_command(tmp_path, env, "--dry-run") as started:
            assert await ended(started) == 0
            await started.says("LEVELONE_FUTURES: /ES")
            assert "CHART_EQUITY: SPY" in started.lines
        assert sim.counters["sockets"] == 0


@pytest.fixture
def app(tmp_path, redis_url, monkeypatch):
    """Sets an app of Schwab's that no login has been made for, a Redis, and more; all else is as in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in StreamSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    usual = {"SCHWAB_CLIENT_ID": "id", "SCHWAB_CLIENT_SECRET": "secret", "SCHWAB_API_URL": "http://127.0.0.1:1"}

    def let(**more):
        for name, value in ({"REDIS_URL": redis_url} | usual | more).items():
            monkeypatch.setenv(name, value)

    return let


@pytest.mark.parametrize(
    ("options", "more", "end"),
    [
        (("--symbols", "!"), {}, (65, "is not a symbol")),
        (("--services", "LEVELTWO"), {}, (65, "is not a service")),
        (("--dry-run",), {"SCHWAB_CLIENT_ID": ""}, (78, "SCHWAB_CLIENT_ID")),
        (("--dry-run",), {"SCHWAB_TOKEN_PATH": "absent/token.json"}, (77, "token login")),
        ((), {"SCHWAB_CLIENT_ID": ""}, (78, "SCHWAB_CLIENT_ID")),
        ((), {"REDIS_URL": "redis://127.0.0.1:1/0"}, (69, "Redis")),
    ],
)
def test_what_a_person_must_put_right_ends_it_with_its_status(app, capsys, options, more, end):
    app(**more)
    assert main(["start", *options]) == end[0]
    assert end[1] in capsys.readouterr().err


def test_reminders_of_the_login_keep_out_of_the_night_of_the_operators_zone():
    settings, clock = StreamSettings(_env_file=None, operator_time_zone="Asia/Tokyo"), ManualClock()
    auth = SimpleNamespace(app=None)
    runtime = SimpleNamespace(settings=settings, auth=auth, tokens=None, redis=None, clock=clock)
    jobs = _alarms(runtime, AlarmBell(None, clock), print)
    assert jobs["login watch"].__self__._zone.key == "Asia/Tokyo"


async def test_a_login_that_is_missing_is_waited_for(tmp_path, redis, redis_url):
    async with schwab(tmp_path) as (sim, token_path):
        token_path.unlink()
        env = environment(sim, token_path, redis_url, ON_ALARM=f"cat >> {tmp_path}/rung")
        async with start_command(tmp_path, env, "--symbols", "SPY") as started:
            await started.says("Stream: needs_login")
            rung = tmp_path / "rung"
            await until(lambda: rung.exists() and "There is no Schwab login" in rung.read_text(), timeout_s=15.0)
            write_token(token_path, sim)
            await started.says("Stream: live")


@pytest.mark.parametrize(("path", "status"), [("/marketdata/v1/chains", 403), ("/marketdata/v1/expirationchain", 401)])
async def test_a_route_that_refuses_ends_neither_the_stream_nor_the_process(
    tmp_path, redis, redis_url, *, path, status
):
    async with schwab(tmp_path, datetime.now(UTC)) as (sim, token_path):
        sim.faults.refused[path] = Failure(status, {"errors": [{"status": status, "detail": "Client not authorized"}]})
        env = environment(sim, token_path, redis_url, LOG_LEVEL="INFO")
        async with start_command(tmp_path, env, "--tickers", "SPX") as started:
            await started.says("Stream: live")
            await started.says("come again in")
            await asyncio.sleep(0.2)
            started.process.terminate()
            assert await ended(started) == 0


async def test_an_app_without_the_stream_goes_on_with_its_chains(tmp_path, redis, redis_url):
    async with schwab(tmp_path, datetime.now(UTC)) as (sim, token_path):
        denied = Failure(401, {"errors": [{"status": 401, "detail": "Client not authorized"}]})
        sim.faults.refused["/trader/v1/userPreference"] = denied
        env = environment(sim, token_path, redis_url, GEX_CHAIN_DAYS="2")
        async with start_command(tmp_path, env, "--tickers", "SPX") as started:
            await started.says("Stream: refused")
            chains = sim.counters["/marketdata/v1/chains"]
            async with asyncio.timeout(15):
                while sim.counters["/marketdata/v1/chains"] < chains + 2:
                    await asyncio.sleep(0.05)
            started.process.terminate()
            assert await ended(started) == 0


async def test_a_corrected_secret_in_the_env_file_counts_without_a_restart(tmp_path, redis, redis_url):
    async with schwab(tmp_path) as (sim, token_path):
        sim.authority.expire_access()
        env = environment(sim, token_path, redis_url)
        del env["SCHWAB_CLIENT_SECRET"]
        (tmp_path / ".env").write_text("SCHWAB_CLIENT_SECRET=mistyped\n")
        token = json.loads(token_path.read_text())
        token["token"]["expires_at"] = 0
        token_path.write_text(json.dumps(token))
        async with start_command(tmp_path, env, "--symbols", "SPY") as started:
            await started.says("Stream: needs_login")
            (tmp_path / ".env").write_text("SCHWAB_CLIENT_SECRET=secret\n")
            await started.says("Stream: live")


def without_schwab(sim, token_path, redis_url, **more):
    return environment(sim, token_path, redis_url, SCHWAB_CLIENT_ID="", SCHWAB_CLIENT_SECRET="", **more)


async def test_it_runs_the_sources_of_the_settings_without_any_schwab_app(tmp_path, redis, redis_url):
    async with (
        schwab(tmp_path) as (sim, token_path),
        open_http_server(lambda _seen: web.Response(body=json.dumps(GEXBOT_ANSWER).encode())) as http,
    ):
        places = {"GEX_SOURCE_MAP": "SPX:gexbot,NDX:redis", "GEXBOT_API_URL": http.url, "GEXBOT_API_KEY": KEY}
        env = without_schwab(sim, token_path, redis_url, LOG_LEVEL="DEBUG", **places)
        async with start_command(tmp_path, env) as started:
            await started.says("Source gexbot: live")
            await started.says("Source redis: waiting")
            async with asyncio.timeout(5):
                while not (fields := await redis.hgetall(keys.SOURCE_METRICS)) or fields[b"gexbot:state"] != b"live":
                    await asyncio.sleep(0.02)
            assert fields[b"gexbot:tickers"] == b"SPX"
            assert fields[b"redis:state"] == b"waiting"
            assert await redis.exists(keys.snapshot("SPX"))
            started.process.terminate()
            assert await ended(started) == 0
            assert not any("Stream:" in line or KEY in line for line in started.lines)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("SPX:gexbot", "GEXBOT_API_KEY is not set. Set it in .env"),
        ("NQ_NDX:cboe", "NQ_NDX cannot come from cboe, which quotes no futures."),
    ],
)
def test_a_source_that_lacks_a_setting_ends_it_with_78(app, capsys, chosen, said, options):
    app(SCHWAB_CLIENT_ID="", SCHWAB_CLIENT_SECRET="", GEX_SOURCE_MAP=chosen)
    assert main(["start", *options]) == 78
    assert said in capsys.readouterr().err


async def test_a_dry_run_names_each_source_with_its_tickers(tmp_path, redis_url):
    async with schwab(tmp_path) as (sim, token_path):
        env = without_schwab(sim, token_path, redis_url, GEX_SOURCE="redis")
        async with start_command(tmp_path, env, "--dry-run", "--tickers", "SPX,QQQ") as started:
            assert await ended(started) == 0
            assert "Source redis: SPX, QQQ" in started.lines


async def test_it_tells_systemd_how_it_is_and_answers_machines_that_watch(tmp_path, redis, redis_url):
    port, notify = free_port(), str(tmp_path / "notify")
    async with schwab(tmp_path) as (sim, token_path):
        env = environment(sim, token_path, redis_url, METRICS_PORT=str(port), NOTIFY_SOCKET=notify)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(notify)
            systemd.setblocking(False)
            async with start_command(tmp_path, env, "--symbols", "SPY") as started, httpx.AsyncClient() as http:
                heard = []
                async with asyncio.timeout(20):
                    while b"WATCHDOG=1" not in heard:
                        heard.append(await asyncio.get_running_loop().sock_recv(systemd, 100))
                assert heard == [b"READY=1", b"WATCHDOG=1"]
                answer = await http.get(f"http://127.0.0.1:{port}/health")
                assert (answer.status_code, answer.json()) == (200, {"ready": True, "live": True, "redis": "ok"})
                text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
                assert "gexcord_stream_state{" in text
                assert "gexcord_process_info{" in text
                started.process.terminate()
                assert await ended(started) == 0
                async with asyncio.timeout(5):
                    while await asyncio.get_running_loop().sock_recv(systemd, 100) != b"STOPPING=1":
                        pass
