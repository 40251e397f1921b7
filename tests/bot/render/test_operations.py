"""Sources as operators read them."""

from datetime import timedelta

from bot.render.operations import (
    NO_STREAM,
    history_text,
    join_texts,
    recorder_text,
    sources_text,
    stream_text,
    symbols_text,
    token_text,
)
from streaming.status import HistoryStatus, RecorderStatus, SourceStatus, StreamStatus, SymbolList, TokenStatus
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT

NOW = ManualClock().now()


def token(**values):
    return TokenStatus(**({"configured": True, "present": True} | values))


def test_a_busy_stream_in_full():
    status = StreamStatus(
        state="live",
        since_at=NOW - timedelta(minutes=12),
        symbols={"SPY": 0.4, "/MNQ": None},
        frames_per_s=12.345,
        reconnects=1,
        last_close="1006 no close frame",
        buffered=3,
        published=12345,
        dropped=2,
        chain_age_s={"SPX": 3.0},
        expiry_age_s={"SPX": {"2026-08-20": 3.0, "2026-08-21": 9.0, "2026-11-20": 75.0}, "NDX": {"2026-08-20": None}},
        last_error="Schwab answered 503.",
        lease_holder="host-1",
        started_at=NOW - timedelta(hours=3),
        last_login_at=NOW - timedelta(minutes=13),
        service_frames_per_s={"NYSE_BOOK": 1.0, "LEVELONE_EQUITIES": 1.04},
        contracts={"/MNQ": "/MNQZ26"},
        missing=("SPYY",),
        chain_refusals={"SPX 2026-08-20": "It lists only calls.", "NDX": "No list."},
        chain_remarks={"SPX 2026-08-21": "3 rows unreadable"},
        delayed=("/MNQ",),
        unavailable={"CHART_FUTURES": "down"},
        left_out={"LEVELONE_EQUITIES": ("ZZ.Z", "Y"), "NYSE_BOOK": ("SPY",)},
        odd_frames=3,
        needs_login="The weekly Schwab login is over.",
        login_ends_at=NOW + timedelta(days=3, hours=1),
        requests_used=12,
        requests_per_minute=100,
    )
    assert stream_text(status, NOW).splitlines() == [
        "**Stream: live** for 12m · up 3h · logged in 13m ago",
        "12.3 frames/s (LEVELONE_EQUITIES 1.0, NYSE_BOOK 1.0) · 3 odd frames",
        "1 reconnect · lease: host-1",
        "12345 events published, 3 waiting, 2 lost",
        "Last tick: SPY 0s, /MNQ —",
        "Option chains: SPX 3s nearest, 1m oldest of 3 (2026-11-20); NDX 0 of 1 expiries loaded",
        "Schwab login: 3d 1h left · REST 12 of 100 requests in the last minute",
        "Needs a login: The weekly Schwab login is over.",
        "Refused by Schwab and left out: ZZ.Z, Y; SPY of NYSE_BOOK",
        "Silent during its session: SPYY",
        "Chains rejected, earlier ones kept: SPX 2026-08-20: It lists only calls; NDX: No list",
        "Odd in chains: SPX 2026-08-21: 3 rows unreadable",
        "Delayed by Schwab: /MNQ",
        "Not available from Schwab now: CHART_FUTURES",
        "Futures (depth: top of book): /MNQ is /MNQZ26",
        "Last close: 1006 no close frame",
        "Last error: Schwab answered 503.",
    ]


def test_gaps_stand_beside_the_reconnects_the_last_and_all_together():
    once = stream_text(StreamStatus(state="live", reconnects=1, gaps=1, gap_s=7.2, last_gap_s=7.2), NOW)
    assert "1 reconnect · last gap 7s · lease" in once
    often = stream_text(StreamStatus(state="live", reconnects=9, gaps=3, gap_s=150.0, last_gap_s=7.2), NOW)
    assert "9 reconnects · last gap 7s, 2m in all 3 · lease" in often


