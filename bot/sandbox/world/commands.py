"""The application's commands: stored as Discord stores them, offered to whom Discord would offer them."""

from bot.sandbox.world.api_errors import unknown_command
from bot.sandbox.world.command_rules import check_command, check_commands, command_kind
from bot.sandbox.world.permission_bits import Permission, guild_permissions
from bot.sandbox.world.records import CommandsChanged, Guild, Json, Member
from bot.sandbox.world.world import World

_KEPT = ("name", "description", "options", "default_member_permissions", "dm_permission", "nsfw", "contexts")
_KEPT_TOO = ("integration_types", "name_localizations", "description_localizations", "handler")


class CommandBook:
    """Global commands and those of the guild; ids survive an overwrite by name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._books: dict[int | None, dict[int, Json]] = {None: {}, world.guild.id: {}}

    def all(self, guild_id: int | None) -> list[Json]:
        """The commands of a guild, or of everywhere for None."""
        return list(self._books[guild_id].values())

    def get(self, guild_id: int | None, command_id: int) -> Json:
        """One command, or Discord's refusal 10063."""
        command = self._books[guild_id].get(command_id)
        if command is None:
            raise unknown_command()
        return command

    def find(self, command_id: int) -> Json:
        """A command of either book by its id, or Discord's refusal 10063."""
        for book in self._books.values():
            if command_id in book:
                return book[command_id]
        raise unknown_command()

    def overwrite(self, guild_id: int | None, commands: list[Json]) -> list[Json]:
        """Replace a whole book; raises 50035 when one command is wrong, and then changes nothing."""
        check_commands(commands)
        stored = [self._stored(guild_id, command) for command in commands]
        self._books[guild_id] = {int(command["id"]): command for command in stored}
        self._world.announce(CommandsChanged())
        return stored

    def upsert(self, guild_id: int | None, command: Json) -> tuple[Json, bool]:
        """Add a command or replace the one of that name; whether it is new."""
        check_command(command)
        new = self._same(guild_id, command) is None
        stored = self._stored(guild_id, command)
        self._books[guild_id][int(stored["id"])] = stored
        self._world.announce(CommandsChanged())
        return stored, new

    def change(self, guild_id: int | None, command_id: int, changes: Json) -> Json:
        """Replace some fields of a command, which stays the same command. ApiError when the result is none."""
        before = self.get(guild_id, command_id)
        check_command({**before, **changes})
        self._books[guild_id][command_id] = after = self._describe(guild_id, {**before, **changes}, command_id)
        self._world.announce(CommandsChanged())
        return after

    def remove(self, guild_id: int | None, command_id: int) -> None:
        """Forget a command. ApiError when there is none."""
        self.get(guild_id, command_id)
        del self._books[guild_id][command_id]
        self._world.announce(CommandsChanged())

    def offered_to(self, member: Member) -> list[Json]:
        """What the member's client lists: the guild's own first, hidden ones left out."""
        commands = [*self.all(self._world.guild.id), *self.all(None)]
        return [command for command in commands if is_offered(self._world.guild, command, member)]

    def _same(self, guild_id: int | None, command: Json) -> Json | None:
        key = (command.get("name"), command_kind(command))
        return next((old for old in self.all(guild_id) if (old["name"], command_kind(old)) == key), None)

    def _stored(self, guild_id: int | None, command: Json) -> Json:
        before = self._same(guild_id, command)
        if before is not None and self._describe(guild_id, command, int(before["id"]), before["version"]) == before:
            return before
        command_id = self._world.snowflakes.next() if before is None else int(before["id"])
        return self._describe(guild_id, command, command_id)

    def _describe(self, guild_id: int | None, command: Json, command_id: int, version: str | None = None) -> Json:
        body = {key: command[key] for key in (*_KEPT, *_KEPT_TOO) if command.get(key) is not None}
        permissions = command.get("default_member_permissions")
        body |= {
            "id": str(command_id),
            "application_id": str(self._world.application_id),
            "version": version or str(self._world.snowflakes.next()),
            "type": command_kind(command),
            "description": command.get("description") or "",
            "default_member_permissions": None if permissions is None else str(permissions),
            "nsfw": bool(command.get("nsfw")),
        }
        return body if guild_id is None else {**body, "guild_id": str(guild_id)}


def is_offered(guild: Guild, command: Json, member: Member) -> bool:
    """Whether `default_member_permissions` lets the member see the command; "0" is for administrators."""
    held = guild_permissions(guild, member)
    needed = command.get("default_member_permissions")
    if held & Permission.ADMINISTRATOR:
        return True
    if needed is None:
        return bool(held & Permission.USE_APPLICATION_COMMANDS)
    return int(needed) != 0 and held & int(needed) == int(needed)
