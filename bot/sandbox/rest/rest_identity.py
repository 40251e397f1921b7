"""REST of who the bot is and where: user, application with its commands, guild, members, direct channels, gateway."""

from collections.abc import Callable

from bot.sandbox.rest.calls import NO_CONTENT, Call, HttpReply, RestRoute
from bot.sandbox.rest.faults import IDENTIFIES_PER_DAY, GatewayTrouble
from bot.sandbox.rest.posts import require_object
from bot.sandbox.rest.rate_limits import COMMANDS
from bot.sandbox.world import form_checks as check
from bot.sandbox.world.api_errors import (
    FormErrors,
    missing_access,
    missing_permissions,
    unknown_guild,
    unknown_member,
    unknown_user,
)
from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.payloads import channel_json, guild_json, member_json, own_user_json, role_json, user_json
from bot.sandbox.world.permission_bits import Permission, guild_permissions
from bot.sandbox.world.records import Json
from bot.sandbox.world.world import World

_UNSET_OF_APPLICATION = ("icon", "type", "team", "interactions_endpoint_url", "role_connections_verification_url")
_NICKNAME_CHARS = 32
MESSAGE_CONTENT_FLAG, MEMBERS_FLAG, PRESENCE_FLAG = 1 << 19, 1 << 15, 1 << 13


class IdentityRoutes:
    """Answers what the bot asks at start and about people."""

    def __init__(self, world: World, gateway_url: str, gateway: GatewayTrouble) -> None:
        self._world = world
        self._gateway = gateway
        self._gateway_url = gateway_url

    def table(self) -> list[RestRoute]:
        """The routes."""
        world = self._world

        def in_guild(path: str, answer: Callable[[Call], Json | list[Json]]) -> RestRoute:
            def of_the_guild(call: Call) -> HttpReply:
                if call.id("guild_id") != world.guild.id or not world.bot_is_member:
                    raise unknown_guild()
                return HttpReply(answer(call))

            return RestRoute("GET", f"/guilds/{{guild_id}}{path}", of_the_guild, major="guild_id")

        return [
            RestRoute("GET", "/users/@me", lambda _: HttpReply(own_user_json(world))),
            RestRoute("GET", "/users/{user_id}", self.user),
            RestRoute("GET", "/users/@me/guilds", self.guilds),
            RestRoute("POST", "/users/@me/channels", self.open_direct_channel),
            RestRoute("GET", "/oauth2/applications/@me", lambda _: HttpReply(application_json(world))),
            RestRoute("GET", "/applications/@me", lambda _: HttpReply(application_json(world))),
            RestRoute("GET", "/gateway", lambda _: HttpReply({"url": self._gateway_url}), None, public=True),
            RestRoute("GET", "/gateway/bot", self.gateway_bot),
            in_guild("", lambda _: guild_json(world)),
            in_guild("/channels", lambda _: [channel_json(world.guild, channel) for channel in world.guild_channels]),
            in_guild("/roles", lambda _: [role_json(role) for role in world.guild.roles.values()]),
            in_guild("/members", self._members),
            in_guild("/members/{user_id}", self._member),
            RestRoute("PATCH", "/guilds/{guild_id}/members/@me", self.change_nickname, major="guild_id"),
        ]

    def user(self, call: Call) -> HttpReply:
        """Anybody in the guild; others are unknown here."""
        member = self._world.guild.members.get(call.id("user_id"))
        if member is None:
            raise unknown_user()
        return HttpReply(user_json(member.user))

    def guilds(self, _call: Call) -> HttpReply:
        """The guild, unless the bot was thrown out."""
        guild = self._world.guild
        if not self._world.bot_is_member:
            return HttpReply([])
        held = str(guild_permissions(guild, self._world.bot_member))
        own: Json = {"id": str(guild.id), "name": guild.name, "icon": None, "owner": False, "features": []}
        return HttpReply([{**own, "permissions": held}])

    def change_nickname(self, call: Call) -> HttpReply:
        """The bot's own name in the guild; needs a permission of the guild."""
        world = self._world
        if not guild_permissions(world.guild, world.bot_member) & Permission.CHANGE_NICKNAME:
            raise missing_permissions()
        form, nick = FormErrors(), require_object(call.body).get("nick")
        check.text(form, ("nick",), nick, 0, _NICKNAME_CHARS)
        form.raise_if_any()
        return HttpReply(member_json(world.guild, world.call_bot(nick or None)))

    def open_direct_channel(self, call: Call) -> HttpReply:
        """The channel to write to somebody, made when there is none. Bots cannot be written to."""
        recipient = str(require_object(call.body).get("recipient_id", ""))
        member = self._world.guild.members.get(int(recipient)) if recipient.isdecimal() else None
        if member is None or member.user.bot:
            raise unknown_user()
        return HttpReply(channel_json(self._world.guild, self._world.direct_channel(member.user)))

    def gateway_bot(self, _call: Call) -> HttpReply:
        """Where the gateway is, and how many sessions may still begin today."""
        limit = {
            "total": IDENTIFIES_PER_DAY,
            "remaining": self._gateway.identifies_left,
            "reset_after": 86_400_000,
            "max_concurrency": self._gateway.max_concurrency,
        }
        return HttpReply({"url": self._gateway_url, "shards": self._gateway.shards, "session_start_limit": limit})

    def _members(self, call: Call) -> list[Json]:
        """By rising id, a page at a time."""
        guild = self._world.guild
        limit, after = call.number("limit", 1, 1, 1000), call.number("after", 0, 0, 2**63)
        found = sorted((member for member in guild.members.values() if member.user.id > after), key=lambda m: m.user.id)
        return [member_json(guild, member) for member in found[:limit]]

    def _member(self, call: Call) -> Json:
        member = self._world.guild.members.get(call.id("user_id"))
        if member is None:
            raise unknown_member()
        return member_json(self._world.guild, member)


def application_json(world: World) -> Json:
    """The application as Discord writes it."""
    owner = world.guild.members[world.guild.owner_id].user
    return {
        **dict.fromkeys(_UNSET_OF_APPLICATION),
        "id": str(world.application_id),
        "name": world.bot.display_name,
        "description": "",
        "summary": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": MESSAGE_CONTENT_FLAG | MEMBERS_FLAG | PRESENCE_FLAG,
        "hook": True,
        "owner": user_json(owner),
        "redirect_uris": [],
        "approximate_guild_count": 1,
        "bot": user_json(world.bot),
    }


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

        book, scope = self._book, self._scope
        return [
            route("GET", path, lambda call: HttpReply(book.all(scope(call)))),
            route("PUT", path, lambda call: HttpReply(book.overwrite(scope(call), call.body or []))),
            route("POST", path, self.upsert),
            route("GET", one, lambda call: HttpReply(book.get(scope(call), call.id("command_id")))),
            route("PATCH", one, self.change),
            route("DELETE", one, self.remove),
        ]

    def upsert(self, call: Call) -> HttpReply:
        """Create a command, or replace the one with its name: 201 and 200."""
        command, new = self._book.upsert(self._scope(call), require_object(call.body))
        return HttpReply(command, 201 if new else 200)

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
