"""How the login's address reaches a person: as text, as a picture for a phone, in a browser; and how it comes back."""

import asyncio
import os
import pty
import sys
from datetime import UTC, datetime

import aiohttp
import pytest

from streaming.bus.server.embedded import free_port
from streaming.commands.login.sign_in import browser_for, qr_code, sign_in
from streaming.errors import RequestError
from streaming.schwab.login.oauth import LoginAttempt
from tests.support.waiting import until

URL = "https://api.schwabapi.com/v1/oauth/authorize?client_id=an-app&state=s1"


class Login:
    """Takes any address but one."""

    def __init__(self):
        self.finished = []

    def begin_login(self):
        return LoginAttempt(URL, "s1", datetime.now(UTC))

    async def finish_login(self, _attempt, address):
        if address.strip() == "wrong":
            raise RequestError("That is no address.")
        self.finished.append(address.strip())


@pytest.fixture
def keyboard(monkeypatch):
    """Types into a terminal that is this process's standard input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield lambda text: os.write(ours, text.encode())
    os.close(ours)


@pytest.fixture
async def at_terminal(keyboard):
    """A login that waits at a terminal: who logs in, what was said, and where the browser would come back."""
    login, said, callback = Login(), [], f"https://127.0.0.1:{free_port()}"
    opened = []
    waiting = asyncio.create_task(
        sign_in(login, callback, paste=False, say=said.append, browse=lambda url: opened.append(url) or True)
    )
    await until(lambda: any("On a phone" in line for line in said))
    assert opened == [URL] and any("--no-browser" in line for line in said)
    yield login, said, callback, waiting
    await asyncio.gather(waiting, return_exceptions=True)


async def test_at_a_terminal_the_redirect_is_caught(at_terminal):
    login, _, callback, waiting = at_terminal
    async with aiohttp.ClientSession() as http, http.get(f"{callback}/?code=c&state=s1", ssl=False) as page:
        assert page.status == 200
    await waiting
    assert login.finished == [f"{callback}/?code=c&state=s1"]


async def test_at_a_terminal_an_address_from_a_phone_can_be_pasted_meanwhile(at_terminal, keyboard):
    login, said, _, waiting = at_terminal
    keyboard("wrong\n")
    await until(lambda: "That is no address." in said[-2])
    keyboard("https://127.0.0.1/?code=from-a-phone&state=s1\n")
    await waiting
    assert login.finished == ["https://127.0.0.1/?code=from-a-phone&state=s1"]


async def test_after_a_slip_of_the_fingers_the_redirect_is_caught_all_the_same(at_terminal, keyboard):
    login, said, callback, waiting = at_terminal
    keyboard("wrong\n")
    await until(lambda: "That is no address." in said[-2])
    async with aiohttp.ClientSession() as http, http.get(f"{callback}/?code=c&state=s1", ssl=False) as page:
        assert page.status == 200
    await waiting
    assert login.finished == [f"{callback}/?code=c&state=s1"]


def test_the_address_is_a_picture_where_the_terminal_is_wide_enough():
    code = qr_code(URL, 80)
    lines = code.split("\n")
    assert set(code) <= set("█▀▄ \n")
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines) == (len(lines[0]) + 1) // 2
    assert qr_code(URL, len(lines[0]) - 1) is None
    assert qr_code(URL, 0) is None


@pytest.mark.parametrize(
    ("environment", "platform", "opens"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "darwin", False),
        ({}, "win32", True),
    ],
)
def test_a_browser_is_opened_where_somebody_would_see_it(environment, platform, opens):
    assert (browser_for(environment, platform) is not None) is opens
