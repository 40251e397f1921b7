"""The short run of the fuzzer; the long one is `python -m tests.fuzz.stream_frames`."""

from tests.fuzz.stream_frames import fuzz


def test_mutated_frames_raise_nothing_but_the_contract_error():
    outcome = fuzz(15_000, seed=20261122)
    assert outcome.frames == 15_000
    assert outcome.refused > 1000
    assert {"TickEvent", "Level2Event", "OptionQuote", "Candle", "Tolerated", "Oddity", "Heartbeat"} <= set(
        outcome.events
    )
