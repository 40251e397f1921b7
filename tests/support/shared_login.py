"""Machines that share one Schwab login, in memory: the place they share, a strict Schwab, and clocks that are apart."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import SecretStr

from streaming.bus.shared_secret import SecretLook
from streaming.errors import TransientError
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.shared_store import SharedTokenStore
from tests.support.schwab_login import CALLBACK
from tests.support.virtual_loop import LoopClock

T = TypeVar("T")
KEY = SecretStr("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
_CODE_S = 30.0


class MemoryPlace:
    """As the hash of `streaming.bus.shared_secret`; its clock is the loop's, from `start_ms`."""

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self.away = False
        self.loses_answers = False
        self.has_copy = True
        """Whether what is written reaches a copy, too, without which it does not count."""
        self.taken = asyncio.Event()
        """Set whenever somebody gets a turn."""
        self.wipe()

    def wipe(self) -> None:
        """All data is lost."""
        self.holder, self.until_ms, self.epoch, self.version = "", 0, 0, 0
        self.sealed, self.kept_ms = b"", 0
        self._copied = self._state()

    def copy(self) -> None:
        """What was written so far outlives the server."""
        self._copied = self._state()

    def fail_over(self) -> None:
        """The server is lost with what its copy does not have, and the copy takes its place."""
        self.holder, self.until_ms, self.epoch, self.version, self.sealed, self.kept_ms = self._copied
        self.has_copy = True

    def _state(self) -> tuple[str, int, int, int, bytes, int]:
        return self.holder, self.until_ms, self.epoch, self.version, self.sealed, self.kept_ms

    def now_ms(self) -> int:
        return self._start_ms + int(asyncio.get_running_loop().time() * 1000)

    def take(self, holder: str, ttl_ms: int) -> int:
        now_ms = self.now_ms()
        if self.holder and self.holder != holder and self.until_ms > now_ms:
            return 0
        self.holder, self.until_ms, self.epoch = holder, now_ms + ttl_ms, max(now_ms, self.epoch + 1)
        self.taken.set()
        return self.epoch

    def give_back(self, epoch: int) -> None:
        if epoch == self.epoch:
            self.holder = ""

    def replace(self, epoch: int, sealed: bytes) -> int:
        if epoch != self.epoch:
            return 0
        self.version = max(self.now_ms(), self.version + 1)
        self.sealed, self.kept_ms = sealed, self.now_ms()
        return self.version

    def look(self) -> SecretLook:
        return SecretLook(self.version, self.sealed, self.kept_ms, self.now_ms())


class MemorySecret:
    """One machine's way to the place; from a machine that is dead nothing arrives any more."""

    def __init__(self, place: MemoryPlace, rng: random.Random) -> None:
        self._place = place
        self._rng = rng
        self.dead = False

    async def take(self, holder: str, ttl_ms: int) -> int:
        return await self._ask(lambda: self._place.take(holder, ttl_ms), writes=True)

    async def give_back(self, epoch: int) -> None:
        await self._ask(lambda: self._place.give_back(epoch), writes=True)

    async def replace(self, epoch: int, sealed: bytes) -> int:
        return await self._ask(lambda: self._place.replace(epoch, sealed), writes=True)

    async def look(self) -> SecretLook:
        return await self._ask(self._place.look)

    async def _ask(self, act: Callable[[], T], *, writes: bool = False) -> T:
        await asyncio.sleep(self._rng.uniform(0.0, 0.01))
        if self.dead or self._place.away:
            await asyncio.sleep(self._rng.choice((0.0, 5.0)))
            raise TransientError("Redis is away.")
        found = act()
        if writes and not self._place.has_copy:
            await asyncio.sleep(0.5)
            raise TransientError("No copy of Redis has it.")
        if writes:
            self._place.copy()
        await asyncio.sleep(self._rng.uniform(0.0, 0.01))
        if self.dead or self._place.loses_answers:
            raise TransientError("Redis is away.")
        return found


class MemoryPassing:
    """As the key of `PassingSecret`, which nobody sees expire."""

    def __init__(self) -> None:
        self.sealed = b""
        self.offers = 0
        self.away = False
        self.takes = True
        """Whether anything is put there."""
        self.unsure = 0
        """So many exchanges are carried out and not acknowledged."""

    async def put(self, sealed: bytes, _ttl_ms: int) -> None:
        await self._answer()
        if not self.takes:
            raise TransientError("Redis takes nothing.")
        self.sealed, self.offers = sealed, self.offers + 1

    async def look(self) -> bytes:
        await self._answer()
        return self.sealed

    async def exchange(self, seen: bytes, sealed: bytes) -> bool:
        await self._answer()
        if seen != self.sealed:
            return False
        self.sealed = sealed
        if self.unsure:
            self.unsure -= 1
            raise TransientError("No copy of Redis has it.")
        return True

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise TransientError("Redis is away.")


