"""Sources as operators read them."""

from datetime import UTC, datetime, timedelta

from bot.render.source_lines import join_texts, sources_text
from streaming.status import SourceStatus

NOW = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)


def test_a_source_says_its_state_its_tickers_what_came_and_how_old_the_quotes_are():
    status = SourceStatus(
        name="cboe",
        tickers=("SPX", "SPY"),
        state="live",
        last_snapshot_at=NOW - timedelta(seconds=12),
        quote_at=NOW - timedelta(minutes=15),
        snapshots=7,
        rejected=1,
        errors=2,
    )
    assert sources_text([status], NOW).splitlines() == [
        "**Source cboe: live** · SPX, SPY",
        "7 snapshots, 1 rejected, 2 errors · last 12s ago · quotes 15m old",
    ]


def test_a_source_that_needs_a_person_says_so_with_the_reason():
    status = SourceStatus(
        name="gexbot", tickers=("SPX",), state="needs_action", errors=1, last_error="Correct the key."
    )
    assert sources_text([status], NOW).splitlines() == [
        "**Source gexbot: needs you** · SPX",
        "0 snapshots, 0 rejected, 1 errors",
        "Last error: Correct the key.",
    ]


def test_without_sources_nothing_is_said():
    assert sources_text([], NOW) == ""
    assert join_texts("a", "") == "a"


def test_both_texts_fit_one_message_and_the_sources_are_not_what_is_cut():
    whole = join_texts("x" * 3000, "the sources")
    assert len(whole) == 2000
    assert whole.endswith("\nthe sources")
