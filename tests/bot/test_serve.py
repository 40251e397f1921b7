"""bot/serve.py: what discord.py may say in our log, and how."""

import asyncio
import io
import logging
import warnings
from contextlib import nullcontext
from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.serve import configure_bot_logging, serve
from bot.settings import BotSettings

GATEWAY = logging.getLogger("discord.client")


@pytest.fixture
def read(monkeypatch):
    """Configure logging on a buffer and give a function that returns its lines."""
    stream = io.StringIO()
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def configured(**values):
        configure_bot_logging(BotSettings(_env_file=None, **values), stream)
        return lambda: stream.getvalue().splitlines()

    return configured


def say_reconnect(error):
    try:
        raise error
    except type(error):
        GATEWAY.exception("Attempting a reconnect in %.2fs", 1.5)


def closed(code):
    return discord.ConnectionClosed(SimpleNamespace(close_code=code), shard_id=None, code=code)


def page(status):
    return discord.HTTPException(SimpleNamespace(status=status, reason="Bad"), "<html>a proxy's page</html>")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (closed(1006), "ConnectionClosed, code 1006"),
        (OSError(111, "refused"), "ConnectionRefusedError"),
        (aiohttp.ClientConnectionError("no\nnetwork"), "ClientConnectionError"),
        (TimeoutError(), "TimeoutError"),
        (page(502), "HTTPException, status 502"),
    ],
)
def test_a_reconnect_of_the_gateway_is_a_warning_of_one_line(read, error, kind):
    lines = read()
    say_reconnect(error)
    (line,) = lines()
    assert line.partition("Z ")[2] == (
        f"WARNING discord.client: The connection to Discord's gateway broke ({kind}): Attempting a reconnect in 1.50s"
    )


def test_an_error_in_a_listener_of_ours_keeps_its_traceback(read):
    lines = read()
    GATEWAY.error("Ignoring exception in %s", "on_ready", exc_info=OSError(5, "broken"))
    assert "ERROR" in lines()[0] and "[Errno 5] broken" in lines()[0]


def test_a_bug_behind_a_reconnect_keeps_its_traceback(read):
    lines = read()
    say_reconnect(KeyError("x"))
    assert "ERROR" in lines()[0] and "Traceback" in lines()[0]


def test_who_wants_only_errors_is_not_told_of_a_reconnect(read):
    lines = read(log_level="ERROR")
    say_reconnect(closed(1006))
    assert lines() == []


def test_discords_library_prints_no_payload_even_on_debug(read):
    lines = read(log_level="DEBUG")
    for name in ("discord.http", "discord.gateway"):
        logging.getLogger(name).debug("whole payload")
        logging.getLogger(name).info("GET https://x/?code=C0.abcdefgh")
    assert lines() == []


async def test_what_was_imported_is_frozen_before_the_bot_works(monkeypatch):
    """Else each full collection would hold boards and stream; while it is imported, none is made."""
    seen = []
    control = SimpleNamespace(resume_in_background=lambda: seen.append("works"))
    host = SimpleNamespace(control=control, connected=asyncio.get_running_loop().create_future())
    over = asyncio.Event()
    over.set()
    settings = BotSettings(_env_file=None, discord_bot_token="token")
    for place, stand_in in {
        "bot.serve.load_settings": lambda _kind: settings,
        "bot.serve.configure_bot_logging": lambda _settings: None,
        "bot.serve.map_large_blocks": lambda: None,
        "bot.serve.stop_on_signals": lambda: over,
        "bot.serve._import_host": lambda: None,
        "streaming.streamer.runtime.open_runtime": lambda *_, **__: nullcontext(),
        "bot.wire.login.point_discord_at": lambda *_: None,
        "bot.host.open_host": lambda *_: nullcontext(host),
        "gc.freeze": lambda: seen.append("frozen"),
        "gc.enable": lambda: seen.append("collecting"),
    }.items():
        monkeypatch.setattr(place, stand_in)
    assert await serve(lambda _line: None) == 0
    assert seen == ["frozen", "collecting", "works"]
