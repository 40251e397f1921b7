"""What Discord's refusals mean for an alert."""

from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.alerts.post import DiscordPost, UnreachableError, translate
from bot.alerts.rules import Target
from streaming.errors import OperatorError, RequestError, TransientError

CHANNEL, PERSON = Target(channel_id=5), Target(user_id=7)


def refusal(status, code=0, *, kind=discord.HTTPException, **headers):
    response = SimpleNamespace(status=status, reason="", headers=headers)
    return kind(response, {"code": code, "message": "words"})


@pytest.mark.parametrize(
    ("error", "target", "reason"),
    [
        (refusal(403, 50007, kind=discord.Forbidden), PERSON, "your direct messages are closed to me"),
        (refusal(403, 50278, kind=discord.Forbidden), PERSON, "your direct messages are closed to me"),
        (refusal(404, 10013, kind=discord.NotFound), PERSON, "your direct messages are closed to me"),
        (refusal(403, 50013, kind=discord.Forbidden), CHANNEL, "I may not write in the channel"),
        (refusal(403, 50001, kind=discord.Forbidden), CHANNEL, "I may not write in the channel"),
        (refusal(404, 10003, kind=discord.NotFound), CHANNEL, "the channel is gone"),
        (refusal(400, 50083), CHANNEL, "the thread is archived"),
    ],
)
def test_what_a_person_must_change_is_a_reason_in_words(error, target, reason):
    found = translate(error, target)
    assert isinstance(found, UnreachableError)
    assert str(found) == reason


@pytest.mark.parametrize(
    "error",
    [
        refusal(429, **{"Retry-After": "1.5"}),
        refusal(503),
        refusal(400, 40003),
        discord.RateLimited(1.5),
        aiohttp.ClientConnectionError(),
        TimeoutError(),
        OSError(),
    ],
)
def test_what_passes_is_tried_again(error):
    assert isinstance(translate(error, CHANNEL), TransientError)


def test_discords_own_wish_is_kept():
    assert translate(refusal(429, **{"Retry-After": "1.5"}), CHANNEL).retry_after_s == 1.5
    assert translate(refusal(503, **{"Retry-After": "soon"}), CHANNEL).retry_after_s is None


def test_a_refused_token_and_a_refused_message_are_told_apart():
    assert isinstance(translate(refusal(401), CHANNEL), OperatorError)
    found = translate(refusal(400, 50035), CHANNEL)
    assert isinstance(found, RequestError)
    assert not isinstance(found, UnreachableError)


async def test_a_bot_that_signs_off_sends_nothing():
    with pytest.raises(TransientError, match="signing off"):
        await DiscordPost(SimpleNamespace(is_closed=lambda: True)).send(PERSON, "x", nonce="n")
