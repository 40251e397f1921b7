"""What discord.py's errors mean wherever they come from."""

from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.wire.verdicts import VERDICTS, described, is_busy, json_code, passing, unanswered, verdict_of
from streaming.errors import TransientError
from tests.support.discord_answers import PAGE, json_answer, page_answer, refused_token


@pytest.mark.parametrize("error", [aiohttp.ClientConnectionError(), TimeoutError(), OSError(), discord.RateLimited(2)])
def test_what_is_no_answer_passes(error):
    assert isinstance(unanswered(error), TransientError)


def test_a_wait_that_the_library_would_not_take_is_kept():
    assert unanswered(discord.RateLimited(2.5)).retry_after_s == 2.5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 502, 520])
def test_a_page_has_no_code_and_is_no_verdict_whatever_its_status(status):
    error = page_answer(status)
    assert json_code(error) is None
    assert verdict_of(error) is None
    assert isinstance(passing(error), TransientError)


@pytest.mark.parametrize(
    "body",
    [
        "",
        None,
        {},
        {"error": "forbidden"},
        {"message": "Forbidden"},
        {"message": "", "code": 50013},
        {"message": "no", "code": "50013"},
        {"message": "no", "code": True},
        {"message": {"code": 50013}, "code": 50013},
        {"message": "Unauthorized"},
    ],
)
def test_a_body_that_is_not_discords_is_no_verdict(body):
    response = SimpleNamespace(status=403, reason="", headers={"Content-Type": "application/json"})
    assert json_code(discord.HTTPException(response, body)) is None


def test_discords_own_refusal_of_the_token_is_one_and_the_same_words_as_plain_text_are_not():
    assert json_code(refused_token()) == 0
    assert verdict_of(refused_token()).concerns == "token"
    assert "DISCORD_BOT_TOKEN" in verdict_of(refused_token()).error("").sentence
    assert verdict_of(page_answer(401, "401: Unauthorized", "text/plain")) is None
    assert json_code(json_answer(404, 0, "404: Not Found")) == 0
    assert verdict_of(json_answer(404, 0, "404: Not Found")) is None
    assert json_code(json_answer(599, 0, "599: what")) is None


@pytest.mark.parametrize("code", [40333, 40003, 20028, 999999, 403])
def test_discords_inner_trouble_and_codes_nobody_knows_pass(code):
    assert verdict_of(json_answer(403, code)) is None


@pytest.mark.parametrize(
    ("code", "concerns", "remedy"),
    [
        (50001, "channel", "View Channel"),
        (50013, "channel", "Send Messages"),
        (10003, "channel", "DISCORD_GEX_FEED_CHANNEL_IDS"),
        (50008, "channel", "text channel"),
        (160005, "channel", "Manage Threads"),
        (200000, "channel", "AutoMod"),
        (240000, "channel", "link"),
        (20022, "channel", "ordinary text channel"),
        (50007, "reader", "open"),
        (50278, "reader", "join"),
        (10008, "message", "new one"),
        (50005, "message", "new one"),
        (30046, "message", "new one"),
        (50083, "message", "un-archives"),
        (50035, "form", "log"),
        (40005, "form", "log"),
        (10062, "interaction", "again"),
        (40060, "interaction", "again"),
        (50027, "interaction", "again"),
        (30034, "commands", "will try again"),
    ],
)
def test_every_known_code_is_a_verdict_with_its_own_remedy(code, concerns, remedy):
    verdict = verdict_of(json_answer(400, code))
    assert verdict.concerns == concerns
    assert remedy in verdict.error("channel 42").sentence


def test_each_verdict_names_the_place_and_those_of_places_and_people_have_a_reason_for_readers():
    for verdict in VERDICTS.values():
        assert "{" not in verdict.error("channel 42").sentence
        assert bool(verdict.reason) == (verdict.concerns in {"channel", "reader"})
        assert verdict.concerns not in {"channel", "reader"} or "channel 42" in verdict.words("channel 42").lower()


def test_a_code_in_a_429_is_still_one():
    assert verdict_of(json_answer(429, 30046)).concerns == "message"


@pytest.mark.parametrize(("status", "busy"), [(429, True), (500, True), (503, True), (403, False)])
def test_a_busy_or_broken_discord_is_told_apart(status, busy):
    assert is_busy(json_answer(status, 50013)) is busy


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("1.5", 1.5), ("soon", None), ("nan", None), ("inf", None), ("-3", None), ("999999999", 3600.0)],
)
def test_discords_own_wish_is_kept_where_it_can_be_one(header, wait_s):
    assert passing(page_answer(429, headers={"Retry-After": header})).retry_after_s == wait_s


def test_no_foreign_text_reaches_a_person_or_a_log():
    for error in (page_answer(403), page_answer(403, PAGE, "application/json"), json_answer(403, 40333, PAGE)):
        assert "<" not in passing(error).sentence + described(error)
    assert described(page_answer(403)) == f"answered 403 without a code of its own (text/html, {len(PAGE)} characters)"
