"""One connection to Discord's gateway: dialled, resumed, opened anew within the day's budget.

discord.py's own loop dials at once whenever the gateway closes, ends on whatever it does not know, and trips over a
first connection that fails. This one goes on until the client is closed or Discord says for good that it will not have
the bot.
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from contextvars import ContextVar
from random import Random
from typing import Any, Final

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from bot.wire.gateway_events import place_in_code
from bot.wire.identify_budget import IdentifyBudget
from bot.wire.identify_slots import IdentifySlots
from bot.wire.login import refusal
from streaming.clock import Clock
from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError, OperatorError, TransientError
from streaming.ports import Tell
from streaming.process.backoff import Backoff

log = logging.getLogger(__name__)

_DIAL_S: Final = 60.0
_CLOSE_S: Final = 2.0
_RESUMABLE_CLOSE: Final = 4000
_FINAL_CLOSE: Final = 1000
_KNOWN_ENDS: Final = (ReconnectWebSocket, discord.ConnectionClosed, aiohttp.ClientError, OSError)
"""After these an old session may go on; after anything else it would bring the same again."""
_FIRST_S: Final = 0.5
_CAP_S: Final = 30.0
_GOOD_S: Final = 30.0
"""A connection that lasted so long after Discord welcomed the bot was a good one."""
_MOST_RESUMES: Final = 5
"""Attempts in a row to take up the old session, at the address that Discord gave for it."""
_LOOK_AGAIN_S: Final = 900.0


_opened: ContextVar[list[DiscordWebSocket]] = ContextVar("opened")


class _Noted(DiscordWebSocket):
    """Known to whoever dials before it is greeted: discord.py forgets one whose greeting fails as it is, open."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(socket, loop=loop)
        _opened.get().append(self)


class NotShardedError(ConfigurationError):
    """Discord wants the bot in more shards than it is."""


class Gateway:
    """Keeps a client connected, or one of its shards; knows whether it is, and for how long it has not been."""

    def __init__(  # noqa: PLR0917  # what a connection is made of, then which of several it is
        self,
        client: discord.Client,
        clock: Clock,
        rng: Random,
        budget: IdentifyBudget | None,
        slots: IdentifySlots | None = None,
        shard: int | None = None,
    ) -> None:
        """`slots` are where a `shard` waits for its turn to identify; a bot without shards has neither."""
        self._client = client
        self._slots = slots
        self._shard = shard
        self._clock = clock
        self._rng = rng
        self._budget = budget
        self._session: dict[str, Any] = {}
        """What discord.py needs to take up the last session; empty for a new one."""
        self._resumes = 0
        self._dialled = False
        self._up_s: float | None = None
        self._down_s = clock.monotonic()
        self._queues = False
        self.socket: DiscordWebSocket | None = None
        """The connection of this moment."""

    @property
    def is_up(self) -> bool:
        """Whether Discord has welcomed the bot on the connection of this moment."""
        return self._up_s is not None

    @property
    def away_since_s(self) -> float | None:
        """Since when commands are not answered on it; None while it is up, or waits for its turn to identify."""
        return None if self.is_up or self._queues else self._down_s

    def up(self) -> None:
        """Discord has opened a session, or taken one up again."""
        self._up_s = self._clock.monotonic()
        self._resumes = 0

    async def note_identify(self) -> None:
        """A session is about to be opened; a shard waits for its turn."""
        if self._slots is not None and self._shard is not None:
            await self._slots.claim(self._shard)
        if self._budget is not None:
            await self._budget.note()

    async def run(self, tell: Tell) -> None:
        """Stay connected until the client is closed.

        Raises LoginRequiredError (4004, 4014) or ConfigurationError (4011, 4013) when Discord will not have the bot.
        """
        backoff, told = Backoff(self._rng, first_s=_FIRST_S, cap_s=_CAP_S), False
        while not self._client.is_closed():
            trouble = await self._stay()
            if self._client.is_closed():
                return
            if self._lasted():
                backoff.reset()
            wait_s = max(backoff.next_s(), _least_s(trouble))
            log.warning("the gateway is away: %s It is dialled again in %.1f s.", trouble, wait_s)
            if isinstance(trouble, OperatorError) and not told:
                tell(trouble.sentence)
            told = isinstance(trouble, OperatorError)
            await self._clock.sleep(wait_s)

    async def _stay(self) -> GexcordError:
        """Connect and listen; returns what ended it, and raises only what Discord says for good."""
        ws: DiscordWebSocket | None = None
        try:
            if self._budget is not None and not self._session:
                await self._budget.check()
            self.socket = self._client.ws = ws = await self._dial()
            while True:
                await ws.poll_event()
        except asyncio.CancelledError:
            if ws is not None and self._shard is not None:
                await _end(ws, _FINAL_CLOSE)  # another process goes on with the shard, in a session of its own
            raise
        except Exception as error:  # noqa: BLE001  # whatever ended it, there is one thing to do: dial again
            self._note_end(ws, error)
            if ws is not None:
                await _end(ws)
            return _trouble(error)
        finally:
            self.socket, self._queues = None, False

    async def _dial(self) -> DiscordWebSocket:
        turn: AbstractAsyncContextManager[None] = nullcontext()
        if self._slots is not None and self._shard is not None and not self._session:
            self._queues, turn = True, self._slots.near(self._shard)
        async with turn:
            if self._queues:
                self._queues, self._down_s = False, self._clock.monotonic()
            ws = await self._greet()
        self._dialled = True
        return ws

    async def _greet(self) -> DiscordWebSocket:
        """Open a connection; one that breaks before Discord has heard of us is closed, with its heartbeat."""
        opened: list[DiscordWebSocket] = []
        token = _opened.set(opened)
        try:
            async with asyncio.timeout(_DIAL_S):
                return await _Noted.from_client(
                    self._client, initial=not self._dialled, shard_id=self._shard, **self._session
                )
        except BaseException:
            for ws in opened:
                await _end(ws)
            raise
        finally:
            _opened.reset(token)

    def _note_end(self, ws: DiscordWebSocket | None, error: Exception) -> None:
        """Remember what a resume needs, or that there can be none."""
        self._client.dispatch("disconnect")
        self._down_s = self._clock.monotonic() if self._up_s is not None else self._down_s
        if ws is not None and ws.session_id is not None:
            self._session = {"session": ws.session_id, "sequence": ws.sequence, "gateway": ws.gateway, "resume": True}
        self._resumes += 1
        lost = isinstance(error, ReconnectWebSocket) and not error.resume
        if lost or self._resumes > _MOST_RESUMES or not isinstance(error, _KNOWN_ENDS):
            self._session, self._resumes = {}, 0

    def _lasted(self) -> bool:
        """Whether the connection that ended was a good one; forgets it."""
        up_s, self._up_s = self._up_s, None
        return up_s is not None and self._clock.monotonic() - up_s >= _GOOD_S


