"""What Discord's refusals mean for an alert."""

from types import SimpleNamespace
from unittest.mock import AsyncMock

import aiohttp
import discord
import pytest

from bot.alerts.post import AlertPost, UnreachableError, translate
from bot.alerts.rules import Target
from bot.servers.orders import Manner
from streaming.errors import OperatorError, RequestError, TransientError
from tests.support.discord_answers import json_answer, page_answer, refused_token

CHANNEL, PERSON = Target(channel_id=5), Target(user_id=7)


@pytest.mark.parametrize(
    ("code", "target", "reason"),
    [
        (50007, PERSON, "your direct messages are closed to me"),
        (50278, PERSON, "we no longer share a server"),
        (10013, PERSON, "Discord does not know you"),
        (50013, CHANNEL, "I may not write in the channel"),
        (50001, CHANNEL, "I cannot see the channel"),
        (10003, CHANNEL, "the channel is gone"),
        (50008, CHANNEL, "the channel accepts no messages"),
        (160005, CHANNEL, "the thread is locked"),
        (200000, CHANNEL, "AutoMod blocks my messages"),
    ],
)
def test_what_a_person_must_change_is_a_reason_in_words(code, target, reason):
    found = translate(json_answer(403, code), target)
    assert isinstance(found, UnreachableError)
    assert str(found) == reason


@pytest.mark.parametrize(
    "error",
    [
        json_answer(429, 0),
        json_answer(503, 50013),
        json_answer(403, 40003),
        json_answer(403, 40333),
        json_answer(403, 999),
        json_answer(403, 20022),
        json_answer(400, 50083),
        *(page_answer(status) for status in (400, 401, 403, 404, 429, 520)),
        discord.RateLimited(1.5),
        aiohttp.ClientConnectionError(),
        TimeoutError(),
        OSError(),
    ],
)
def test_what_passes_is_tried_again(error):
    assert isinstance(translate(error, PERSON), TransientError)


@pytest.mark.parametrize(("code", "target"), [(50013, PERSON), (50001, PERSON), (50007, CHANNEL), (10013, CHANNEL)])
def test_a_code_that_does_not_concern_this_target_is_no_verdict_about_it(code, target):
    assert isinstance(translate(json_answer(403, code), target), TransientError)


def test_discords_own_wish_is_kept():
    assert translate(json_answer(429, 0, **{"Retry-After": "1.5"}), CHANNEL).retry_after_s == 1.5


def test_a_refused_token_and_a_refused_message_are_told_apart():
    assert isinstance(translate(refused_token(), CHANNEL), OperatorError)
    found = translate(json_answer(400, 50035), CHANNEL)
    assert isinstance(found, RequestError)
    assert not isinstance(found, UnreachableError)


async def test_a_bot_that_signs_off_sends_nothing():
    with pytest.raises(TransientError, match="signing off"):
        await AlertPost(SimpleNamespace(is_closed=lambda: True)).send(PERSON, "x", nonce="n")


def posted_by(manner):
    """What Discord is asked for an alert."""
    place = AsyncMock()
    client = SimpleNamespace(is_closed=lambda: False, get_partial_messageable=lambda _id: place)
    return AlertPost(client, lambda _target: manner), place.send


async def test_an_alert_makes_no_sound_and_pings_nobody():
    post, send = posted_by(Manner(silent=True))
    await post.send(CHANNEL, "@everyone <@&4> <@7>", nonce="n")
    (text,), asked = send.call_args
    assert text == "@everyone <@&4> <@7>"
    assert asked["silent"]
    assert asked["allowed_mentions"].to_dict() == {"parse": []}


async def test_an_alert_pings_the_one_role_that_was_chosen_and_nobody_else():
    post, send = posted_by(Manner(silent=False, role_id=4))
    await post.send(CHANNEL, "@everyone " + "x" * 2000, nonce="n")
    (text,), asked = send.call_args
    assert text.startswith("<@&4> @everyone x")
    assert len(text) == 2000
    assert not asked["silent"]
    assert asked["allowed_mentions"].to_dict() == {"parse": [], "roles": [4]}
