import logging
from types import SimpleNamespace

import aiohttp
import discord
import pytest
from discord import app_commands

from bot.notices import Refusal, new_incident, notice_for, quiet_autocomplete
from streaming.errors import ContractError, LoginRequiredError, RequestError, TransientError
from tests.support.discord_answers import json_answer, page_answer


def refused(kind, status, code=50013, text="Missing Permissions"):
    return kind(SimpleNamespace(status=status, reason="x"), {"code": code, "message": text})


def raised_in_a_command(error):
    return app_commands.CommandInvokeError(SimpleNamespace(name="x"), error)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (RequestError("No such ticker.", remedy="Use SPX."), logging.INFO),
        (TransientError("Redis is away.", remedy="Use SPX."), logging.WARNING),
        (LoginRequiredError("The login is over.", remedy="Use SPX."), logging.WARNING),
        (ContractError("Odd answer.", remedy="Use SPX."), logging.ERROR),
    ],
)
def test_our_own_errors_speak_for_themselves_with_their_remedy(error, level):
    notice = notice_for(raised_in_a_command(error), incident="abc")
    assert notice.text == f"{error} Use SPX."
    assert notice.level == level
    assert not notice.with_traceback


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refusal("Only on Tuesdays."), "Only on Tuesdays."),
        (app_commands.NoPrivateMessage(), "only in a server"),
        (app_commands.CommandOnCooldown(app_commands.Cooldown(1, 9), 7.6), "try again in 8 s"),
        (app_commands.MissingPermissions(["manage_guild"]), "You need the permission Manage Guild"),
        (app_commands.BotMissingPermissions(["attach_files"]), "I need the permission Attach Files"),
        (app_commands.CheckFailure("internal words"), "You may not use this command here."),
        (app_commands.CommandNotFound("old", []), "has just changed"),
        (refused(discord.Forbidden, 403), "a permission is missing"),
        (json_answer(503, 0), "Discord is having trouble"),
        (page_answer(403), "Discord is having trouble"),
        (page_answer(404), "Discord is having trouble"),
        (json_answer(403, 40333), "Discord is having trouble"),
        (json_answer(400, 50035, "hunter2"), "does not fit"),
        (json_answer(413, 40005), "does not fit"),
        (page_answer(413), "does not fit"),
        (json_answer(404, 10062), "closed this request"),
        (json_answer(400, 40060), "was already answered"),
        (json_answer(401, 50027), "has run out"),
        (aiohttp.ClientConnectionError(), "took too long"),
        (TimeoutError(), "took too long"),
    ],
)
def test_the_library_and_discord_get_a_sentence(error, words):
    notice = notice_for(error, incident="abc")
    assert words in notice.text
    assert notice.level < logging.ERROR
    assert "hunter2" not in notice.log_text and "<" not in notice.log_text


@pytest.mark.parametrize(
    "error",
    [
        KeyError("token=hunter2"),
        ValueError("secret hunter2"),
        app_commands.AppCommandError("hunter2"),
    ],
)
def test_anything_else_is_a_bug_that_shows_only_its_id(error):
    for met in (error, raised_in_a_command(error)):
        notice = notice_for(met, incident="4f00ba12")
        assert notice.text == "Something went wrong (id 4f00ba12). The log has the details."
        assert notice.with_traceback
        assert notice.level == logging.ERROR


def test_the_log_never_holds_a_page():
    error = TransientError("Discord answered 403.")
    error.__cause__ = page_answer(403)
    notice = notice_for(raised_in_a_command(error), incident="abc")
    assert "<" not in notice.log_text
    assert "text/html" in notice.log_text


@pytest.mark.parametrize(
    ("error", "passes"), [(json_answer(404, 10062), False), (aiohttp.ClientError(), False), (KeyError("x"), True)]
)
def test_choices_that_nobody_waits_for_are_no_traceback_and_a_bug_in_them_is(error, passes):
    record = logging.LogRecord("discord", logging.ERROR, "x", 1, "Ignoring", None, (type(error), error, None))
    assert quiet_autocomplete(record) is passes


def test_a_notice_fits_into_a_message():
    assert len(notice_for(RequestError("x" * 5000), incident="a").text) <= 2000


def test_incidents_differ():
    assert len({new_incident() for _ in range(100)}) == 100


def test_the_log_keeps_the_cause_that_nobody_in_discord_needs():
    error = TransientError("Redis failed.")
    error.__cause__ = ConnectionError("refused")
    notice = notice_for(raised_in_a_command(error), incident="abc")
    assert "ConnectionError" not in notice.text
    assert notice.log_text == "Redis failed. (ConnectionError: refused)"
