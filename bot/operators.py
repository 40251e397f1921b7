"""Who the operators are, and how they are told what only they can mend."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final

import aiohttp
import discord

from bot.render.message_form import MESSAGE_CHARS, listed
from bot.wire.verdicts import passing, verdict_of
from streaming.clock import Clock
from streaming.errors import GexcordError, TransientError

log = logging.getLogger(__name__)

_TEAM_ROLES: Final = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})
_SEND_LIMIT_S: Final = 15.0
_FIRST_TRY_S: Final = 2.0
_LAST_TRY_S: Final = 600.0
_MOST_NAMED: Final = 5
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
    """Who may give orders: `DISCORD_OPERATOR_IDS`, else whoever owns the Discord application; and who holds a role."""

    def __init__(
        self,
        configured: Collection[int],
        application: Callable[[], discord.AppInfo | None],
        roles: Collection[int] = (),
    ) -> None:
        self._configured = frozenset(configured)
        self._application = application
        self._roles = tuple(roles)

    def ids(self) -> frozenset[int]:
        """The operators' user ids as known now; empty without setting and before the login."""
        return self._configured or application_operators(self._application())

    def include(self, person: discord.abc.Snowflake) -> bool:
        """Whether a person may give orders, as a member with their roles where they were met in a server."""
        held = person.get_role if isinstance(person, discord.Member) else None
        return person.id in self.ids() or (held is not None and any(held(role) for role in self._roles))

    @property
    def words(self) -> str:
        """Whom to ask, as Discord shows them; mentions never ping. Empty before the login."""
        people = [f"<@{user_id}>" for user_id in sorted(self.ids())]
        return listed([*people, *(f"<@&{role}>" for role in self._roles)], _MOST_NAMED)


Send = Callable[[int, str], Awaitable[None]]
"""Takes the id of a person, or of a channel, and a text."""


@dataclass(slots=True)
class _Letter:
    """One sentence on its way to one operator, or to the channel of all."""

    to: int
    text: str
    send: Send
    tries: int = 0


class OperatorMail:
    """Direct messages to every operator, and a line in their channel: each sentence once in a while, never many.

    Before `open()` sentences wait, newest kept, so what fails while the bot is still logging in is not lost. What
    Discord does not take now is tried again for about an hour; who takes no messages is counted.
    """

    def __init__(
        self,
        operators: Operators,
        send: Send,
        clock: Clock,
        *,
        channel: tuple[int, Send] | None = None,
        repeat_after_s: float = 3600.0,
        at_most: int = 20,
        within_s: float = 3600.0,
        waiting: int = 20,
    ) -> None:
        self._operators = operators
        self._send = send
        self._channel = channel
        self._clock = clock
        self._repeat_after_s = repeat_after_s
        self._at_most = at_most
        self._within_s = within_s
        self._sent: deque[tuple[float, str]] = deque()
        self._waiting: deque[str] = deque(maxlen=waiting)
        self._deliveries: set[asyncio.Task[None]] = set()
        self._is_open = False
        self.unreachable: set[int] = set()
        """Operators, or their channel, to whom the last sentence could not be sent."""

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
        letters = [_Letter(user_id, text, self._send) for user_id in sorted(self._operators.ids())]
        if self._channel is not None:
            letters.append(_Letter(self._channel[0], text, self._channel[1]))
        for letter in letters:
            task = asyncio.create_task(self._deliver(letter), name="operator mail")
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

    async def _deliver(self, letter: _Letter) -> None:
        """Send one letter; for a reason that passes try again, ever more slowly and not for ever."""
        while (trouble := await self._try(letter)) is not None:
            letter.tries += 1
            if letter.tries >= _MOST_TRIES:
                self._give_up(letter, trouble)
                return
            least_s = trouble.retry_after_s if isinstance(trouble, TransientError) else None
            await self._clock.sleep(max(min(_FIRST_TRY_S * 2.0**letter.tries, _LAST_TRY_S), least_s or 0.0))

    async def _try(self, letter: _Letter) -> GexcordError | None:
        """None when it has arrived, or never will."""
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                await letter.send(letter.to, letter.text)
        except discord.HTTPException as error:
            verdict = verdict_of(error)
            if verdict is None or verdict.concerns not in {"reader", "channel"}:
                return passing(error)
            self._give_up(letter, verdict.error(f"operator {letter.to}"))
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return passing(error)
        else:
            self.unreachable.discard(letter.to)
        return None

    def _give_up(self, letter: _Letter, trouble: GexcordError) -> None:
        self.unreachable.add(letter.to)
        log.warning("operator %s could not be told (%s)", letter.to, trouble)
