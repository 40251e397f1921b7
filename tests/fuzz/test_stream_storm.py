"""A sample of the storm over the stream; the whole one is run by hand (specs/performance.md)."""

from tests.fuzz.stream_storm import play


async def test_two_killed_processes_and_six_cuts_lose_and_double_nothing_and_every_gap_is_told(tmp_path):
    storm = await play(2, 3, 5, tmp_path)
    assert storm.wrong == []
    assert storm.cuts == 6
    assert storm.events > 50
    assert len(storm.gaps_s) == 7