def _trouble(error: Exception) -> GexcordError:
    """What ended a connection, as a sentence; raises what Discord says for good."""
    match error:
        case GexcordError():
            return error
        case ReconnectWebSocket():
            return TransientError("It asked for a new connection, or fell silent.")
        case discord.ConnectionClosed():
            if (last_word := _last_word(error.code)) is not None:
                raise last_word from None
            return TransientError(f"It closed the connection (code {error.code}).")
        case OSError() | aiohttp.ClientError():
            return TransientError(f"It does not answer ({type(error).__name__}).")
    return TransientError(f"It sent something unreadable ({type(error).__name__} in {place_in_code(error)}).")


def _last_word(code: int) -> OperatorError | None:
    """What a close code means after which dialling again is of no use."""
    match code:
        case 4004:
            return refusal()
        case 4011:
            return NotShardedError(
                "Discord wants this bot in more shards (close code 4011): it is in too many servers for those it has.",
                remedy="Restart the bot: it then asks how many it should be.",
            )
        case 4013:
            return ConfigurationError(
                "Discord does not know an intent that the bot asks for (close code 4013).",
                remedy="Install the discord.py that requirements.txt names, or update the bot.",
            )
        case 4014:
            return LoginRequiredError(
                "Discord does not allow this application an intent that the bot asks for (close code 4014).",
                remedy="Allow it in the Discord developer portal under Bot, Privileged Gateway Intents.",
            )
    return None


def _least_s(trouble: GexcordError) -> float:
    """How long Discord, or the day's budget, asks to wait; the budget is looked at again all the same."""
    asked_s = trouble.retry_after_s if isinstance(trouble, OperatorError | TransientError) else None
    return min(asked_s or 0.0, _LOOK_AGAIN_S)


async def _end(ws: DiscordWebSocket, code: int = _RESUMABLE_CLOSE) -> None:
    """Close what may be open yet, so that its heartbeat ends with it."""
    with suppress(Exception):
        async with asyncio.timeout(_CLOSE_S):
            await ws.close(code)
