"""When refused answers mean that another copy of the bot runs."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.sandbox.rest.faults import refused
from bot.wire.second_copy import SecondCopyWatch
from tests.support.clock import ManualClock
from tests.support.discord_wire import live_bot
from tests.support.host import Host, make_settings
from tests.support.wire import until, visit


class Rig:
    def __init__(self):
        self.clock = ManualClock()
        self.told = []
        self.watch = SecondCopyWatch(self.clock, self.told.append)

    def refuse(self, code=40060, *, after_s=0.3, on_its_way_s=0.1, skew_s=0.0):
        created_at = self.clock.now() - timedelta(seconds=on_its_way_s + skew_s)
        interaction = SimpleNamespace(created_at=created_at, extras={})
        self.watch.received(interaction)
        self.clock.advance(after_s)
        self.watch.refused(interaction, code)
        self.watch.refused(interaction, code)  # the notice about it is refused as well


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize("codes", [(40060, 40060, 40060), (10062, 40060, 10062)])
def test_three_quick_answers_that_are_refused_within_ten_minutes_are_told_once(rig, codes):
    for code in codes[:2]:
        rig.refuse(code)
        rig.clock.advance(200)
    assert rig.told == []
    for _ in range(5):
        rig.refuse(codes[2])
    assert len(rig.told) == 1
    assert "Another copy" in rig.told[0]


def test_three_that_are_far_apart_mean_nothing(rig):
    for _ in range(6):
        rig.refuse()
        rig.clock.advance(301)
    assert rig.told == []


def test_answers_that_were_late_mean_nothing(rig):
    for _ in range(6):
        rig.refuse(10062, after_s=2.1)
    assert rig.told == []


def test_questions_that_a_resumed_connection_brought_late_mean_nothing(rig):
    rig.refuse(0, on_its_way_s=0.1)
    for _ in range(6):
        rig.refuse(10062, on_its_way_s=8.0)
    assert rig.told == []


def test_a_clock_that_differs_from_discords_hides_nothing(rig):
    for _ in range(3):
        rig.refuse(40060, skew_s=30.0)
    assert len(rig.told) == 1


def test_other_refusals_mean_nothing(rig):
    for code in (50027, 50013, None, 50035):
        for _ in range(3):
            rig.refuse(code)
    assert rig.told == []


def test_after_a_quiet_hour_it_is_told_again(rig):
    for _ in range(4):
        rig.refuse()
    rig.clock.advance(3700)
    for _ in range(3):
        rig.refuse()
    assert len(rig.told) == 2


@pytest.mark.parametrize("code", [40060, 10062])
async def test_answers_that_another_copy_gave_are_quiet_in_the_log_and_told_to_the_operators(code, caplog):
    host = Host(make_settings(discord_operator_ids=()))  # whoever owns the application is the operator
    async with live_bot(host) as (sandbox, bot, _), visit(sandbox, "owner") as owner:
        told = []
        bot.copies._tell = told.append
        await until(lambda: bool(sandbox.commands.all(None)))
        sandbox.fail(refused(code), on="callback")
        for _ in range(3):
            assert (await owner.run("stream", {"name": "status", "type": 1}))[0] == 202
        await until(lambda: len(told) == 1)
    assert not [
        record
        for record in caplog.records
        if record.levelname in {"ERROR", "WARNING"} and "/stream" in record.getMessage()
    ]
