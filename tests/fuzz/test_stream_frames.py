"""The short run of the fuzzer; the long one is `python -m tests.fuzz.stream_frames`."""

from tests.fuzz.stream_frames import fuzz, serve


def test_mutated_frames_raise_nothing_but_the_contract_error():
    outcome = fuzz(15_000, seed=20261122)
    assert outcome.frames == 15_000
    assert outcome.refused > 1000
    assert {"TickEvent", "Level2Event", "OptionQuote", "Candle", "Tolerated", "Oddity", "ServerHeartbeat"} <= set(
        outcome.events
    )


async def test_mutated_frames_end_no_connection_but_by_its_known_ends_and_fail_no_consumer():
    counters, connections = await serve(6_000, seed=20261130)
    assert counters.sink_errors == 0
    assert counters.events > 1000
    assert counters.bad_frames > 500 and counters.tolerant_frames > 500
    assert connections < 200