class StrictSchwab:
    """Schwab at its strictest: two refreshes with one refresh token at the same time end the login for good."""

    def __init__(self, rng: random.Random, context: Context) -> None:
        self._rng = rng
        self._context = context
        """Not of any machine: Schwab works on while a machine is paused."""
        self._codes: dict[str, float] = {}
        self._under_way: dict[str, int] = {}
        self.refresh_token = ""
        self.access: dict[str, float] = {}
        self.slow_s = 0.3
        self.trouble = ""
        """`503` or `silent` while it has some."""
        self.rotates = False
        """Whether each refresh ends the refresh token, which it never did yet."""
        self.refreshes = 0
        self.logins = 0
        self.violations: list[str] = []

    def authorize(self, url: str) -> str:
        """The address on which a person's browser ends."""
        state = parse_qs(urlsplit(url).query)["state"][0]
        code = f"C0.{self._rng.getrandbits(60)}@"
        self._codes[code] = asyncio.get_running_loop().time() + _CODE_S
        return f"{CALLBACK}?code={code.replace('@', '%40')}&session=s&state={state}"

    def accepts(self, access_token: str) -> bool:
        return self.access.get(access_token, -1.0) > asyncio.get_running_loop().time()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """As the token endpoint; what has arrived is carried out whether or not anybody still waits for it."""
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        loop = asyncio.get_running_loop()
        working = loop.create_task(self._carry_out(form), context=self._context)
        return await asyncio.shield(working)

    async def _carry_out(self, form: dict[str, str]) -> httpx.Response:
        if self.trouble == "503":
            return httpx.Response(503)
        if form["grant_type"] == "authorization_code":
            await asyncio.sleep(self._rng.uniform(0.0, self.slow_s))
            found = self._redeem(form["code"])
        else:
            found = await self._refresh(form["refresh_token"])
        if self.trouble == "silent":
            await asyncio.sleep(20.0)
        return found

    def _redeem(self, code: str) -> httpx.Response:
        if self._codes.pop(code, -1.0) < asyncio.get_running_loop().time():
            return _refused()
        self.logins += 1
        self.refresh_token = f"refresh-{self.logins}@"
        self.access.clear()
        return self._grant()

    async def _refresh(self, refresh_token: str) -> httpx.Response:
        if self._under_way.get(refresh_token):
            self.violations.append(f"two refreshes with {refresh_token} at the same time")
        self._under_way[refresh_token] = self._under_way.get(refresh_token, 0) + 1
        await asyncio.sleep(self._rng.uniform(0.0, self.slow_s))
        self._under_way[refresh_token] -= 1
        if refresh_token != self.refresh_token:
            return _refused()
        self.refreshes += 1
        if self.rotates:
            self.refresh_token = f"refresh-{self.logins}-{self.refreshes}@"
        return self._grant()

    def _grant(self) -> httpx.Response:
        access = f"access-{self.logins}-{self._rng.getrandbits(40)}"
        self.access[access] = asyncio.get_running_loop().time() + 1800.0
        body = {"access_token": access, "refresh_token": self.refresh_token, "expires_in": 1800, "scope": "api"}
        return httpx.Response(200, json=body)


def _refused() -> httpx.Response:
    return httpx.Response(400, json={"error": "unsupported_token_type"})


class Machine:
    """One process on one machine: its client and store, with a clock that is `apart` from the loop's."""

    def __init__(
        self, place: MemoryPlace, schwab: StrictSchwab, rng: random.Random, start: datetime, apart: timedelta
    ) -> None:
        loop = asyncio.get_running_loop()
        self.secret = MemorySecret(place, rng)
        self.clock = LoopClock(loop, start + apart)
        holders = iter(range(10**9))
        name = rng.getrandbits(40)
        self.store = SharedTokenStore(
            self.secret,
            key=KEY,
            clock=self.clock,
            new_holder=lambda: f"{name}:{next(holders)}",
            uptime=loop.time,
        )
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(self._cut_off(place, schwab)))
        self.auth = SchwabAuthClient(
            self._http,
            self.store,
            client_id=SecretStr("app-key"),
            client_secret=SecretStr("app-secret"),
            api_url="https://schwab.example",
            callback_url=CALLBACK,
            clock=self.clock,
            rng=rng,
        )

    def _cut_off(
        self, place: MemoryPlace, schwab: StrictSchwab
    ) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
        """The way to Schwab, until the machine is dead; what is asked outside a turn is noted."""

        async def reachable(request: httpx.Request) -> httpx.Response:
            if self.secret.dead:
                raise httpx.ConnectError("dead")
            ours = self.store._epoch
            if place.epoch > ours or (place.epoch == ours and place.now_ms() > place.until_ms):
                schwab.violations.append("Schwab was asked by a machine that had no turn")
            return await schwab.answer(request)

        return reachable
