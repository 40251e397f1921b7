"""Who the operators are, and how they are told what only they can mend."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import aiohttp
import discord

from streaming.clock import Clock

log = logging.getLogger(__name__)

_TEAM_ROLES: Final = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})
_LIMIT: Final = 2000


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


class OperatorMail:
    """Direct messages to every operator: each sentence once in a while, never many at a time.

    Before `open()` sentences wait, newest kept, so what fails while the bot is still logging in is not lost.
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
        self._is_open = False

    async def open(self) -> None:
        """Begin to deliver, with what has been waiting."""
        self._is_open = True
        while self._waiting:
            await self.tell(self._waiting.popleft())

    async def tell(self, sentence: str) -> None:
        """Log a sentence and send it to every operator; never raises for a message that cannot be delivered."""
        if not self._is_open:
            if sentence not in self._waiting:
                self._waiting.append(sentence)
            return
        if not self._may_send(sentence):
            log.info("the operators are not told again so soon: %s", sentence)
            return
        self._sent.append((self._clock.monotonic(), sentence))
        await asyncio.gather(*(self._deliver(user_id, sentence) for user_id in sorted(self._operators.ids())))

    def _may_send(self, sentence: str) -> bool:
        now = self._clock.monotonic()
        while self._sent and self._sent[0][0] <= now - max(self._within_s, self._repeat_after_s):
            self._sent.popleft()
        repeated = any(text == sentence and at > now - self._repeat_after_s for at, text in self._sent)
        recent = sum(at > now - self._within_s for at, _ in self._sent)
        return not repeated and recent < self._at_most

    async def _deliver(self, user_id: int, sentence: str) -> None:
        try:
            await self._send(user_id, sentence[:_LIMIT])
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("operator %s could not be told by direct message (%s)", user_id, error)
