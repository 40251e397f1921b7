import pytest

from bot.sandbox.rest.faults import KINDS, Trouble
from tests.fuzz.storm_schedule import DEEDS, FAULTS, Schedule, make_schedule

PLACES = {"on", "channel", "count", "seconds"}


def test_a_seed_always_makes_the_same_storm_and_another_makes_another() -> None:
    assert make_schedule(7) == make_schedule(7)
    assert make_schedule(7).steps != make_schedule(8).steps


def test_a_storm_is_replayed_from_what_was_written_of_it() -> None:
    schedule = make_schedule(7)
    assert Schedule.from_json(schedule.to_json()) == schedule


def test_forty_storms_know_every_kind_of_trouble() -> None:
    schedules = [make_schedule(seed) for seed in range(40)]
    assert {step.deed for schedule in schedules for step in schedule.steps} == DEEDS.keys()
    assert {schedule.bots for schedule in schedules} == {1, 2}
    assert all(0 <= step.at_s < 40.0 for schedule in schedules for step in schedule.steps)


@pytest.mark.parametrize("seed", range(40))
def test_every_fault_is_one_that_the_local_discord_knows_and_none_refuses_the_token(seed: int) -> None:
    for step in make_schedule(seed).steps:
        if step.deed in FAULTS:
            trouble = Trouble(**{name: value for name, value in step.options.items() if name not in PLACES})
            assert step.options["on"] in {None, *KINDS}
            verdict = trouble.status == 401 and trouble.shape == "json"
            assert not verdict or step.options["on"] in {"post", "edit", "delete", "letter"}


@pytest.mark.parametrize("seed", range(40))
def test_no_channel_loses_its_message_so_often_that_its_board_must_wait_longer_than_the_storm(seed: int) -> None:
    schedule = make_schedule(seed)
    for channel in range(schedule.channels):
        gone = [
            step.options["count"]
            for step in schedule.steps
            if step.deed == "moderate" or (step.deed == "unknown_message" and step.options["on"] == "edit")
            if step.options["channel"] in {None, channel}
        ]
        assert sum(gone) <= 2
