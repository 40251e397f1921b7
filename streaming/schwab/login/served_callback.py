"""The callback that a bot serves behind a proxy or tunnel with TLS: a person taps the link, and nothing is pasted."""

import asyncio
import ipaddress
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from itertools import takewhile
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from streaming.addresses import answering_address
from streaming.clock import Clock
from streaming.errors import GexcordError, RequestError, TransientError
from streaming.schwab.login.auth_client import ATTEMPT_LIFE, SchwabAuthClient
from streaming.schwab.login.login_page import SIGN, login_page
from streaming.schwab.login.oauth import LoginAttempt
from streaming.schwab.login.pending_login import PendingLogin, same_state

_LOG: Final = logging.getLogger(__name__)
_FOLLOW_EVERY_S: Final = 1.0
_HEAR_EVERY_S: Final = 0.25
_HEAR_TIMES: Final = 60
"""How often another machine is asked how it went: for longer than Schwab and the store may take."""
_ASK: Final = aiohttp.ClientTimeout(total=2.0)
_MOST_READ: Final = 4096
_MOST_LINKS: Final = 64
_UNKNOWN: Final = (
    "This login was not begun here. Open the newest link; or, if another process or machine of the bot was asked,"
    " copy the whole address of this page at once and paste it under that link."
)
_NO_ANSWER: Final = "Redis does not answer, by which the bot's machines share this login. Load this page again at once."
_ELSEWHERE_STILL: Final = "Another machine of the bot finishes this login. If Discord says nothing, ask for a new link."
_DONE: Final = "You are logged in. You can close this page; Discord says until when."
_TOO_OLD: Final = "This login link is more than ten minutes old. Ask for a new one."
_ELSEWHERE: Final = "This is not the address that is registered at Schwab."
_NONE: Final = timedelta(0)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Done = Callable[[GexcordError | None], Awaitable[None]]
"""Told once how a login went: why it did not, or None."""


@dataclass(slots=True, eq=False)
class _Open:
    """A login that may arrive."""

    attempt: LoginAttempt
    done: Done
    answer: str | None = None
    """What the browser was told, and is told again when its page is loaded anew: a code works once."""
    told: bool = False
    """Whether whoever waits for it knows how it went."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its code is exchanged: who asks meanwhile is told what comes of that."""


