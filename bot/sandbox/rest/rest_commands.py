"""REST of application commands, global and of the guild."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.rest.calls import NO_CONTENT, Call, HttpReply, RestRoute
from bot.sandbox.rest.posts import require_object
from bot.sandbox.rest.rate_limits import COMMANDS
from bot.sandbox.world.api_errors import missing_access
from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.world import World


class CommandRoutes:
    """Answers the bot's command sync."""

    def __init__(self, world: World, book: CommandBook) -> None:
        self._world = world
        self._book = book

    def table(self) -> list[RestRoute]:
        """The routes, for commands of everywhere and of one guild."""
        everywhere = "/applications/{application_id}/commands"
        here = "/applications/{application_id}/guilds/{guild_id}/commands"
        return [*self._routes(everywhere, None), *self._routes(here, "guild_id")]

    def _routes(self, path: str, major: str | None) -> list[RestRoute]:
        one = f"{path}/{{command_id}}"

        def route(method: str, path: str, answer: Callable[[Call], HttpReply]) -> RestRoute:
            return RestRoute(method, path, answer, COMMANDS, major)

        return [
            route("GET", path, self.list),
            route("PUT", path, self.overwrite),
            route("POST", path, self.upsert),
            route("GET", one, self.read),
            route("PATCH", one, self.change),
            route("DELETE", one, self.remove),
        ]

    def list(self, call: Call) -> HttpReply:
        """All commands of a scope."""
        return HttpReply(self._book.all(self._scope(call)))

    def overwrite(self, call: Call) -> HttpReply:
        """Replace all commands of a scope by those of the body."""
        body: Any = [] if call.body is None else call.body
        return HttpReply(self._book.overwrite(self._scope(call), body))

    def upsert(self, call: Call) -> HttpReply:
        """Create a command, or replace the one with its name: 201 and 200."""
        command, new = self._book.upsert(self._scope(call), require_object(call.body))
        return HttpReply(command, 201 if new else 200)

    def read(self, call: Call) -> HttpReply:
        """One command."""
        return HttpReply(self._book.get(self._scope(call), call.id("command_id")))

    def change(self, call: Call) -> HttpReply:
        """Change some fields of a command."""
        return HttpReply(self._book.change(self._scope(call), call.id("command_id"), require_object(call.body)))

    def remove(self, call: Call) -> HttpReply:
        """Delete a command."""
        self._book.remove(self._scope(call), call.id("command_id"))
        return NO_CONTENT

    def _scope(self, call: Call) -> int | None:
        """The guild of the path, or None; raises 50001 for foreign applications and guilds."""
        if call.id("application_id") != self._world.application_id:
            raise missing_access()
        if "guild_id" not in call.params:
            return None
        if call.id("guild_id") != self._world.guild.id:
            raise missing_access()
        return self._world.guild.id
