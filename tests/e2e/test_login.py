"""The weekly login as operators meet it: the bot in a process of its own, a phone, a proxy, and a second machine."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import httpx
import redis as sync_redis

from streaming.bus import keys
from streaming.bus.server.embedded import free_port
from streaming.clock import SystemClock
from streaming.schwab.login.callback_port import serve_callback
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.served_callback import ServedCallback
from streaming.settings import StreamSettings
from streaming.streamer.runtime import open_runtime
from streaming.streamer.token_stores import pending_login
from tests.e2e.conftest import Home
from tests.e2e.test_accounts import World, open_world, ready, until
from tests.e2e.test_demo import answer_to
from tests.support.shared_login import KEY

HOST = "bot.example"
ADDRESS = f"https://{HOST}/schwab"
PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
FORWARDED = {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https"}


class Phone:
    """Opens what it is given; the address that only the proxy has by way of that one, or of a stranger."""

    async def sign_in(self, link: str) -> httpx.URL:
        """Where Schwab sends the browser."""
        async with httpx.AsyncClient(timeout=20.0) as client:
            return httpx.URL((await client.get(link)).headers["Location"])

    async def open(self, address: httpx.URL, port: int, *, by: str = PROXY) -> httpx.Response:
        """What the tunnel leads to, which is the machine with this port."""
        assert address.host == HOST
        place = address.copy_with(scheme="http", host="127.0.0.1", port=port)
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address=by), timeout=20.0) as client:
            return await client.get(place, headers=FORWARDED)


@dataclass
class SecondMachine:
    """The port of its callback, and its view of the login that all machines have."""

    port: int
    store: LoginStore


@asynccontextmanager
async def second_machine(world: World) -> AsyncIterator[SecondMachine]:
    settings = StreamSettings(
        _env_file=None,
        redis_url=world.redis_url,
        schwab_client_id="id",
        schwab_client_secret="secret",
        schwab_api_url=world.sim.url,
        schwab_callback_url=ADDRESS,
        schwab_token_store="redis",
        schwab_token_key=KEY,
    )
    async with open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime:
        pending = pending_login(settings, runtime.redis)
        assert runtime.auth is not None
        proxies = [ip_network(PROXY)]
        callback = ServedCallback(runtime.auth, ADDRESS, runtime.clock, proxies=proxies, pending=pending)
        async with serve_callback(callback, "127.0.0.1", 0) as port:
            yield SecondMachine(port, runtime.tokens)


@dataclass
class Asked:
    """What an operator is answered, and the address behind its button."""

    world: World
    answer: dict[str, Any]
    link: str

    def told(self) -> str:
        """What the answer says by now."""
        posts = (post for item in self.world.sandbox.world.channels.values() for post in item.messages.values())
        return next(post.content for post in posts if post.id == int(self.answer["id"]))


async def ask_for_login(world: World) -> Asked:
    answer = await asyncio.to_thread(answer_to, world.sandbox.page_url, "token login")
    buttons = [button for row in answer["components"] for button in row["components"]]
    return Asked(world, answer, next(button["url"] for button in buttons if "url" in button))


async def test_a_tap_in_discord_is_the_whole_login_on_whichever_machine_it_arrives_and_nothing_else_is_one(
    home: Home, redis_url: str, redis: object
):
    port, phone = free_port(), Phone()
    async with open_world(home, redis_url) as world, second_machine(world) as second:
        with sync_redis.Redis.from_url(redis_url) as client:
            client.set(keys.STREAM_WANTED, "1")
        program = world.start(
            SCHWAB_CALLBACK_URL=ADDRESS,
            SCHWAB_CALLBACK_BIND=f"127.0.0.1:{port}",
            SCHWAB_CALLBACK_PROXIES=PROXY,
            SCHWAB_TOKEN_STORE="redis",
            SCHWAB_TOKEN_KEY=KEY.get_secret_value(),
        )
        await ready(program)
        await until(lambda: f"logins arrive at 127.0.0.1:{port}" in program.output, what=lambda: program.output)
        before, asked = await ask_for_login(world), await ask_for_login(world)
        assert "the browser comes back to the bot" in asked.answer["content"]
        address = await phone.sign_in(asked.link)

        assert (await phone.open(address, port, by=STRANGER)).status_code == 421
        assert (await phone.open(address.copy_set_param("state", "guessed"), port)).status_code == 400
        assert (await phone.open(await phone.sign_in(before.link), port)).status_code == 400
        await second.store.look()
        assert second.store.load() is None

        for _ in range(2):
            page = await phone.open(address, port)
            assert (page.status_code, "You are logged in" in page.text) == (200, True)
        await until(lambda: "You are logged in at Schwab." in asked.told(), what=asked.told)
        assert re.search(r"Schwab login: good\*\* for 6d 23h", asked.told())
        await until(lambda: world.sim.counters["logins"] == 1, what=lambda: program.output)
        await until(lambda: world.texts() and "running" in world.texts()[-1], what=lambda: program.output)
        assert await stored(second) == refresh_token(world), "what came twice has logged nobody out"

        elsewhere = await ask_for_login(world)
        await until(lambda: elsewhere.told(), what=elsewhere.told)
        address = await phone.sign_in(elsewhere.link)
        page = await phone.open(address, second.port)
        assert (page.status_code, "You are logged in" in page.text) == (200, True)
        await until(lambda: "You are logged in at Schwab." in elsewhere.told(), what=elsewhere.told)
        assert "You are logged in" in (await phone.open(address, port)).text
        assert await stored(second) == refresh_token(world)
        assert await asyncio.to_thread(program.stop) == 0
        assert "Traceback" not in program.output


async def stored(machine: SecondMachine) -> str:
    """The refresh token that every machine has."""
    await machine.store.look()
    token = machine.store.load()
    assert token is not None
    return token.refresh_token


def refresh_token(world: World) -> str:
    """The one that Schwab accepts."""
    assert world.sim.authority.login is not None
    return world.sim.authority.login.refresh_token
