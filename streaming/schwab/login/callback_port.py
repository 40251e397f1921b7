"""Where a served callback is answered: of the processes of a bot on one machine, one at a time can have the port."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from streaming.clock import Clock
from streaming.errors import UnavailableError
from streaming.ports import Progress, Tell
from streaming.process.loopback import loopback_port
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.pending_login import PendingLogin
from streaming.schwab.login.served_callback import ServedCallback
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


class CallbackPort:
    """Waits for the port, and answers there."""

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
        async with asyncio.TaskGroup() as group:
            group.create_task(self.callback.follow(), name="logins that others finish")
            group.create_task(self._hold(progress), name="the callback's port")

    async def _hold(self, progress: Progress) -> None:
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
            self.callback.is_served, self._is_lent = False, False
            self._strange += 1
            if self._strange == _STRANGE_TRIES:
                self._tell(error.sentence)
            return
        self._strange = 0
        if not self._is_lent:
            whose = "finished by that one" if self.callback.is_shared else "pasted"
            _LOG.info("another process of this bot has %s; logins that are begun here are %s", _WHOSE, whose)
        self._is_lent, self.callback.is_served = True, self.callback.is_shared


def callback_port(
    settings: StreamSettings,
    auth: SchwabAuthClient | None,
    clock: Clock,
    *,
    tell: Tell,
    pending: PendingLogin | None = None,
) -> CallbackPort | None:
    """Where logins shall arrive, if the settings want that."""
    if auth is None or settings.schwab_callback_bind is None:
        return None
    proxies = [ipaddress.ip_network(proxy) for proxy in settings.schwab_callback_proxies]
    callback = ServedCallback(auth, settings.schwab_callback_url, clock, proxies=proxies, pending=pending)
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
