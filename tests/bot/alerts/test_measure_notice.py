"""Owners of alerts on change learn once that these count trades now, and how their figure stands in both measures."""

import random
from datetime import timedelta

import msgspec
import pytest

from bot.alerts.alert_job import AlertRunner
from bot.alerts.measure_notice import MeasureNotice, measures_text
from bot.alerts.post import UnreachableError
from bot.alerts.rule_store import AlertStore, StoredAlerts
from bot.alerts.rules import AlertKind, Rule, Target, Window
from streaming.bus import keys
from streaming.bus.notes import Notes
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.errors import TransientError
from streaming.model import FLOW_SPANS
from tests.support.alerts import FakePost, flow, played, rule, shot
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF

OLD = rule(AlertKind.MAX_CHANGE, value=0.5)


class Rig:
    """One process that watches these rules, and what it sent."""

    def __init__(self, redis, *rules: Rule, post: FakePost | None = None) -> None:
        self.clock, self.post = ManualClock(ASOF), post or FakePost()
        store = SnapshotStore(redis, clock=self.clock)
        self.runner = AlertRunner(store, AlertStore(redis), self.post, self.clock, tell=print, rng=random.Random(1))
        self.runner.watcher.set_rules(rules)
        self.runner.stored = StoredAlerts(1, {one.number: one for one in rules}, {}, {})
        self.notice = MeasureNotice(self.runner, self.post, Notes(redis, keys.ALERTS_TOLD, about="x"), self.clock)

    async def look(self, *snapshots, rules=None) -> list[str]:
        """What has been sent after these came."""
        for snapshot in snapshots:
            self.runner.watcher.take(snapshot, ASOF)
        await self.notice.tell(rules or self.notice._waiting())
        return self.post.texts


async def test_an_owner_learns_once_how_the_figure_stands_in_both_measures(redis):
    rig = Rig(redis, OLD)
    [text] = await rig.look(shot(change_bn=-0.62, flow_bn=0.11))
    assert "count **trades alone** now" in text
    assert "Alert 1 (SPX: flow 5 min exceeds $0.5Bn per 1 % at a strike" in text
    assert "now flow 5 min +$0.110Bn per 1 % at 6405 (22% of your figure)" in text
    assert "max change 5 min −$0.620Bn per 1 % at 6400 (124% of your figure)" in text
    assert rig.notice._waiting() == []
    assert await rig.look(rules=[OLD]) == [text]


async def test_two_processes_tell_it_once(redis):
    post = FakePost()
    for rig in (Rig(redis, OLD, post=post), Rig(redis, OLD, post=post)):
        await rig.look(shot(flow_bn=0.1))
    assert post.calls == 1


async def test_the_alerts_of_one_place_share_a_message_and_another_has_its_own(redis):
    channel = rule(AlertKind.MAX_CHANGE, value=1.0, number=3, target=Target(channel_id=9))
    rig = Rig(redis, OLD, rule(AlertKind.MAX_CHANGE, value=2.0, number=2, window=Window.ONE), channel)
    mine, theirs = await rig.look(shot(flow_bn=0.1))
    assert "Alert 1 " in mine and "Alert 2 " in mine
    assert "Alert 3 " in theirs and "Alert 1 " not in theirs
    assert [target for target, _ in rig.post.messages.values()] == ["dm:7", "channel:9"]


async def test_who_set_an_alert_since_or_of_another_kind_is_not_told(redis):
    rig = Rig(redis, msgspec.structs.replace(OLD, by_trades=True), rule(number=2))
    assert rig.notice._waiting() == []


@pytest.mark.parametrize(
    "snapshot",
    [
        shot(),
        shot(flow_bn=0.1, flow=tuple(flow(span, None if span == "5" else 0.1) for span in FLOW_SPANS)),
        shot(flow_bn=0.1, change_bn=None),
        shot(flow_bn=0.1, state="closed"),
        shot(flow_bn=0.1, start=ASOF - timedelta(minutes=10)),
        played(shot(flow_bn=0.1), sent=ASOF),
    ],
    ids=["no volume by strike", "a window not full", "no max change", "closed", "old quotes", "a recording"],
)
async def test_nobody_is_told_before_both_measures_are_known_in_a_live_market(redis, snapshot):
    rig = Rig(redis, OLD)
    assert await rig.look(snapshot) == []
    assert rig.notice._waiting() == [OLD]


async def test_what_could_not_be_sent_is_sent_the_next_time(redis):
    rig = Rig(redis, OLD)
    rig.post.faults = [TransientError("Discord is away.")]
    assert await rig.look(shot(flow_bn=0.1)) == []
    assert len(await rig.look()) == 1


async def test_who_cannot_be_reached_is_not_tried_again(redis):
    rig = Rig(redis, OLD)
    rig.post.faults = [UnreachableError("closed")]
    await rig.look(shot(flow_bn=0.1))
    assert rig.notice._waiting() == []
    assert rig.post.texts == []


async def test_one_whose_process_died_while_telling_is_told_after_the_lease(redis):
    rig = Rig(redis, OLD)
    await redis.set(f"{keys.ALERTS_TOLD}:1", "1", px=50)
    assert await rig.look(shot(flow_bn=0.1)) == []
    await redis.delete(f"{keys.ALERTS_TOLD}:1")
    assert len(await rig.look()) == 1


async def test_the_job_ends_when_everybody_knows(redis):
    rig = Rig(redis, OLD)
    await rig.look(shot(flow_bn=0.1))
    await rig.notice.run(lambda: None)
    assert rig.post.calls == 1


def test_five_of_the_longest_fit_a_message():
    long = {"ticker": "ABCDEFGHIJKL", "cooldown_min": 1440, "scope": None, "window": Window.CURRENT, "number": 99_999}
    text = measures_text(
        rule(AlertKind.MAX_CHANGE, value=999.75, **long),
        shot(change_bn=-9999.9, flow_bn=-9999.9, ticker="ABCDEFGHIJKL"),
    )
    assert 5 * (len(text) + 1) < 2000 - 260