def test_thousands_of_symbols_are_counted_and_a_few_of_them_named():
    names = tuple(f"S{n}" for n in range(5_000))
    status = StreamStatus(
        state="live",
        symbols=dict.fromkeys(names[:3_000], 1.0),
        quiet=names[:200],
        left_out={"LEVELONE_EQUITIES": names[3_000:], "LEVELONE_OPTIONS": names[:13]},
    )
    lines = stream_text(status, NOW).splitlines()
    assert lines[4].startswith("Last tick of 3,000 symbols: S0 1s, S1 1s, ")
    assert lines[4].endswith(" and 2980 more")
    (left_out,) = (line for line in lines if line.startswith("Refused"))
    assert left_out.startswith("Refused by Schwab and left out: S3000, S3001, ")
    assert left_out.endswith("S3003, S3004 and 1,995 more; S0, S1, S2, S3, S4 and 8 more")
    assert "S11 and 188 more" in stream_text(status, NOW)
    listing = symbols_text(SymbolList(configured=names, added=(), needed=(), removed=()), status)
    assert listing.splitlines()[0].endswith("S99 and 4900 more")
    assert "S3004 and 1,995 more" in listing


def test_of_thousands_of_options_in_every_service_each_count_and_each_list_stays_within_one_message():
    options = tuple(f"SPXW  261130C{n:08d}" for n in range(5_000))
    shares = tuple(f"Q{n:04d}" for n in range(5_000))
    services = ("LEVELONE_EQUITIES", "LEVELONE_FUTURES", "NYSE_BOOK", "NASDAQ_BOOK", "CHART_EQUITY")
    left_out = dict.fromkeys(services, shares) | dict.fromkeys(("LEVELONE_OPTIONS", "OPTIONS_BOOK"), options)
    left_out["CHART_FUTURES"] = shares
    status = StreamStatus(
        state="live",
        symbols=dict.fromkeys(options, 86_400.0),
        missing=options,
        quiet=options,
        delayed=options,
        left_out=left_out,
    )
    text = stream_text(status, NOW)
    (line,) = (line for line in text.splitlines() if line.startswith("Refused"))
    assert line.count(" and 4,999 more") == len(left_out)
    assert line.endswith("of CHART_FUTURES")
    assert text.count(" and 4,988 more") == 3
    assert len(text) <= 2_000
    listing = symbols_text(SymbolList(options, options, options, options), status)
    assert [line.partition(":")[0] for line in listing.splitlines()] == [
        "From SCHWAB_SYMBOLS",
        "Added",
        "Needed by the live messages",
        "Removed from SCHWAB_SYMBOLS",
        "Refused by Schwab and left out",
        "Silent during its session",
    ]
    assert all(line.endswith(("more", "of CHART_FUTURES")) for line in listing.splitlines())
    assert len(listing) <= 2_000


def test_a_stopped_stream_claims_nothing():
    lines = stream_text(StreamStatus(state="stopped"), NOW).splitlines()
    assert lines[0] == "**Stream: stopped**"
    assert "Last tick: none" in lines
    assert "Schwab login: of unknown age" in lines[6]
    assert len(lines) == 7


def test_a_waiting_stream_says_when_it_tries_again():
    status = StreamStatus(state="taken_over", retry_in_s=1750.0)
    assert stream_text(status, NOW).startswith("**Stream: taken over by another program** · next try in 29m")


def test_the_list_of_symbols_says_by_whose_wish_each_is_there():
    symbols = SymbolList(configured=("SPY",), added=("AAPL", "/ES"), removed=("QQQ",), needed=("$SPX",))
    assert symbols_text(symbols, StreamStatus(state="live", missing=("AAPL",))).splitlines() == [
        "From SCHWAB_SYMBOLS: SPY",
        "Added: AAPL, /ES",
        "Needed by the live messages: $SPX",
        "Removed from SCHWAB_SYMBOLS: QQQ",
        "Silent during its session: AAPL",
    ]
    assert symbols_text(SymbolList(), StreamStatus(state="stopped")) == "Nothing is streamed."


def test_hundreds_of_symbols_still_fit_a_message():
    status = StreamStatus(
        state="live", symbols={f"/SYMBOL{number}": 1.0 for number in range(500)}, last_error="x" * 3000
    )
    text = stream_text(status, NOW)
    assert "and 480 more" in text
    assert len(text) <= 2000


def test_a_login_says_until_when_it_lasts_and_when_to_hurry():
    assert "good** for 3d 1h," in token_text(token(login_ends_at=NOW + timedelta(days=3, hours=1)), NOW)
    assert "good** for 3d 0h," in token_text(token(login_ends_at=NOW + timedelta(days=3, minutes=5)), NOW)
    assert "good** for 23h," in token_text(token(login_ends_at=NOW + timedelta(hours=23, minutes=5)), NOW)
    assert "Log in again soon" not in token_text(token(login_ends_at=NOW + timedelta(days=3)), NOW)
    assert "Log in again soon" in token_text(token(login_ends_at=NOW + timedelta(hours=23)), NOW)


