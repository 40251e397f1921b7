"""Who the operators are, and how they are told what only they can mend."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final

import aiohttp
import discord

from bot.render.message_form import MESSAGE_CHARS
from bot.wire.verdicts import passing, verdict_of
from streaming.clock import Clock
from streaming.errors import GexcordError, TransientError

log = logging.getLogger(__name__)

_TEAM_ROLES: Final = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})
_SEND_LIMIT_S: Final = 15.0
_FIRST_TRY_S: Final = 2.0
_LAST_TRY_S: Final = 600.0
_MOST_TRIES: Final = 13
"""About an hour in all."""


def application_operators(application: discord.AppInfo | None) -> frozenset[int]:
    """The application's owner, or of a team its owner and the members who may change it."""
    if application is None:
        return frozenset()
    team = application.team
    if team is None:
        return frozenset({application.owner.id})
    members = (
        member.id
        for member in team.members
        if member.membership_state is discord.TeamMembershipState.accepted and member.role in _TEAM_ROLES
    )
    return frozenset(members) | ({team.owner_id} if team.owner_id else set())


class Operators:
    """Who may give orders: `DISCORD_OPERATOR_IDS`, else whoever owns the Discord application."""

    def __init__(self, configured: Collection[int], application: Callable[[], discord.AppInfo | None]) -> None:
        self._configured = frozenset(configured)
        self._application = application

    def ids(self) -> frozenset[int]:
        """The operators' user ids as known now; empty without setting and before the login."""
        return self._configured or application_operators(self._application())

    def __contains__(self, user_id: int) -> bool:
        return user_id in self.ids()


@dataclass(slots=True)
class _DirectMessage:
    """One sentence on its way to one operator."""

    user_id: int
    text: str
    tries: int = 0


class OperatorMail:
    """Direct messages to every operator, beside whoever tells: each sentence once in a while, never many at a time.

    Before `open()` sentences wait, newest kept, so what fails while the bot is still logging in is not lost. What
    Discord does not take now is tried again for about an hour; who takes no messages is counted.
    """

    def __init__(
        self,
        operators: Operators,
        send: Callable[[int, str], Awaitable[None]],
        clock: Clock,
        *,
        repeat_after_s: float = 3600.0,
        at_most: int = 20,
        within_s: float = 3600.0,
        waiting: int = 20,
    ) -> None:
        self._operators = operators
        self._send = send
        self._clock = clock
        self._repeat_after_s = repeat_after_s
        self._at_most = at_most
        self._within_s = within_s
        self._sent: deque[tuple[float, str]] = deque()
        self._waiting: deque[str] = deque(maxlen=waiting)
        self._deliveries: set[asyncio.Task[None]] = set()
        self._is_open = False
        self.unreachable: set[int] = set()
        """Operators to whom the last sentence could not be sent."""

    def open(self) -> None:
        """Begin to deliver, with what has been waiting."""
        self._is_open = True
        while self._waiting:
            self.tell(self._waiting.popleft())

    async def close(self) -> None:
        """Give up what is still on its way."""
        self._is_open = False
        for task in self._deliveries:
            task.cancel()
        if self._deliveries:
            await asyncio.wait(self._deliveries)

    def tell(self, sentence: str) -> None:
        """Have a sentence sent to every operator; returns at once."""
        if not self._is_open:
            if sentence not in self._waiting:
                self._waiting.append(sentence)
            return
        if not self._may_send(sentence):
            log.info("the operators are not told again so soon: %s", sentence)
            return
        self._sent.append((self._clock.monotonic(), sentence))
        text = sentence[:MESSAGE_CHARS]
        for user_id in sorted(self._operators.ids()):
            task = asyncio.create_task(self._deliver(_DirectMessage(user_id, text)), name="operator mail")
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def delivered(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._deliveries:
            await asyncio.wait(self._deliveries)

    def _may_send(self, sentence: str) -> bool:
        now = self._clock.monotonic()
        while self._sent and self._sent[0][0] <= now - max(self._within_s, self._repeat_after_s):
            self._sent.popleft()
        repeated = any(text == sentence and at > now - self._repeat_after_s for at, text in self._sent)
        recent = sum(at > now - self._within_s for at, _ in self._sent)
        return not repeated and recent < self._at_most

    async def _deliver(self, message: _DirectMessage) -> None:
        """Send one message; for a reason that passes try again, ever more slowly and not for ever."""
        while (trouble := await self._try(message)) is not None:
            message.tries += 1
            if message.tries >= _MOST_TRIES:
                self._give_up(message, trouble)
                return
            least_s = trouble.retry_after_s if isinstance(trouble, TransientError) else None
            await self._clock.sleep(max(min(_FIRST_TRY_S * 2.0**message.tries, _LAST_TRY_S), least_s or 0.0))

    async def _try(self, message: _DirectMessage) -> GexcordError | None:
        """None when the message has arrived, or never will."""
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                await self._send(message.user_id, message.text)
        except discord.HTTPException as error:
            verdict = verdict_of(error)
            if verdict is None or verdict.concerns != "reader":
                return passing(error)
            self._give_up(message, verdict.error(f"operator {message.user_id}"))
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return passing(error)
        else:
            self.unreachable.discard(message.user_id)
        return None

    def _give_up(self, message: _DirectMessage, trouble: GexcordError) -> None:
        self.unreachable.add(message.user_id)
        log.warning("operator %s could not be told by direct message (%s)", message.user_id, trouble)
