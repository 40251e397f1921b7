"""What reading met, in words."""

import pytest

from streaming.chains.quality_words import dividend_words, is_interest_partial, quality_words
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


def test_the_eve_of_an_ex_dividend_day_is_told_by_its_date_else_by_the_forward():
    friday_noon_ms = 1_686_326_400_000  # 2023-06-09, 12:00 in New York
    counted = "deep calls exercised tonight are still counted, and net GEX may be several times too large"
    assert dividend_words(None, None, friday_noon_ms) == dividend_words("2023-06-13", None, friday_noon_ms) == ""
    assert dividend_words("2023-06-12", None, friday_noon_ms) == (
        f"2023-06-12, the next session, is the ex-dividend day: {counted}"
    )
    assert "ex-dividend day, and forwards fall by 0.31%: deep" in dividend_words("2023-06-12", 0.0031, friday_noon_ms)
    assert dividend_words(None, 0.0031, friday_noon_ms) == (
        f"the next session's forward is 0.31% lower, as on the eve of an ex-dividend day: {counted}"
    )


@pytest.mark.parametrize(
    ("quality", "partial"),
    [
        (None, False), (ChainQuality(), False), (ChainQuality(calls_without_interest=0.04), False),
        (ChainQuality(puts_without_interest=0.05), True),
    ],
)  # fmt: skip
def test_levels_are_marked_from_a_twentieth_of_a_side_on(quality: ChainQuality | None, partial: bool):
    assert is_interest_partial(quality) is partial
