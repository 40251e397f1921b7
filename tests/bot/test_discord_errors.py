"""What discord.py's errors mean wherever they come from."""

from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.discord_errors import unanswered, unrelated
from streaming.errors import OperatorError, TransientError


def answer(status, code=0, **headers):
    response = SimpleNamespace(status=status, reason="", headers=headers)
    return discord.HTTPException(response, {"code": code, "message": "words"})


@pytest.mark.parametrize("error", [aiohttp.ClientConnectionError(), TimeoutError(), OSError(), discord.RateLimited(2)])
def test_what_is_no_answer_passes(error):
    assert isinstance(unanswered(error), TransientError)


def test_a_wait_that_the_library_would_not_take_is_kept():
    assert unanswered(discord.RateLimited(2.5)).retry_after_s == 2.5


def test_a_refused_token_is_the_operators_move():
    found = unrelated(answer(401))
    assert isinstance(found, OperatorError)
    assert "DISCORD_BOT_TOKEN" in found.sentence


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_discord_passes(status):
    assert isinstance(unrelated(answer(status)), TransientError)


@pytest.mark.parametrize(("header", "wait_s"), [("1.5", 1.5), ("soon", None)])
def test_discords_own_wish_is_kept_where_it_is_a_number(header, wait_s):
    assert unrelated(answer(429, **{"Retry-After": header})).retry_after_s == wait_s


def test_a_code_that_the_caller_knows_to_pass_passes():
    assert unrelated(answer(400, 40003)) is None
    assert isinstance(unrelated(answer(400, 40003), passing_codes=(40003,)), TransientError)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_speaks_of_the_call_is_left_to_the_caller(status):
    assert unrelated(answer(status)) is None
