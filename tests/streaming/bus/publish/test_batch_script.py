"""streaming/bus/publish/batch_script.py"""

from types import SimpleNamespace

import hiredis
import pytest

from streaming.bus import keys
from streaming.bus.events import BOOK, CANDLE, KINDS, TICK
from streaming.bus.publish.batch import pack
from streaming.bus.publish.batch_script import RUN_EVENTS, SCRIPT, ScriptPacker
from streaming.bus.publish.delivery import BatchConnection
from streaming.bus.redis_connection import make_client, open_redis
from tests.support.redis_server import plain_redis

CAPS = range(200, 200 + len(KINDS))
EVENTS = [(0, TICK, b"t0"), (1, BOOK, b"b1"), (2, CANDLE, b"c2")]
MANY = [(n, TICK, b"t%d" % n) for n in range(RUN_EVENTS + 2)]


def test_a_batch_is_one_call_that_declares_its_keys_and_names_a_payload_once():
    assert ScriptPacker(CAPS).pack(EVENTS) == pack(
        *(b"EVAL", SCRIPT, b"%d" % len(KINDS)),
        *(kind.stream.encode() for kind in KINDS),
        *(kind.channel.encode() for kind in KINDS),
        *(b"%d" % cap for cap in CAPS),
        bytes([TICK, BOOK, CANDLE]),
        *(b"t0", b"b1", b"c2"),
    )


@pytest.mark.parametrize("fence", [None, SimpleNamespace(epoch=3, epoch_key="lease:epoch")])
def test_streams_are_bound_anew_when_that_is_said(fence):
    packer, bound = ScriptPacker(CAPS, fence), ScriptPacker([7] * len(KINDS), fence)
    assert packer.pack(EVENTS) != bound.pack(EVENTS)
    packer.cap([7] * len(KINDS))
    assert packer.pack(EVENTS) == bound.pack(EVENTS)


def test_a_large_batch_is_several_calls_so_that_others_get_their_turn():
    packer = ScriptPacker(CAPS)
    assert packer.pack(MANY) == packer.pack(MANY[:RUN_EVENTS]) + packer.pack(MANY[RUN_EVENTS:])
    assert packer.pack(EVENTS * 1000).count(b"EVAL") > 50
    assert (packer.replies(MANY), packer.replies(MANY[:RUN_EVENTS]), packer.replies(MANY[:1])) == (2, 1, 1)


async def test_the_server_names_every_refused_command_and_does_the_others(tmp_path):
    with plain_redis(tmp_path) as (url, _):
        async with open_redis(url) as redis:
            await redis.set(keys.LEVEL2_STREAM, "somebody put text here")
            await redis.acl_setuser(
                *("feed", True), passwords=["+pass"], keys=["*"], channels=["*:level2"], commands=["+@all"]
            )
            limited = make_client(url.replace("//", "//feed:pass@"))
            connection = await BatchConnection.open(limited, within_s=5)
            replies: list[object] = []
            await connection.exchange(ScriptPacker(CAPS).pack(EVENTS), 1, replies)
            await connection.close()
            await limited.aclose()
            assert [await redis.xlen(stream) for stream in (keys.TICKS_STREAM, keys.CANDLES_STREAM)] == [1, 1]
    [[first, no_channel, second, wrong_type, third, no_channel_either]] = replies
    assert (first, second, third) == (0, 3, 4)
    assert no_channel == no_channel_either
    assert wrong_type.startswith(b"WRONGTYPE")


def test_calls_that_name_no_refusal_have_delivered_everything():
    settlement = ScriptPacker(CAPS).settle(MANY, [[], []])
    assert (settlement.delivered, settlement.again, settlement.doubtful) == (len(MANY), [], False)


@pytest.mark.parametrize("refusal", [b"OOM command not allowed", b"-OOM command not allowed"])
def test_a_passing_refusal_keeps_the_event_and_remembers_its_announcement(refusal):
    settlement = ScriptPacker(CAPS).settle(EVENTS, [[3, refusal, 4, refusal, 5, refusal]])
    assert settlement.delivered == 1
    assert settlement.again == EVENTS[1:]
    assert settlement.announced == {1}
    assert (settlement.doubtful, settlement.forbidden) == (False, False)
    assert settlement.error.startswith("OOM")


def test_a_final_refusal_lets_the_event_go():
    settlement = ScriptPacker(CAPS).settle(EVENTS, [[1, b"WRONGTYPE Operation against a key"]])
    assert (settlement.delivered, settlement.rejected, settlement.again) == (2, 1, [])
    assert settlement.error.startswith("WRONGTYPE")


def test_runs_that_were_not_answered_are_in_doubt_as_a_whole():
    settlement = ScriptPacker(CAPS).settle(MANY, [[]])
    assert settlement.delivered == RUN_EVENTS
    assert settlement.again == MANY[RUN_EVENTS:]
    assert settlement.announced == set()
    assert settlement.doubtful


def test_a_server_that_is_busy_gets_the_run_again():
    settlement = ScriptPacker(CAPS).settle(MANY, [hiredis.ReplyError("BUSY Redis is busy running a script"), []])
    assert (settlement.delivered, settlement.again) == (2, MANY[:RUN_EVENTS])
    assert (settlement.doubtful, settlement.forbidden) == (False, False)


@pytest.mark.parametrize(
    "refusal",
    [
        "NOPERM this user has no permissions to run the 'eval' command",
        "ERR unknown command 'EVAL'",
        "CROSSSLOT Keys in request don't hash to the same slot",
    ],
)
def test_a_server_without_scripts_is_told_from_one_that_refuses_events(refusal):
    settlement = ScriptPacker(CAPS).settle(EVENTS, [hiredis.ReplyError(refusal)])
    assert settlement.forbidden
    assert settlement.again == EVENTS
    assert (settlement.rejected, settlement.doubtful, settlement.announced) == (0, False, set())