def test_each_way_a_login_can_be_missing_has_its_remedy():
    assert "SCHWAB_CLIENT_ID" in token_text(token(configured=False), NOW)
    assert "token login" in token_text(token(present=False), NOW)
    assert "over" in token_text(token(login_ends_at=NOW), NOW)
    assert "age is unknown" in token_text(token(), NOW)


def test_an_access_token_is_described_not_shown():
    text = token_text(
        token(access_expires_at=NOW + timedelta(minutes=25), last_refresh_at=NOW - timedelta(minutes=5)), NOW
    )
    assert "Access token: valid for 25m" in text
    assert "Last refresh: 5m ago" in text
    assert "expired; the next request renews it" in token_text(token(access_expires_at=NOW), NOW)


def test_the_last_error_is_shown():
    assert "Last error: refused." in token_text(token(last_error="refused."), NOW)


def test_what_schwab_refuses_again_and_again_is_counted():
    text = token_text(token(refusals=3, odd_grants=2), NOW)
    assert "Refused by Schwab: 3 times in a row" in text
    assert "impossible lifetime: 2" in text
    assert "Refused" not in token_text(token(), NOW)


def test_what_schwab_does_not_give_has_a_line_of_its_own():
    refused = {"the stream's address": "the app has no Accounts and Trading Production"}
    text = stream_text(StreamStatus(state="refused", refused=refused), NOW)
    assert "Schwab gives no the stream's address" not in text
    assert "Refused by Schwab, the stream's address: the app has no Accounts and Trading Production" in text


def test_without_a_schwab_app_there_is_nothing_to_count():
    for state in ("stopped", "idle"):
        assert stream_text(StreamStatus(state=state, login_configured=False), NOW) == NO_STREAM
    lines = stream_text(StreamStatus(state="live", login_configured=False), NOW).splitlines()
    assert lines[6] == "Schwab login: not configured · REST —"


RUNNING = RecorderStatus(
    state="recording",
    path=".recordings",
    with_ticks=True,
    snapshots=1200,
    ticks=34567,
    gaps=1,
    lost=8,
    written_bytes=12_345_678,
    total_bytes=987_000_000,
    last_write_at=OPEN_AT - timedelta(seconds=2),
)


def test_nothing_is_said_where_nothing_is_recorded():
    assert recorder_text(None, OPEN_AT) == ""


def test_a_running_recorder_says_what_it_wrote_and_what_it_missed():
    assert recorder_text(RUNNING, OPEN_AT) == (
        "**Recorder: recording** · .recordings\n"
        "1200 snapshots, 34567 ticks, 1 gap (8 entries known to be lost)"
        " · 12.3 MB written, 987.0 MB kept · last write 2s ago"
    )


def test_a_recorder_that_stopped_says_why():
    text = recorder_text(RecorderStatus(state="failed", path="x", last_error="Recording stopped: disk full."), OPEN_AT)
    assert text.startswith("**Recorder: failed** · x\n0 snapshots, 0 gaps")
    assert "last write never" in text
    assert text.endswith("Last error: Recording stopped: disk full.")


def test_the_history_says_what_waits_in_its_journal_what_is_kept_and_what_is_wrong():
    assert history_text(None, OPEN_AT) == ""
    status = HistoryStatus(
        state="keeping", path=".history", snapshots=412, gaps=1, lost=8, journal_days=1, journal_bytes=2_100_000,
        last_write_at=OPEN_AT - timedelta(seconds=3), days=41, last_day="2026-08-19",
    )  # fmt: skip
    assert history_text(status, OPEN_AT) == (
        "**History: keeping** · .history\n412 snapshots, 1 gap (8 known to be lost)"
        " · journal of 1 day, 2.1 MB, last write 3s ago · 41 days kept, the last 2026-08-19"
    )
    trouble = HistoryStatus(last_error="2026-08-19 is not closed: No.")
    assert history_text(trouble, OPEN_AT).endswith("the last unknown\nLast error: 2026-08-19 is not closed: No.")


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
