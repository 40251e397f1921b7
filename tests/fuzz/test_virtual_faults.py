"""The fault matrix: each fault alone, over two boards that stand, in virtual time."""

from typing import Any

import pytest

from tests.fuzz.virtual_storm import BEGINS_S, MOST_AT_ONCE, RULES, Deed, play

_FAULTS = [
    ("fault", {"kind": "fails", "for_s": 5.0}),
    ("fault", {"kind": "fails", "method": "POST", "for_s": 5.0}),
    ("fault", {"kind": "limited", "for_s": 5.0}),
    ("fault", {"kind": "limited", "method": "POST", "for_s": 5.0}),
    ("fault", {"kind": "fails", "method": "DELETE", "for_s": 20.0}),
    ("fault", {"kind": "hangs", "method": "PATCH", "for_s": 1.0}),
    ("fault", {"kind": "lost", "method": "POST", "for_s": 5.0}),
    ("fault", {"kind": "slow", "for_s": 8.0, "after_s": 2.0}),
    ("fault", {"kind": "forbidden", "method": "PATCH", "channel_id": 1, "for_s": 5.0}),
    ("fault", {"kind": "unknown", "method": "PATCH", "count": 1, "channel_id": 1, "for_s": 8.0}),
    ("fault", {"kind": "worn", "method": "PATCH", "count": 1, "channel_id": 1, "for_s": 8.0}),
    ("moderate", {"channel_id": 2}),
    ("store", {"state": "refuses", "for_s": 8.0}),
    ("store", {"state": "hangs", "for_s": 8.0}),
    ("lose_answers", {"for_s": 5.0}),
    ("silence", {"for_s": 8.0}),
    ("break_streams", {}),
    ("kill", {"place": "bot0", "for_s": 2.0}),
    ("terminate", {"place": "bot0", "for_s": 2.0}),
    ("pause", {"place": "bot0", "for_s": 8.0}),
]


@pytest.mark.parametrize(("kind", "options"), _FAULTS)
def test_each_fault_alone_leaves_one_current_message_a_channel(kind: str, options: dict[str, Any]) -> None:
    verdict = play([Deed(BEGINS_S + 2.0, kind, options)], seed=3, bots=2, ends_s=45.0)
    assert verdict.reasons == ()
    assert any(kind in line for line in verdict.trace)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("fault", {"kind": "fails", "method": "POST", "for_s": 6.0}),
        ("fault", {"kind": "hangs", "method": "POST", "for_s": 3.0}),
        ("fault", {"kind": "lost", "method": "POST", "for_s": 3.0}),
        ("fault", {"kind": "forbidden", "method": "POST", "channel_id": 1, "for_s": 3.0}),
        ("store", {"state": "refuses", "for_s": 6.0}),
        ("lose_answers", {"for_s": 4.0}),
        ("kill", {"place": "bot0", "for_s": 2.0}),
        ("pause", {"place": "bot0", "for_s": 15.0}),
    ],
)
def test_an_alert_that_is_due_amid_a_fault_is_told_once(kind: str, options: dict[str, Any]) -> None:
    """The price of the first is crossed after 17 s; one that could not be sent to its channel is given up."""
    deeds = [Deed(16.5, kind, options), Deed(24.0, "resume_alerts")]
    verdict = play(deeds, seed=3, bots=2, ends_s=48.0, rules=RULES[:1])
    assert verdict.reasons == ()


def ask(at_s: float, place: str, verb: str, **options: Any) -> Deed:
    return Deed(at_s, "ask", {"place": place, "verb": verb, **options})


@pytest.mark.parametrize("verb", ["feed pause", "feed resume", "feed repost", "feed remove", "feed set", "feed move"])
def test_an_order_given_while_discord_fails_is_carried_out(verb: str) -> None:
    options: dict[str, Any] = {"channel_id": 3} | {"feed set": {"style": "card"}, "feed move": {"to": 4}}.get(verb, {})
    fails = Deed(BEGINS_S + 3.9, "fault", {"kind": "fails", "for_s": 10.0})
    deeds = [ask(BEGINS_S, "bot1", "feed add", channel_id=3), fails, ask(BEGINS_S + 4.0, "bot0", verb, **options)]
    verdict = play(deeds, seed=3, bots=2, ends_s=45.0)
    assert verdict.reasons == ()
    assert any(f"/{verb}: done" in line for line in verdict.trace)


def test_a_pause_that_a_killed_leader_did_not_hear_of_is_told_on_the_message_by_the_next() -> None:
    killed = Deed(BEGINS_S + 6.1, "kill", {"place": "bot0", "for_s": 2.0})
    pause = ask(BEGINS_S + 6.0, "bot1", "feed pause", channel_id=3)
    verdict = play([ask(BEGINS_S, "bot1", "feed add", channel_id=3), pause, killed], seed=3, bots=2, ends_s=40.0)
    assert verdict.reasons == ()
    assert any("bot1-2 /feed pause: done" in line for line in verdict.trace)


def test_a_message_that_nobody_takes_away_is_seen_at_the_end() -> None:
    stays = Deed(BEGINS_S + 1.0, "fault", {"kind": "fails", "method": "DELETE", "for_s": 30.0})
    worn = Deed(BEGINS_S + 2.0, "fault", {"kind": "worn", "method": "PATCH", "count": 1, "channel_id": 1, "for_s": 8.0})
    verdict = play([stays, worn], seed=3, bots=1, ends_s=20.0)
    assert verdict.reasons == ("1 has 2 of 2 messages live at the end",)


def test_messages_that_nobody_takes_away_stay_few_also_when_every_new_one_is_worn_at_once() -> None:
    """Discord's 30046 on every edit, and no deletion: without an end they were a post a second."""
    stays = Deed(BEGINS_S + 1.0, "fault", {"kind": "fails", "method": "DELETE", "for_s": 30.0})
    worn = Deed(BEGINS_S + 2.0, "fault", {"kind": "worn", "method": "PATCH", "for_s": 25.0})
    verdict = play([stays, worn], seed=3, bots=2, ends_s=80.0)
    assert verdict.reasons == ()
    assert 3 < verdict.most_at_once <= MOST_AT_ONCE


def test_figures_have_three_seconds_from_the_last_of_two_broken_streams() -> None:
    """The second breaks just after prices come again, and the wait before the third is longer."""
    breaks = [Deed(at_s, "break_streams") for at_s in (BEGINS_S + 5.9, BEGINS_S + 6.98)]
    silence = Deed(BEGINS_S + 0.9, "silence", {"for_s": 5.1})
    assert play([silence, *breaks], seed=3, bots=1, ends_s=20.0, channels=(1,)).reasons == ()


def test_a_bot_whose_goodbyes_hang_ends_within_the_time_that_it_has() -> None:
    hangs = Deed(BEGINS_S + 1.9, "fault", {"kind": "hangs", "method": "PATCH", "for_s": 8.0})
    ends = Deed(BEGINS_S + 2.0, "terminate", {"place": "bot0", "for_s": 2.0})
    assert play([hangs, ends], seed=3, bots=1, ends_s=35.0).reasons == ()
