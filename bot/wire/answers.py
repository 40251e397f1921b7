"""Calls of Discord's REST interface: bounded in time, each answer looked at before discord.py believes it.

discord.py takes whatever comes with status 200 for the object it asked for, sleeps in a 429 that is the ration of old
edits (30046), trips over a 429 without a time, and repeats a call that met 500, 502, 504 or 524 by itself after 1, 3,
5 and 7 s: with figures that are old by then. Each becomes an error here that its callers know.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

import aiohttp
import discord
from discord.http import HTTPClient

from bot.wire.verdicts import VERDICTS
from streaming.clock import Clock
from streaming.errors import GexcordError, TransientError

T = TypeVar("T")
LONGEST_WAIT_S: Final = 30.0
"""discord.py's least figure for the longest 429 that it sleeps in; a longer one is the caller's to plan."""
_FORGET_EVERY_S: Final = 300.0
_NO_CONTENT: Final = 204
_REFUSED: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_JSON: Final = "application/json"


FAILURES: Final = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)
"""How a call may fail."""


class ForeignAnswerError(aiohttp.ClientError):
    """Somebody answered in Discord's place, or Discord not in its own form."""


@asynccontextmanager
async def calling(
    client: discord.Client, *, within_s: float, translate: Callable[[Exception], GexcordError]
) -> AsyncIterator[None]:
    """Bound a call in time and turn the library's errors into ours; TransientError once the client is closed."""
    if client.is_closed():
        raise TransientError("The bot is signing off from Discord.")
    try:
        async with asyncio.timeout(within_s):
            yield
    except FAILURES as error:
        raise translate(error) from error


async def insisting(ask: Callable[[], Awaitable[T]]) -> T:
    """What a person waits for is asked once more when Discord itself failed: nothing else would repeat it."""
    try:
        return await ask()
    except TransientError as error:
        if not isinstance(error.__cause__, discord.DiscordServerError):
            raise
    return await ask()


class Gate(Protocol):
    """Where every request to Discord passes, those that discord.py makes again by itself too."""

    def passage(self, method: str, path: str) -> AbstractAsyncContextManager[Callable[[int, Mapping[str, str]], None]]:
        """Wait until the request may be made; gives what takes the status and the headers of its answer."""
        ...


def look_at_answers(http: HTTPClient, gate: Gate | None = None) -> None:
    """Have every call of a client's REST interface looked at, and wait at the gate before it goes out."""
    ask = http.request

    async def pass_gate(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if gate is None:
            return await _look(await handler(request))
        async with gate.passage(request.method, request.url.path) as answered:
            response = await handler(request)
            await response.read()
            answered(response.status, response.headers)
        return await _look(response)

    async def request(route: Any, **wanted: Any) -> Any:
        return await ask(route, middlewares=(pass_gate,), **wanted)

    http.request = request  # type: ignore[method-assign]  # discord.py offers no place for a session's middleware


def forget_rarely(http: HTTPClient, clock: Clock) -> None:
    """Have discord.py look for pace notes that it may forget once in five minutes, which is how old they have to be.

    By itself it looks through all of them whenever it makes one: of 2,000 live messages each goodbye did, and together
    they held the event loop for seconds.
    """
    forget, next_s = http._try_clear_expired_ratelimits, -math.inf  # noqa: SLF001  # no other way

    def look() -> None:
        nonlocal next_s
        if (now_s := clock.monotonic()) >= next_s:
            next_s = now_s + _FORGET_EVERY_S
            forget()

    http._try_clear_expired_ratelimits = look  # type: ignore[method-assign]  # noqa: SLF001


async def _look(response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    content = await response.read()
    found = _body(response, content)
    if response.status == _TOO_MANY_REQUESTS and isinstance(found, dict):
        _check_wait(response, found)
    elif response.status < _REFUSED:
        _check_success(response, found)
    elif isinstance(found, dict):
        _check_refusal(response, found)
    if response.status >= _SERVER_ERROR:
        raise discord.DiscordServerError(
            response, found if isinstance(found, dict) else content.decode(errors="replace")
        )
    return response


def _body(response: aiohttp.ClientResponse, content: bytes) -> Any:
    """The JSON of an answer; None for a page, and for none."""
    if response.headers.get("Content-Type") != _JSON or response.status == _NO_CONTENT:
        return None
    try:
        found = json.loads(content)
    except ValueError:
        raise ForeignAnswerError(f"the answer {response.status} cannot be read") from None
    return found if isinstance(found, dict | list) else None


def _check_success(response: aiohttp.ClientResponse, found: Any) -> None:
    """What was asked for is a list, or has an id where one was made, changed or is the bot itself; a member's is its
    user's.
    """
    is_object = isinstance(found, dict) and not isinstance(found.get("message"), str)
    needs_id = response.method in {"POST", "PATCH"} or response.url.path.endswith("/users/@me")
    has_id = isinstance(found, dict) and str(found.get("id", _user_of(found).get("id"))).isdecimal()
    if response.status == _NO_CONTENT or isinstance(found, list) or (is_object and (has_id or not needs_id)):
        return
    raise ForeignAnswerError(f"the answer {response.status} is not what was asked for")


def _user_of(found: dict[str, Any]) -> dict[str, Any]:
    user = found.get("user")
    return user if isinstance(user, dict) else {}


def _check_wait(response: aiohttp.ClientResponse, body: dict[str, Any]) -> None:
    """Let discord.py sleep only in a 429 that is about the pace and says for how long."""
    _check_refusal(response, body)
    wait_s = body.get("retry_after")
    is_time = isinstance(wait_s, int | float) and math.isfinite(wait_s) and wait_s >= 0
    if not is_time or body.get("code") in VERDICTS:
        raise discord.HTTPException(response, body)


def _check_refusal(response: aiohttp.ClientResponse, body: dict[str, Any]) -> None:
    """Discord's refusals have a code, and of other shapes discord.py cannot make its error."""
    has_code = "code" in body or response.status >= _TOO_MANY_REQUESTS
    readable = isinstance(body.get("message", ""), str) and isinstance(body.get("errors") or {}, dict)
    if not has_code or not readable:
        raise ForeignAnswerError(f"the answer {response.status} is not Discord's")
