"""The login whose link is out, where every machine of the bot sees it: whichever the browser comes to finishes it.

There is one at a time, the newest of all. It is sealed as the login itself, with a key of its own, and expires.
"""

import logging
import secrets
from datetime import timedelta
from typing import Final, Protocol

import msgspec
from pydantic import SecretStr

from streaming.errors import ConfigurationError
from streaming.schwab.login.cipher import SharedCipher

_LOG: Final = logging.getLogger(__name__)
_ABOUT: Final = b"gexcord pending login 1"
_WHERE: Final = "The login whose link is out"


class PassingPlace(Protocol):
    """Where it lies (`streaming.bus.shared_secret`); its methods raise TransientError when that does not answer."""

    async def put(self, sealed: bytes, ttl_ms: int) -> None:
        """Keep this for so long, whatever was there."""
        ...

    async def look(self) -> bytes:
        """What is kept; empty when nothing is."""
        ...

    async def exchange(self, seen: bytes, sealed: bytes) -> bool:
        """Keep this in place of what was seen, no longer than that; False when something else is there by now."""
        ...


class OpenLink(msgspec.Struct, frozen=True):
    """What is known of it, on every machine."""

    state: str
    taker: str = ""
    """The process that exchanges its code; nobody yet."""
    outcome: str | None = None
    """Why that did not work, and nothing if it did; None until it is known."""


class PendingLogin:
    """The link of all machines, as one process sees it under its own `name`."""

    def __init__(self, place: PassingPlace, *, key: SecretStr, name: str) -> None:
        self._place = place
        self._cipher = SharedCipher(key, about=_ABOUT)
        self._name = name

    async def offer(self, state: str, life: timedelta) -> None:
        """Take the place of every link before."""
        await self._place.put(self._sealed(OpenLink(state)), max(int(life.total_seconds() * 1000), 1))

    async def look(self) -> OpenLink | None:
        """The newest link; None when there is none, or none that this machine can read."""
        return self._opened(await self._place.look())

    async def claim(self, state: str) -> bool | None:
        """Whether this process is to exchange the code, which one alone may; None when that is not the newest link."""
        while True:
            seen = await self._place.look()
            link = self._opened(seen)
            if link is None or not same_state(state, link.state):
                return None
            if link.taker:
                return link.taker == self._name
            if await self._place.exchange(seen, self._sealed(OpenLink(state, self._name))):
                return True

    async def settle(self, state: str, outcome: str) -> None:
        """Say what came of it to every machine, if it is the newest link still."""
        seen = await self._place.look()
        link = self._opened(seen)
        if link is not None and same_state(state, link.state):
            await self._place.exchange(seen, self._sealed(OpenLink(state, self._name, outcome)))

    def _sealed(self, link: OpenLink) -> bytes:
        return self._cipher.seal(msgspec.json.encode(link))

    def _opened(self, sealed: bytes) -> OpenLink | None:
        if not sealed:
            return None
        try:
            return msgspec.json.decode(self._cipher.open(sealed, where=_WHERE), type=OpenLink)
        except (ConfigurationError, msgspec.DecodeError) as error:
            _LOG.warning("a login that another machine began cannot be finished here: %s", error)
            return None


def same_state(given: str, ours: str) -> bool:
    """Compared without telling by the time how much of it is right."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), ours.encode())
