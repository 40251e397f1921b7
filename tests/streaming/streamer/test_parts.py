"""streaming/streamer/parts.py; the parts at work together are test_streamer.py's."""

import random
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from pydantic import SecretStr

from streaming.clock import SystemClock
from streaming.engine.loop import SnapshotCounters
from streaming.model import OptionQuote
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.stream.routing import Subscriptions
from streaming.settings import StreamSettings
from streaming.status import ConnectionStatus
from streaming.streamer.beside import wire_beside
from streaming.streamer.parts import StreamParts, wire_parts
from streaming.streamer.runtime import open_runtime
from streaming.symbols import parse_ticker
from tests.support.events import tick
from tests.support.snapshots import ASOF


def parts(*, client=None, keeper=None, poller=None):
    silent = {"needs_login": None, "last_error": None, "nearest_age_s": dict, "expiry_age_s": dict}
    silent |= {"refusals": dict, "remarks": dict, "refused": 0, "odd_rows": 0}
    fields = dict.fromkeys(ConnectionStatus.__dataclass_fields__) | {"bad_frames": 0, "tolerant_frames": 0}
    fields |= {"state": "live"} | (client or {})
    return StreamParts(
        started_at=ASOF,
        budget=None,
        logins=None,
        rest=None,
        listeners=[],
        engines=SimpleNamespace(restarts=2, start_ms=410.0),
        client=SimpleNamespace(status=SimpleNamespace(**fields), needs_login=fields["needs_login"]),
        dividends=None,
        poller=SimpleNamespace(**(silent | (poller or {}))),
        routes=SimpleNamespace(sentences={"option chains": "refused"}),
        keeper=SimpleNamespace(trouble=keeper),
        snapshots=None,
        maps=None,
    )


def test_one_look_gathers_what_every_part_says():
    gathered = parts(
        client={"symbols": {"SPY": 0.5}, "reconnects": 3},
        poller={
            "nearest_age_s": lambda: {"SPX": 4.0},
            "last_error": "Schwab answered 503.",
            "refusals": lambda: {"SPX": "why"},
            "refused": 2,
        },
    )
    status = gathered.status(gathered.client.status)
    assert (status.chain_refusals, status.chains_refused) == ({"SPX": "why"}, 2)
    assert (status.state, status.symbols, status.reconnects) == ("live", {"SPY": 0.5}, 3)
    assert (status.chain_age_s, status.last_error) == ({"SPX": 4.0}, "Schwab answered 503.")
    assert status.refused == {"option chains": "refused"}
    assert (status.engine_restarts, status.engine_start_ms, status.started_at) == (2, 410.0, ASOF)


@pytest.mark.parametrize("part", [{"client": {"needs_login": "x"}}, {"keeper": "x"}, {"poller": {"needs_login": "x"}}])
def test_whoever_waits_for_a_login_is_heard(part):
    waiting = parts(**part)
    assert waiting.needs_login == waiting.status(waiting.client.status).needs_login == "x"
    assert parts().needs_login is None


@asynccontextmanager
async def wired_parts(tmp_path, redis_url, tell=None, progress=None, **values):
    settings = StreamSettings(
        _env_file=None,
        redis_url=redis_url,
        schwab_token_path=tmp_path / "tokens" / "token.json",
        schwab_client_id=SecretStr("id"),
        schwab_client_secret=SecretStr("secret"),
        **values,
    )
    async with open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime:
        wired = wire_parts(
            runtime,
            runtime.auth,
            [parse_ticker("SPX")],
            Subscriptions(symbols=("SPY",)),
            budget=RequestBudget(60, runtime.clock),
            assure=AsyncMock(),
            counters=SnapshotCounters(),
            rng=random.Random(1),
            timing=None,
            tell=tell,
            progress=progress,
        )
        yield runtime, wired


async def test_events_are_published_before_engines_see_them_and_count_as_progress(tmp_path, redis_url, monkeypatch):
    seen = []
    progress = partial(seen.append, "progress")
    async with wired_parts(tmp_path, redis_url, tell=seen.append, progress=progress) as (runtime, wired):
        monkeypatch.setattr(runtime.publisher, "publish", lambda events: seen.append(("bus", len(events))))
        monkeypatch.setattr(wired.engines, "take", lambda events: seen.append(("engines", len(events))))
        option = OptionQuote(symbol="SPXW  260820C06400000", event_ms=1, recv_ms=2)
        wired.client._sink([tick(1), option])
    assert seen == [("bus", 2), ("engines", 2), "progress"]


async def test_a_stream_that_redis_cannot_follow_is_held_back(tmp_path, redis_url):
    async with wired_parts(tmp_path, redis_url) as (runtime, wired):
        assert wired.client._room == runtime.publisher.room


async def test_as_many_expiries_are_loaded_as_the_settings_say_of_what_is_asked_for_beside_too(tmp_path, redis_url):
    async with wired_parts(tmp_path, redis_url, gex_chain_expiries=12) as (runtime, wired):
        beside = wire_beside(runtime, wired, [parse_ticker("NDX")], assure=AsyncMock(), counters=SnapshotCounters())
        assert [part.poller._most_expiries for part in (wired, beside)] == [12, 12]
