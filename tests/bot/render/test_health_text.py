"""How a process that is well, and one that is not, reads."""

from dataclasses import replace

from bot.render.health_text import HealthLook, health_text
from bot.supervisor import JobState, JobStatus
from bot.wire.crew_member import CrewMember
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


def member(name: str, since_ms: int, **said: object) -> CrewMember:
    return CrewMember(name=name, since_ms=since_ms, rate_per_s=15.3, **said)  # type: ignore[arg-type]


def test_a_process_that_is_alone_tells_what_it_uses_of_discords_calls():
    alone = member("here:1:a", 1, connected=(0,), parts=(0,), boards=4, calls_per_s=3.6, waiting=2)
    assert health_text(replace(WELL, process=alone), NOW).split("\n")[-1] == (
        "Budgets: 2 of 900 gateway sessions today · 4 of 15 calls to Discord a second, 2 wait"
    )


def test_of_several_processes_each_says_which_shards_and_how_many_live_messages_are_its_own():
    own = member("here:1:a", 2, shards=5, connected=(0, 3), parts=(1, 2), boards=40, calls_per_s=12.0)
    other = member("there:2:b", 1, shards=5, connected=(1,), awaited=(2,), parts=(0,), boards=21)
    idle = member("there:3:c", 3, shards=5)
    lines = health_text(replace(WELL, shards=5, process=own, others=(idle, other)), NOW).split("\n")
    assert lines[1:5] == [
        "❌ Processes of this bot: 3 · **no connection: shard 2, 4**",
        "> there:2:b: shards 1, 2 (waits) · writes 21 live messages · 0 of 15 calls to Discord a second",
        "> here:1:a (this one): shards 0, 3 · writes 40 live messages · 12 of 15 calls to Discord a second",
        "> there:3:c: no shard · stands by · 0 of 15 calls to Discord a second",
    ]


def test_a_leader_and_a_standby_of_one_shard_are_told_apart():
    own, other = member("a", 1, parts=(0,), boards=3, connected=(0,)), member("b", 2, connected=(0,))
    lines = health_text(replace(WELL, process=own, others=(other,)), NOW).split("\n")
    assert lines[1:4] == [
        "✅ Processes of this bot: 2",
        "> a (this one): writes 3 live messages · 0 of 15 calls to Discord a second",
        "> b: stands by · 0 of 15 calls to Discord a second",
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
