from typing import Any

from tests.fuzz.storm_verdict import Protocol, Seen, figure_of, reasons

LIVE = "```\nGEX: SPX  5,018.75  Δ +0.25\nsource · live```"
STAMP = "2026-08-20T13:40:00.000Z"
BUG = f"{STAMP} ERROR   bot.feed.feed_job: The board failed. ⏎ Traceback (most recent call last): ⏎ KeyError: 'x'"


def calm(**changes: Any) -> Protocol:
    edits = [Seen(65.0 + second, "gex-0", "edit", 1, LIVE) for second in range(10)]
    fields: dict[str, Any] = {
        "ended_s": 75.0,
        "changes": edits,
        "standing": {"gex-0": [LIVE]},
        "published_s": {5018.75: 74.0, 5010.0: 40.0},
        "logs": {"bot-0": [f"{STAMP} WARNING bot.feed.board: Board SPX: Discord answered 503."]},
    }
    return Protocol(**(fields | changes))


def test_a_channel_with_one_message_that_is_current_and_edited_is_clean() -> None:
    assert reasons(calm()) == []


def test_a_closed_message_of_another_session_does_not_count() -> None:
    assert reasons(calm(standing={"gex-0": ["GEX: SPX  1.00\nsource · closed 16:00", LIVE]})) == []


def test_a_second_message_and_no_message_are_named() -> None:
    assert reasons(calm(standing={"gex-0": [LIVE, LIVE]})) == ["gex-0 has 2 messages"]
    assert reasons(calm(standing={"gex-0": []})) == ["gex-0 has 0 messages"]


def test_a_frozen_message_and_an_old_figure_are_named() -> None:
    assert reasons(calm(changes=[])) == ["gex-0 changed 0 times in the last 10 s"]
    old = LIVE.replace("5,018.75", "5,010.00")
    assert reasons(calm(standing={"gex-0": [old]})) == ["gex-0 shows a figure 35 s old"]


def test_a_logged_bug_an_ended_job_and_a_process_that_left_are_named() -> None:
    ended = [f"{STAMP} INFO    bot.supervisor: job {name} ended" for name in ("command-sync", "gex-feed")]
    given_up = f"{STAMP} ERROR   bot.supervisor: job alerts stopped until somebody acts: 403."
    said = reasons(calm(logs={"bot-0": [BUG, BUG, *ended, given_up]}, incidents=["bot 0 ended by itself"]))
    assert said == [
        "bot 0 ended by itself",
        "2 × traceback in bot.feed.feed_job: KeyError",
        "1 × job gex-feed ended",
        "1 × ERROR of bot.supervisor: job alerts stopped until somebody acts: N.",
    ]


def test_a_figure_is_read_from_the_first_line_whatever_its_size() -> None:
    assert figure_of(LIVE) == 5018.75
    assert figure_of("waiting for data") is None
