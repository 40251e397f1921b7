"""Who sees and removes which alerts, and what is kept when the first message does not arrive."""

import msgspec
import pytest

from bot.alerts.alert_commands import AlertCommands, Reader
from bot.alerts.alert_job import AlertRunner
from bot.alerts.post import UnreachableError
from bot.alerts.rule_store import AlertStore
from bot.alerts.rules import AlertKind, Target
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import GexcordError, OperatorError, RequestError, TransientError
from tests.support.alerts import FakePost, rule, shot
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF

MINE = rule(owner_id=7)
CHANNELS = rule(owner_id=8, target=Target(channel_id=5), guild_id=1)
OTHERS = rule(owner_id=8)


def test_everybody_sees_and_removes_their_own_and_nobody_elses():
    reader = Reader(user_id=7, guild_id=1, channel_id=5)
    assert [reader.sees(one) for one in (MINE, CHANNELS, OTHERS)] == [True, False, False]
    assert [reader.may_remove(one) for one in (MINE, CHANNELS, OTHERS)] == [True, False, False]


def test_admins_see_this_channels_and_remove_those_of_their_server():
    here = Reader(user_id=9, guild_id=1, channel_id=5, manages=True)
    assert [here.sees(one) for one in (MINE, CHANNELS, OTHERS)] == [False, True, False]
    assert here.may_remove(CHANNELS)
    elsewhere = Reader(user_id=9, guild_id=1, channel_id=6, manages=True)
    assert not elsewhere.sees(CHANNELS)
    assert elsewhere.may_remove(CHANNELS)
    assert not Reader(user_id=9, guild_id=2, channel_id=6, manages=True).may_remove(CHANNELS)


def test_in_a_direct_message_nobody_manages_anything():
    reader = Reader(user_id=9)
    assert not reader.sees(OTHERS)
    assert not reader.may_remove(rule(owner_id=8, target=Target(channel_id=5)))


@pytest.mark.parametrize(
    "fault",
    [
        UnreachableError("closed"),
        TransientError("later"),
        RequestError("Discord refuses an alert."),
        OperatorError("token"),
    ],
)
async def test_nothing_is_kept_when_the_first_direct_message_does_not_arrive(redis, fault):
    store, post, clock = AlertStore(redis), FakePost(), SystemClock()
    runner = AlertRunner(SnapshotStore(redis), store, post, clock, tell=_nobody)
    desk = AlertCommands(store, runner, post, clock, per_person=2, per_channel=2)
    post.faults.append(fault)
    with pytest.raises(GexcordError):
        await desk.add(MINE)
    assert (await store.load()).rules == {}


def _nobody(_sentence: str) -> None:
    return


async def test_an_alert_on_change_is_kept_as_one_whose_owner_knows_how_it_counts(redis):
    store, post, clock = AlertStore(redis), FakePost(), ManualClock(ASOF)
    runner = AlertRunner(SnapshotStore(redis), store, post, clock, tell=_nobody)
    desk = AlertCommands(store, runner, post, clock, per_person=2, per_channel=2)
    change, _ = await desk.add(rule(AlertKind.MAX_CHANGE, value=0.5))
    other, _ = await desk.add(MINE)
    assert [one.by_trades for one in (await store.load()).rules.values()] == [True, False]
    assert (change.by_trades, other.by_trades) == (True, False)


async def test_the_list_says_where_a_change_is_not_counted_by_trades(redis):
    store, post, clock = AlertStore(redis), FakePost(), ManualClock(ASOF)
    runner = AlertRunner(SnapshotStore(redis), store, post, clock, tell=_nobody)
    desk = AlertCommands(store, runner, post, clock, per_person=2, per_channel=2)
    await desk.add(rule(AlertKind.MAX_CHANGE, value=0.5))
    for snapshot, standing in ((shot(0), "armed (no volume by strike)"), (shot(1, flow_bn=0.1), "armed")):
        runner.watcher.take(snapshot, ASOF)
        assert [line.standing for line in await desk.lines(Reader(user_id=7))] == [standing]


@pytest.fixture
def desk(redis):
    store, post, clock = AlertStore(redis), FakePost(), ManualClock(ASOF)
    runner = AlertRunner(SnapshotStore(redis), store, post, clock, tell=_nobody)
    return AlertCommands(store, runner, post, clock, per_person=9, per_channel=9)


async def test_what_already_watches_for_the_same_is_not_set_twice_whoever_asks(desk):
    kept, _ = await desk.add(MINE)
    with pytest.raises(RequestError, match=f"Alert {kept.number} already watches for that"):
        await desk.add(msgspec.structs.replace(MINE, cooldown_min=60))
    await desk.add(CHANNELS)
    await desk.add(msgspec.structs.replace(MINE, weight="vol"))


async def test_alerts_of_one_target_rest_until_they_are_resumed_and_others_go_on(desk):
    mine, _ = await desk.add(MINE)
    await desk.add(CHANNELS)
    assert await desk.pause(mine.target, "by /alert pause") == 1
    here = Reader(user_id=7, guild_id=1, channel_id=5, manages=True)
    assert [line.standing.partition(":")[0] for line in await desk.lines(here)] == ["paused", "waiting for data"]
    assert await desk.resume(mine.target) == 1
    with pytest.raises(RequestError, match="No alerts are paused there"):
        await desk.resume(mine.target)


async def test_one_alert_rests_alone_and_runs_again_with_its_number_or_with_all_of_its_target(desk):
    mine, _ = await desk.add(MINE)
    other, _ = await desk.add(msgspec.structs.replace(MINE, weight="vol"))
    me = Reader(user_id=7)

    async def standings() -> list[str]:
        return [line.standing.partition(":")[0] for line in await desk.lines(me)]

    await desk.pause_one(mine.number, me, "by /alert pause")
    assert await standings() == ["paused", "waiting for data"]
    with pytest.raises(RequestError, match="not paused by itself"):
        await desk.resume_one(other.number, me)
    with pytest.raises(RequestError, match=f"You have no alert {mine.number}"):
        await desk.pause_one(mine.number, Reader(user_id=8), "by /alert pause")
    await desk.resume_one(mine.number, me)
    assert await standings() == ["waiting for data"] * 2
    await desk.pause_one(mine.number, me, "by /alert pause")
    assert await desk.resume(mine.target) == 2
    assert await standings() == ["waiting for data"] * 2
    await desk.pause_one(mine.number, me, "by /alert pause")
    await desk.remove(mine.number, me)
    assert (await desk._runner.look()).paused == {}


async def test_all_of_one_target_are_cleared_and_where_there_is_none_that_is_said(desk):
    mine, _ = await desk.add(MINE)
    await desk.add(msgspec.structs.replace(MINE, weight="vol"))
    await desk.add(CHANNELS)
    assert await desk.clear(mine.target) == 2
    here = Reader(user_id=7, guild_id=1, channel_id=5, manages=True)
    assert [line.rule.target for line in await desk.lines(here)] == [CHANNELS.target]
    for order in (desk.clear(mine.target), desk.pause(mine.target, "x")):
        with pytest.raises(RequestError, match="There are no alerts there"):
            await order
