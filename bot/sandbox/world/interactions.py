"""Interactions: who asked what, whether the bot answered in time, and with which message."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from bot.sandbox.world.api_errors import (
    already_acknowledged,
    invalid_webhook_token,
    unknown_interaction,
    unknown_webhook,
)
from bot.sandbox.world.records import Json, Message, MessageOrigin, Persona
from bot.sandbox.world.world import World

ANSWER_WITHIN_S: Final = 3.0
TOKEN_LIVES_S: Final = 15 * 60.0
INTERACTIONS_KEPT: Final = 500


class InteractionKind(IntEnum):
    """Interaction types by Discord's numbering."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CallbackKind(IntEnum):
    """Interaction response types by Discord's numbering."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing a persona did; `original` is the message that `@original` means once there is one."""

    id: int
    token: str
    kind: InteractionKind
    persona: Persona
    channel_id: int
    started_s: float
    name: str = ""
    source: Message | None = None
    user_installed: bool = False
    """The persona brings the application along, to a server that it is no member of."""
    answered_as: CallbackKind | None = None
    expired: bool = False
    original: Message | None = None
    modal: Json | None = None
    choices: asyncio.Future[list[Json]] | None = None
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def origin(self) -> MessageOrigin:
        """What a message says of the interaction it answers."""
        return MessageOrigin(self.id, int(self.kind), self.persona.member.user, self.name)


class InteractionDesk:
    """Opens interactions, watches their deadlines, finds them again by id or token."""

    def __init__(self, world: World, on_failure: Callable[[Interaction], None], within_s: float) -> None:
        self._world = world
        self._on_failure = on_failure
        self._within_s = within_s
        self._by_id: OrderedDict[int, Interaction] = OrderedDict()
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: InteractionKind,
        persona: Persona,
        channel_id: int,
        *,
        name: str = "",
        source: Message | None = None,
        user_installed: bool = False,
    ) -> Interaction:
        """Start an interaction and its deadline."""
        loop = asyncio.get_running_loop()
        interaction = Interaction(
            id=self._world.snowflakes.next(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            persona=persona,
            channel_id=channel_id,
            started_s=self._world.clock.monotonic(),
            name=name,
            source=source,
            user_installed=user_installed,
        )
        if kind is InteractionKind.AUTOCOMPLETE:
            interaction.choices = loop.create_future()
        interaction.timer = loop.call_later(self._within_s, self._expire, interaction)
        self._keep(interaction)
        return interaction

    def get(self, interaction_id: int) -> Interaction | None:
        """An interaction by id, None when it never was."""
        return self._by_id.get(interaction_id)

    def answerable(self, interaction_id: int, token: str) -> Interaction:
        """The interaction if it still waits for its first answer; raises 10062 or 40060."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or not secrets.compare_digest(interaction.token, token):
            raise unknown_interaction()
        if interaction.answered_as is not None:
            raise already_acknowledged()
        if interaction.expired:
            raise unknown_interaction()
        return interaction

    def acknowledge(self, interaction: Interaction, kind: CallbackKind) -> None:
        """Note the first answer; the three seconds no longer run."""
        interaction.answered_as = kind
        if interaction.timer is not None:
            interaction.timer.cancel()

    def answered(self, application_id: int, token: str) -> Interaction:
        """The interaction of a webhook token; raises 10015 before an answer, 50027 after fifteen minutes."""
        interaction = self._by_token.get(token)
        if interaction is None or application_id != self._world.application_id or interaction.answered_as is None:
            raise unknown_webhook()
        if self._world.clock.monotonic() - interaction.started_s > TOKEN_LIVES_S:
            raise invalid_webhook_token()
        return interaction

    def close(self) -> None:
        """Cancel every deadline."""
        for interaction in self._by_id.values():
            self._drop(interaction)
        self._by_id.clear()
        self._by_token.clear()

    def _keep(self, interaction: Interaction) -> None:
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        while len(self._by_id) > INTERACTIONS_KEPT:
            _, oldest = self._by_id.popitem(last=False)
            del self._by_token[oldest.token]
            self._drop(oldest)

    def _drop(self, interaction: Interaction) -> None:
        if interaction.timer is not None:
            interaction.timer.cancel()
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_result([])

    def _expire(self, interaction: Interaction) -> None:
        interaction.expired = True
        self._drop(interaction)
        if interaction.kind is not InteractionKind.AUTOCOMPLETE:
            self._on_failure(interaction)
