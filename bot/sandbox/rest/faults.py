"""Failures on demand: what the next requests and connections meet, in the shapes that Discord and proxies give."""

import asyncio
import json
import math
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal

from bot.sandbox.world.api_errors import REFUSALS, TOO_MANY_REQUESTS
from bot.sandbox.world.records import Json
from streaming.clock import Clock

Shape = Literal["json", "codeless", "page", "empty", "broken"]
Kind = Literal[
    "post", "edit", "delete", "history", "channel", "callback", "webhook", "commands", "letter", "me", "gateway"
]
"""What a request is for, in a test's words."""

MESSAGES: Final = "/channels/{channel_id}/messages"
KINDS: Final[dict[Kind, tuple[str | None, str]]] = {
    "post": ("POST", MESSAGES),
    "edit": ("PATCH", f"{MESSAGES}/{{message_id}}"),
    "delete": ("DELETE", f"{MESSAGES}/{{message_id}}"),
    "history": ("GET", MESSAGES),
    "channel": ("GET", "/channels/{channel_id}"),
    "callback": ("POST", "/interactions/*/callback"),
    "webhook": (None, "/webhooks/*"),
    "commands": (None, "/applications/*/commands*"),
    "letter": ("POST", "/users/@me/channels"),
    "me": ("GET", "/users/@me"),
    "gateway": ("GET", "/gateway*"),
}
"""Method and pattern of the path's template for each kind."""

_PAGE: Final = (
    "<!DOCTYPE html>\n<html><head><title>Access denied | discord.com</title></head><body><h1>Error {status}</h1>"
    "<p>Unknown Message. Missing Access. The owner of this website has banned your address.</p>" + "<br>" * 300
) + "</body></html>"
"""A proxy's page is long, and says words that sound like Discord's own."""
IDENTIFIES_PER_DAY = 1_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a request meets instead of its answer.

    `shape` is Discord's own JSON, JSON without its `code`, a proxy's HTML page, nothing at all (but called JSON), or
    JSON that ends in its middle. `hang_s` seconds pass first. `cut` ends the connection without an answer. `late` lets
    the request take effect, so that only the answer is lost. A 429 says `retry_after_s` unless it is None, and without
    `via` is not Discord's own.
    """

    status: int = 503
    code: int = 0
    shape: Shape = "json"
    retry_after_s: float | None = 0.5
    via: bool = True
    hang_s: float = 0.0
    cut: bool = False
    late: bool = False

    @property
    def content(self) -> bytes:
        match self.shape:
            case "empty":
                return b""
            case "page":
                return _PAGE.format(status=self.status).encode()
            case "broken":
                return json.dumps(self._json).encode()[:-8]
            case _:
                return json.dumps(self._json).encode()

    @property
    def content_type(self) -> str:
        return "text/html; charset=UTF-8" if self.shape == "page" else "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """Via tells discord.py that a 429 is Discord's own and worth waiting for."""
        via = {"Via": "1.1 google"} if self.via else {}
        wait_s = self._wait_s
        return via if wait_s is None else {**via, "Retry-After": str(wait_s)}

    @property
    def _wait_s(self) -> float | None:
        return self.retry_after_s if self.status == TOO_MANY_REQUESTS else None

    @property
    def _json(self) -> Json:
        message = REFUSALS[self.code][1] if self.code in REFUSALS else f"{self.status}: injected"
        body: Json = {"message": message}
        if self.status == TOO_MANY_REQUESTS and not self.code:
            body = {"message": "You are being rate limited."}
        elif self.shape != "codeless":
            body["code"] = self.code
        wait_s = self._wait_s
        return body if wait_s is None else {**body, "retry_after": wait_s, "global": False}


def refused(code: int, **changes: object) -> Trouble:
    """Discord's refusal of a code with its usual status."""
    return Trouble(**({"status": REFUSALS[code][0], "code": code, "retry_after_s": None} | changes))  # type: ignore[arg-type]


@dataclass(slots=True)
class Fault:
    """Trouble for the next `left` requests of a route that come before `until_s`; None for a place means any.

    `path` is a template such as `/channels/{channel_id}/messages`, or a pattern of templates with `*`.
    """

    trouble: Trouble
    left: float = math.inf
    method: str | None = None
    path: str = "*"
    channel_id: int | None = None
    until_s: float = math.inf

    def meets(self, method: str, path: str, channel_id: str | None) -> bool:
        return (
            self.left > 0
            and self.method in {None, method}
            and fnmatchcase(path, self.path)
            and (self.channel_id is None or str(self.channel_id) == channel_id)
        )


@dataclass(slots=True)
class RestFaults:
    """The failures that are waiting, and the delay before every REST answer."""

    clock: Clock
    waiting: list[Fault] = field(default_factory=list)
    latency_s: float = 0.0
    _let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, method: str, path: str, channel_id: str | None = None) -> Trouble | None:
        """The trouble this request meets, used up by one; None lets it through."""
        now_s = self.clock.monotonic()
        self.waiting = [fault for fault in self.waiting if fault.left > 0 and now_s < fault.until_s]
        for fault in self.waiting:
            if fault.meets(method, path, channel_id):
                fault.left -= 1
                return fault.trouble
        return None

    async def hang(self, seconds: float) -> None:
        """Keep a request waiting, at most until the faults are cleared."""
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await self._let_go.wait()
        except TimeoutError:
            return

    def clear(self) -> None:
        """Drop every fault and let go of the requests that hang."""
        self.waiting.clear()
        self.latency_s = 0.0
        self._let_go.set()
        self._let_go = asyncio.Event()


@dataclass(slots=True)
class GatewayTrouble:
    """`refusals` are close codes that the next IDENTIFYs meet, in turn; `identifies_left` is what the day allows.

    Bots are told to be `shards`, of which `max_concurrency` may identify at once.
    """

    clock: Clock
    refusals: deque[int] = field(default_factory=deque)
    identifies_left: int = IDENTIFIES_PER_DAY
    shards: int = 1
    max_concurrency: int = 1
    answer: Trouble | None = None
    """What a gateway that is down says; None for no word at all."""
    _down_until_s: float = -math.inf

    def go_down(self, seconds: float, answer: Trouble | None) -> None:
        """Turn away whoever connects for some seconds: with an answer, or with an aborted connection."""
        self.answer = answer
        self._down_until_s = self.clock.monotonic() + seconds

    def come_up(self) -> None:
        """End an outage before its time."""
        self._down_until_s = -math.inf

    @property
    def is_down(self) -> bool:
        """Whether connections are refused now."""
        return self.clock.monotonic() < self._down_until_s
