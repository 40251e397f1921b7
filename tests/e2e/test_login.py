"""The weekly login as an operator meets it: the bot in a process of its own, a phone, and a proxy with the address."""

import asyncio
import re
from typing import Any

import httpx
import redis as sync_redis

from streaming.bus import keys
from streaming.bus.server.embedded import free_port
from tests.e2e.conftest import Home
from tests.e2e.test_accounts import World, open_world, ready, until
from tests.e2e.test_demo import answer_to

HOST = "bot.example"
PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
FORWARDED = {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https"}


class Phone:
    """Opens what it is given; the address that only the proxy has by way of that one, or of a stranger."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def sign_in(self, link: str) -> httpx.URL:
        """Where Schwab sends the browser."""
        async with httpx.AsyncClient() as client:
            return httpx.URL((await client.get(link)).headers["Location"])

    async def open(self, address: httpx.URL, *, by: str = PROXY) -> httpx.Response:
        assert address.host == HOST
        place = address.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address=by)) as client:
            return await client.get(place, headers=FORWARDED)


async def asked_login(world: World) -> tuple[dict[str, Any], str]:
    """What an operator is answered, and the address behind its button."""
    answer = await asyncio.to_thread(answer_to, world.sandbox.page_url, "token login")
    buttons = [button for row in answer["components"] for button in row["components"]]
    return answer, next(button["url"] for button in buttons if "url" in button)


async def test_a_tap_in_discord_is_the_whole_login_and_nothing_else_that_arrives_is_one(
    home: Home, redis_url: str, redis: object
):
    port = free_port()
    phone, place = Phone(port), f"127.0.0.1:{port}"
    async with open_world(home, redis_url) as world:
        (home.path / "tokens" / "token.json").unlink()
        with sync_redis.Redis.from_url(redis_url) as client:
            client.set(keys.STREAM_WANTED, "1")
        program = world.start(
            SCHWAB_CALLBACK_URL=f"https://{HOST}/schwab", SCHWAB_CALLBACK_BIND=place, SCHWAB_CALLBACK_PROXIES=PROXY
        )
        await ready(program)
        await until(lambda: f"logins arrive at {place}" in program.output, what=lambda: program.output)
        _, before = await asked_login(world)
        asked, link = await asked_login(world)
        assert "the browser comes back to the bot" in asked["content"]
        address = await phone.sign_in(link)

        assert (await phone.open(address, by=STRANGER)).status_code == 421
        assert (await phone.open(address.copy_set_param("state", "guessed"))).status_code == 400
        assert (await phone.open(await phone.sign_in(before))).status_code == 400
        assert world.sim.authority.login is not None and not (home.path / "tokens" / "token.json").exists()

        for _ in range(2):
            page = await phone.open(address)
            assert (page.status_code, "You are logged in" in page.text) == (200, True)

        channels = world.sandbox.world.channels.values()

        def told() -> str:
            return next(
                found.content for item in channels if (found := item.messages.get(int(asked["id"]))) is not None
            )

        await until(lambda: "You are logged in at Schwab." in told(), what=told)
        assert re.search(r"Schwab login: good\*\* for 6d 23h", told())
        stored = (home.path / "tokens" / "token.json").read_text()
        assert world.sim.authority.login.refresh_token in stored
        await until(lambda: world.sim.counters["logins"] == 1, what=lambda: program.output)
        await until(lambda: world.texts() and "running" in world.texts()[-1], what=lambda: program.output)
        assert world.sim.authority.login.access, "nothing that came twice has logged anybody out"
        assert await asyncio.to_thread(program.stop) == 0
        assert "Traceback" not in program.output
