"""One short storm; the long ones are `python -m tests.fuzz.feed_storm SEED [N]`."""

from pathlib import Path

from tests.fuzz.feed_storm import storm_once
from tests.fuzz.storm_schedule import make_schedule

SEED = 7771
"""Two bots, one killed twice and paused; false and failing answers to every deed; Redis and gateway that go away."""


def test_after_a_storm_every_channel_has_one_current_message_and_nothing_has_broken(tmp_path: Path) -> None:
    verdict = storm_once(make_schedule(SEED, trouble_s=15.0, calm_s=22.0), tmp_path / "storm")
    assert verdict.reasons == (), verdict.line
