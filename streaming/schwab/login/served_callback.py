"""The callback that a bot serves behind a proxy or tunnel with TLS: a person taps the link, and nothing is pasted."""

import asyncio
import ipaddress
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from streaming.addresses import answering_address
from streaming.clock import Clock
from streaming.errors import GexcordError, UnavailableError
from streaming.ports import Progress, Tell
from streaming.process.loopback import loopback_port
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.login_page import SIGN, login_page
from streaming.schwab.login.oauth import LoginAttempt
from streaming.setting_values import parse_bind
from streaming.settings import StreamSettings

_LOG: Final = logging.getLogger(__name__)
_WHOSE: Final = "SCHWAB_CALLBACK_BIND"
_REMEDY: Final = "Choose another port. Until then logins work by pasting the address."
_MOST_CONNECTIONS: Final = 32
_END_WITHIN_S: Final = 0.1
_TRY_EVERY_S: Final = 5.0
_STRANGE_TRIES: Final = 3
"""A process that ends or is asleep has the port for a while without an answer."""
_ASK: Final = aiohttp.ClientTimeout(total=2.0)
_MOST_READ: Final = 4096
_UNKNOWN: Final = (
    "This login was not begun here. Open the newest link; or, if another process or machine of the bot was asked,"
    " copy the whole address of this page at once and paste it under that link."
)
_DONE: Final = "You are logged in. You can close this page; Discord says until when."
_TOO_OLD: Final = "This login link is more than ten minutes old. Ask for a new one."
_ELSEWHERE: Final = "This is not the address that is registered at Schwab."
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Done = Callable[[GexcordError | None], Awaitable[None]]
"""Told once how a login went: why it did not, or None."""


@dataclass(slots=True)
class _Open:
    """The one login that may arrive."""

    attempt: LoginAttempt
    done: Done
    answer: str | None = None
    """What the browser was told, and is told again when its page is loaded anew: a code works once."""


class ServedCallback:
    """Finishes the newest login that was begun here; one of before, and every other state, is turned away.

    Whoever asks must have come by the registered address, as `Host` says, or a proxy of `proxies` in its forwarded
    headers; those of anybody else are not looked at.
    """

    def __init__(
        self, auth: SchwabAuthClient, callback_url: str, clock: Clock, *, proxies: Sequence[Network] = ()
    ) -> None:
        self._auth = auth
        self._clock = clock
        self._parts = urlsplit(callback_url)
        self._proxies = tuple(proxies)
        self._open: _Open | None = None
        self.is_served = False
        """Whether a browser reaches it; while it does not, an address has to be pasted."""

    def begin(self, done: Done) -> LoginAttempt:
        """A link for a person; it takes the place of the one before. ConfigurationError as `begin_login`."""
        attempt = self._auth.begin_login()
        self._open = _Open(attempt, done)
        return attempt

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a browser."""
        if request.path != (self._parts.path or "/"):
            return web.Response(status=404)
        if not self._came_by_the_address(request):
            return login_page(_ELSEWHERE, status=421)
        if not {"code", "error"} & set(request.query):
            return web.Response(status=404)
        found = self._open
        if found is None or not _same(request.query.get("state", ""), found.attempt.state):
            return login_page(_UNKNOWN, status=400)
        if found.answer is None and self._clock.now() >= found.attempt.ends_at:
            return login_page(_TOO_OLD, status=400)
        if found.answer is None:
            found.answer = _DONE  # before anything is waited for: a second request finds the code taken
            await self._finish(found, f"{self._parts.scheme}://{self._parts.netloc}{request.raw_path}")
        return login_page(found.answer, status=200 if found.answer == _DONE else 400)

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

    async def _finish(self, found: _Open, address: str) -> None:
        trouble: GexcordError | None = None
        try:
            await self._auth.finish_login(found.attempt, address)
        except GexcordError as error:
            trouble, found.answer = error, error.sentence
        try:
            await found.done(trouble)
        except Exception:  # noqa: BLE001  # the login itself went as it went; whoever waits for it is another matter
            _LOG.exception("nobody could be told how the login went")

    def _came_by_the_address(self, request: web.Request) -> bool:
        host, scheme = request.host, "https"
        if self._is_proxy(request.remote):
            host = request.headers.get("X-Forwarded-Host", host)
            scheme = request.headers.get("X-Forwarded-Proto", scheme)
        return _plain(host) == _plain(self._parts.netloc) and scheme.lower() == "https"

    def _is_proxy(self, remote: str | None) -> bool:
        try:
            address = ipaddress.ip_address(remote or "")
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def _same(given: str, ours: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), ours.encode())


def _plain(host: str) -> str:
    """A host as it is compared: small letters, without the port that `https` implies."""
    return host.strip().lower().removesuffix(":443")


class CallbackPort:
    """Where a callback is answered: of the processes of a bot that share a machine, one at a time can have the port."""

    def __init__(self, callback: ServedCallback, place: tuple[str, int], clock: Clock, *, tell: Tell) -> None:
        self.callback = callback
        self.place = place
        self._clock = clock
        self._tell = tell
        self._strange = 0
        """Tries in a row at which whoever has the port did not answer as we would."""
        self._is_lent = False

    async def hold(self, progress: Progress) -> None:
        """The job: take the port as soon as it is free, and answer until cancelled.

        One that another process of the bot has is waited for; operators are told, once, of one that a stranger has.
        """
        while True:
            try:
                async with serve_callback(self.callback, *self.place):
                    progress()
                    self._strange, self._is_lent = 0, False
                    _LOG.info("logins arrive at %s:%d", *self.place)
                    await asyncio.Event().wait()
            except UnavailableError as error:
                await self._note_taken(error)
            await self._clock.sleep(_TRY_EVERY_S)

    async def _note_taken(self, error: UnavailableError) -> None:
        if not await self.callback.is_answered_by_another(*self.place):
            self._strange += 1
            if self._strange == _STRANGE_TRIES:
                self._tell(error.sentence)
            return
        self._strange = 0
        if not self._is_lent:
            _LOG.info("another process of this bot has %s; logins that are begun here are pasted", _WHOSE)
        self._is_lent = True


def callback_port(
    settings: StreamSettings, auth: SchwabAuthClient | None, clock: Clock, *, tell: Tell
) -> CallbackPort | None:
    """Where logins shall arrive, if the settings want that."""
    if auth is None or settings.schwab_callback_bind is None:
        return None
    proxies = [ipaddress.ip_network(proxy) for proxy in settings.schwab_callback_proxies]
    callback = ServedCallback(auth, settings.schwab_callback_url, clock, proxies=proxies)
    return CallbackPort(callback, parse_bind(settings.schwab_callback_bind), clock, tell=tell)


@asynccontextmanager
async def serve_callback(callback: ServedCallback, host: str, port: int) -> AsyncIterator[int]:
    """Answer at an address of this machine while inside, and yield the port; UnavailableError when it is taken."""
    application = web.Application(client_max_size=1)
    application.router.add_get("/{path:.*}", callback.handle, allow_head=False)
    async with loopback_port(port, whose=_WHOSE, remedy=_REMEDY, host=host) as place:
        await place.serve(application, shutdown_s=_END_WITHIN_S, most_connections=_MOST_CONNECTIONS)
        callback.is_served = True
        try:
            yield place.number
        finally:
            callback.is_served = False
