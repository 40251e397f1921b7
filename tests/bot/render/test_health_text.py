"""How a process that is well, and one that is not, reads."""

from dataclasses import replace

from bot.render.health_text import HealthLook, health_text
from bot.supervisor import JobState, JobStatus
from streaming.status import SourceStatus, StreamStatus
from tests.support.clock import ManualClock

NOW = ManualClock().now()
WELL = HealthLook(
    gateway_up=True, latency_s=0.04, shards=1, servers=3, aways=0, sessions=2, most_sessions=900, lag_ms=3.0,
    redis="ok", redis_ms=0.42, jobs=(JobStatus("gex-feed", JobState.RUNNING, NOW),),
    sources=(SourceStatus(name="cboe", tickers=("SPX",), state="live", quote_at=NOW),),
    stream=StreamStatus(state="idle"),
)  # fmt: skip


def test_a_process_that_is_well_has_a_line_for_each_part():
    assert health_text(WELL, NOW).split("\n") == [
        "✅ Discord: connected · answers in 40 ms · servers: 3",
        "✅ Event loop: at worst 3 ms late in the last minute",
        "✅ Redis: answers in 0.4 ms",
        "✅ Jobs: 1 running",
        "✅ Source cboe: live · SPX · quotes 0s old",
        "Budgets: 2 of 900 gateway sessions today",
    ]


def test_what_is_wrong_is_marked_with_its_reason():
    job = JobStatus("history", JobState.BACKOFF, NOW, last_error="The disk is full.", retry_in_s=30.0)
    source = SourceStatus(name="gexbot", state="needs_action", last_error="No key.")
    stream = StreamStatus(state="live", requests_used=40, requests_per_minute=100)
    ill = replace(
        WELL, gateway_up=False, latency_s=None, shards=2, aways=4, lag_ms=900.0, redis="does not answer", jobs=(job,),
        sources=(source,), stream=stream, unreachable=1,
    )  # fmt: skip
    assert health_text(ill, NOW).split("\n") == [
        "❌ Discord: **away** · answers in — · 2 shards · servers: 3 · away 4 times",
        "❌ Event loop: at worst 900 ms late in the last minute",
        "❌ Redis: **does not answer**",
        "❌ Jobs: 1 backoff",
        "> history: **backoff**, again in 30s · The disk is full.",
        "❌ Source gexbot: needs you · no ticker · No key.",
        "Budgets: 2 of 900 gateway sessions today · 40 of 100 Schwab requests in the last minute",
        "❌ 1 of the people I tell about trouble cannot be reached.",
    ]
