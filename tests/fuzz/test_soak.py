"""What a soak makes of what it saw; an hour of it is `python -m tests.fuzz.soak`."""

import os
from dataclasses import replace

from tests.fuzz.soak import Span, cpu_s, growth_mb, memory_mb, verdict, whole

QUIET = Span(60.0, {"gex-0": 60, "gex-1": 59}, (0.1,) * 118 + (1.1,), 0, 0, 90.0, 6.0)


def test_a_soak_that_keeps_its_pace_and_its_memory_is_as_it_must_be() -> None:
    assert verdict([QUIET] * 60) == []
    assert whole([QUIET] * 2).line.split()[:6] == ["1.98", "0.98", "1.00", "0.10", "0.10", "1.10"]


def test_everything_that_is_not_as_it_must_be_is_a_sentence() -> None:
    bad = replace(QUIET, changes={"gex-0": 60, "gex-1": 0}, lags_s=(1.5,), refused=1, duplicates=1, memory_mb=95.1)
    bad = replace(bad, answers_s=(0.1, 0.6))
    assert verdict([bad]) == [
        "the slowest channel had 0.00 edits/s",
        "figures came 1.50 s late",
        "1 answers 429",
        "a command took 0.60 s",
        "1 channels had a second message for more than 3 s",
    ]
    assert verdict([QUIET] * 11 + [replace(QUIET, memory_mb=95.1)] * 49) == ["the bot grew by 5.1 MB"]


def test_memory_counts_from_the_tenth_minute_on() -> None:
    grows = [replace(QUIET, memory_mb=80.0 + min(minute, 9)) for minute in range(60)]
    assert growth_mb(grows) == 0.0
    assert growth_mb(grows[:6]) == 5.0


def test_the_use_of_a_process_is_read_from_the_system() -> None:
    assert 10 < memory_mb(os.getpid()) < 10_000
    assert cpu_s(os.getpid()) > 0.0