class ServedCallback:
    """Finishes the newest login that was begun here; one of before, and every other state, is turned away.

    With `pending` the newest is that of all machines, and whichever the browser comes to finishes it.
    Whoever asks must have come by the registered address, as `Host` says, or a proxy of `proxies` in its forwarded
    headers; those of anybody else are not looked at. Of a list, what the outermost of the named proxies says counts.
    """

    def __init__(
        self,
        auth: SchwabAuthClient,
        callback_url: str,
        clock: Clock,
        *,
        proxies: Sequence[Network] = (),
        pending: PendingLogin | None = None,
    ) -> None:
        self._auth = auth
        self._clock = clock
        self._parts = urlsplit(callback_url)
        self._proxies = tuple(proxies)
        self._pending = pending
        self._open: _Open | None = None
        self._begun = asyncio.Event()
        self._begun_here: deque[str] = deque(maxlen=_MOST_LINKS)
        """States of the last links; those but the newest are turned away, also while other machines know no newer."""
        self._taken_over: _Open | None = None
        """The newest that another machine began and the browser came here with."""
        self.is_served = False
        """Whether a browser reaches it; while it does not, an address has to be pasted."""

    def begin(self, done: Done) -> LoginAttempt:
        """A link for a person; it takes the place of the one before. ConfigurationError as `begin_login`."""
        attempt = self._auth.begin_login()
        self._open = _Open(attempt, done)
        self._begun_here.append(attempt.state)
        self._begun.set()
        return attempt

    @property
    def is_shared(self) -> bool:
        """Whether other processes of the bot finish what is begun here."""
        return self._pending is not None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a browser."""
        if request.path != (self._parts.path or "/"):
            return web.Response(status=404)
        if not self._came_by_the_address(request):
            return login_page(_ELSEWHERE, status=421)
        if not {"code", "error"} & set(request.query):
            return web.Response(status=404)
        try:
            return await self._answer(request)
        except TransientError as error:
            _LOG.warning("a login that machines share cannot be finished now: %s", error)
            return login_page(_NO_ANSWER, status=503)

    async def _answer(self, request: web.Request) -> web.Response:
        found = await self._found(request.query.get("state", ""))
        if found is None:
            return login_page(_UNKNOWN, status=400)
        if found.answer is None and self._clock.now() >= found.attempt.ends_at:
            return login_page(_TOO_OLD, status=400)
        async with found.turn:
            answer = found.answer or await self._finish(
                found, f"{self._parts.scheme}://{self._parts.netloc}{request.raw_path}"
            )
        return login_page(answer, status=200 if answer == _DONE else 400)

    async def is_answered_by_another(self, host: str, port: int) -> bool:
        """Whether who has this port serves the same callback: a login that nobody began is turned away in our words."""
        url = URL.build(scheme="http", host=answering_address(host), port=port, path=self._parts.path or "/")
        try:
            async with (
                aiohttp.ClientSession(timeout=_ASK) as http,
                http.get(
                    url % {"code": "", "state": ""}, headers={"Host": self._parts.netloc}, allow_redirects=False
                ) as answer,
            ):
                return answer.status == HTTPStatus.BAD_REQUEST and SIGN in await answer.content.read(_MOST_READ)
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def follow(self) -> None:
        """The job: show every machine what is begun here, and hear how it went where another one finished it."""
        if self._pending is None:
            return
        while True:
            await self._begun.wait()
            self._begun.clear()
            if (found := self._open) is not None:
                await self._follow(found, self._pending)

    async def _follow(self, found: _Open, pending: PendingLogin) -> None:
        """Until it is over, or a newer one is out."""
        offered = False
        while found is self._open and not found.told and (left := found.attempt.ends_at - self._clock.now()) > _NONE:
            try:
                if not offered:
                    await pending.offer(found.attempt.state, left)
                offered = True
                link = await pending.look()
            except TransientError as error:
                _LOG.info("other machines cannot be told of a login that was begun here: %s", error)
            else:
                if link is not None and not same_state(link.state, found.attempt.state):
                    self._open = None if self._open is found else self._open
                elif link is not None and link.outcome is not None:
                    await self._hear(found, link.outcome)
            await self._rest()

    async def _rest(self) -> None:
        """Until it is time to look again, or a newer login is begun."""
        tasks = {
            asyncio.ensure_future(self._clock.sleep(_FOLLOW_EVERY_S)),
            asyncio.ensure_future(self._begun.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _hear(self, found: _Open, outcome: str) -> None:
        """Another machine has finished what was begun here, unless this one just tells so itself."""
        async with found.turn:
            found.answer = found.answer or outcome or _DONE
            if not found.told:
                with suppress(GexcordError):
                    await self._auth.access_token()  # the login that is stored now
                await self._tell(found, RequestError(outcome) if outcome else None)

    async def _found(self, state: str) -> _Open | None:
        """The login of this state; one that was begun elsewhere, too. Without a state none, whatever Redis does."""
        for known in (self._open, self._taken_over):
            if known is not None and same_state(state, known.attempt.state):
                return known
        link = None if self._pending is None or not state else await self._pending.look()
        if link is None or not same_state(state, link.state) or link.state in self._begun_here:
            return None
        attempt = LoginAttempt("", link.state, self._clock.now() + ATTEMPT_LIFE)
        self._taken_over = _Open(attempt, _nobody)
        return self._taken_over

    async def _finish(self, found: _Open, address: str) -> str:
        """Exchange the code unless another machine does, tell whoever waits, and say what the browser is told."""
        if not await self._is_ours(found):
            return await self._heard(found)
        trouble: GexcordError | None = None
        try:
            await self._auth.finish_login(found.attempt, address)
        except GexcordError as error:
            trouble = error
        answer = found.answer = _DONE if trouble is None else trouble.sentence
        await self._tell(found, trouble)
        await self._settle(found, "" if trouble is None else trouble.sentence)
        return answer

    async def _is_ours(self, found: _Open) -> bool:
        """Whether to exchange the code here. What was begun here needs no Redis for that."""
        try:
            return self._pending is None or await self._pending.claim(found.attempt.state) is not False
        except TransientError:
            if found is self._taken_over:
                raise
            return True

    async def _heard(self, found: _Open) -> str:
        """What the machine that exchanges the code says came of it."""
        for _ in range(_HEAR_TIMES):
            link = None if self._pending is None else await self._pending.look()
            if link is None or not same_state(found.attempt.state, link.state):
                break
            if link.outcome is not None:
                found.answer = link.outcome or _DONE
                return found.answer
            await self._clock.sleep(_HEAR_EVERY_S)
        return _ELSEWHERE_STILL

    async def _settle(self, found: _Open, outcome: str) -> None:
        try:
            if self._pending is not None:
                await self._pending.settle(found.attempt.state, outcome)
        except TransientError as error:
            _LOG.warning("other machines are not told how a login went: %s", error)

    async def _tell(self, found: _Open, trouble: GexcordError | None) -> None:
        found.told = True
        try:
            await found.done(trouble)
        except Exception:  # noqa: BLE001  # the login itself went as it went; whoever waits for it is another matter
            _LOG.exception("nobody could be told how the login went")

    def _came_by_the_address(self, request: web.Request) -> bool:
        proxies = self._proxies_passed(request)
        host = _told(request, "X-Forwarded-Host", proxies) or request.host
        scheme = _told(request, "X-Forwarded-Proto", proxies) or "https"
        return _plain(host) == _plain(self._parts.netloc) and scheme.lower() == "https"

    def _proxies_passed(self, request: web.Request) -> int:
        """How many named proxies in a row, from this end, the request came through; each adds whom it had it from."""
        came_by = (request.remote or "", *reversed(_entries(request, "X-Forwarded-For")))
        return sum(1 for _ in takewhile(self._is_proxy, came_by))

    def _is_proxy(self, remote: str) -> bool:
        try:
            address = ipaddress.ip_address(remote)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any(address in network or (mapped is not None and mapped in network) for network in self._proxies)


def _entries(request: web.Request, name: str) -> list[str]:
    """What the proxies on the way have written under this name, the one nearest to us last."""
    return [entry.strip() for line in request.headers.getall(name, ()) for entry in line.split(",")]


def _told(request: web.Request, name: str, proxies: int) -> str:
    """What the outermost of so many proxies says; what stands left of that, anybody may have written."""
    return next(iter(_entries(request, name)[-proxies:]), "") if proxies else ""


async def _nobody(_trouble: GexcordError | None) -> None:
    """Who waits for it waits on the machine that was asked, which hears of it."""


def _plain(host: str) -> str:
    """A host as it is compared: small letters, without the port that `https` implies."""
    return host.strip().lower().removesuffix(":443")
