"""A person at a local Discord who uses slash commands, and how long the bot takes to answer them."""

import asyncio
from dataclasses import dataclass
from typing import Final

from bot.sandbox.local_discord import Sandbox
from bot.sandbox.visitor.actions import PageActions
from bot.sandbox.world.records import Change, Deed, Json, Message, MessageChange

_SUBCOMMAND: Final = 1
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Reply:
    """The first answer to a command; a placeholder ("is thinking") is one without a text."""

    after_s: float
    text: str


class Asker:
    """The owner of the server, asking in one channel after another."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._persona = sandbox.world.personas["owner"]
        desk, book = sandbox.desk, sandbox.commands
        self._actions = PageActions(sandbox.world, book, desk, sandbox.gateway, sandbox.page_url.rstrip("/"))
        self._awaited: dict[int, asyncio.Future[Message]] = {}
        sandbox.world.listen(self._hear)

    async def offered(self, command: str) -> None:
        """Wait until the bot has told Discord of a command."""
        while self._command_id(command) is None:
            await asyncio.sleep(_LOOK_S)

    async def ask(self, command: str, channel_id: int, *, within_s: float = 3.0) -> Reply | None:
        """Use a command such as `gex status`; None when no answer came in the time that Discord gives a bot."""
        name, _, part = command.partition(" ")
        options = [{"type": _SUBCOMMAND, "name": part}] if part else []
        loop = asyncio.get_running_loop()
        asked: Json = {"channel_id": channel_id, "command_id": self._command_id(name), "options": options}
        asked_s = loop.time()
        number = self._actions.command(self._persona, asked).id
        self._awaited[number] = answer = loop.create_future()
        try:
            async with asyncio.timeout(within_s):
                message = await answer
        except TimeoutError:
            return None
        finally:
            del self._awaited[number]
        return Reply(loop.time() - asked_s, _text(message))

    def _command_id(self, name: str) -> str | None:
        book = self._sandbox.commands.all(None)
        return next((str(command["id"]) for command in book if command["name"] == name), None)

    def _hear(self, change: Change) -> None:
        if not isinstance(change, MessageChange) or change.deed is not Deed.CREATE or change.message.origin is None:
            return
        answer = self._awaited.get(change.message.origin.interaction_id)
        if answer is not None and not answer.done():
            answer.set_result(change.message)


def _text(message: Message) -> str:
    """What is read first: the words, then the embeds'."""
    embeds = [str(embed.get(part, "")) for embed in message.embeds for part in ("title", "description")]
    return "\n".join(filter(None, [message.content, *embeds]))
