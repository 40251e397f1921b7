"""What reading met, in words."""

import pytest

from streaming.chains.quality_words import is_interest_partial, quality_words
from streaming.model import ChainQuality


def test_nothing_is_said_of_a_chain_that_came_whole():
    assert list(quality_words(ChainQuality())) == []


def test_every_count_has_its_words_and_the_gravest_come_first():
    everything = ChainQuality(
        unreadable=3, foreign=1200, doubled=5, cut_off=True, calls_without_interest=0.125, puts_without_interest=1.0,
        iv_in_percent=True, spot_implied=True,
    )  # fmt: skip
    words = list(quality_words(everything))
    assert [phrase.split(":")[0] for phrase in words] == [
        "cut off", "open interest was not sent for 12.5% of calls", "open interest was not sent for 100.0% of puts",
        "no spot was sent", "volatilities came in per cent and were divided by 100",
        "5 rows list a contract again; the last of each counts", "3 rows could not be read",
        "1,200 rows are adjusted contracts, minis or of others, and left out",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quality", "partial"),
    [
        (None, False), (ChainQuality(), False), (ChainQuality(calls_without_interest=0.04), False),
        (ChainQuality(puts_without_interest=0.05), True),
    ],
)  # fmt: skip
def test_levels_are_marked_from_a_twentieth_of_a_side_on(quality: ChainQuality | None, partial: bool):
    assert is_interest_partial(quality) is partial
