"""The options a person typed, held against the command's definition as a Discord client does."""

from typing import Any

from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.command_rules import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    GROUP,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    ROLE,
    STRING,
    SUBCOMMAND,
    USER,
)
from bot.sandbox.world.payloads import channel_json, member_json, role_json, user_json
from bot.sandbox.world.permission_bits import permissions_in
from bot.sandbox.world.records import Json
from bot.sandbox.world.world import World


def bad_request(sentence: str) -> ApiError:
    """What the page shows when a client of Discord's would not have sent this."""
    return ApiError(400, 0, sentence)


def check_options(command: Json, asked: Any, *, typing: bool = False) -> list[Json]:
    """The options as the interaction carries them; `typing` (autocomplete) forgives what is not there yet."""
    defined = command.get("options") or []
    asked = asked if isinstance(asked, list) else []
    by_name = {option["name"]: option for option in defined}
    checked = []
    for option in asked:
        definition = by_name.get(option.get("name")) if isinstance(option, dict) else None
        if definition is None:
            raise bad_request("The command has no such option.")
        checked.append(_check_option(definition, option, typing=typing))
    _require(defined, {option["name"] for option in checked}, typing=typing)
    return checked


def spoken_name(command: Json, options: list[Json]) -> str:
    """The command as a person reads it, with its sub-command: `gex status`."""
    names = [str(command["name"])]
    while options and options[0]["type"] in {SUBCOMMAND, GROUP}:
        names.append(options[0]["name"])
        options = options[0].get("options") or []
    return " ".join(names)


def focused_option(command: Json, options: list[Json]) -> tuple[Json, Json]:
    """The definition and the value of the option being typed."""
    for option in options:
        definition = next(d for d in command.get("options") or () if d["name"] == option["name"])
        if option["type"] in {SUBCOMMAND, GROUP}:
            return focused_option(definition, option.get("options") or [])
        if option.get("focused"):
            return definition, option
    raise bad_request("No option is being typed.")


def resolved(world: World, channel_id: int, options: list[Json]) -> Json:
    """The people, channels and roles that option values name, as the interaction carries them."""
    found: Json = {}
    for option in _leaves(options):
        _resolve(world, channel_id, option["type"], str(option.get("value")), found)
    return found


def resolve_values(world: World, channel_id: int, component_type: int, values: list[str]) -> Json:
    """The same for what was picked in a user, role, mentionable or channel select."""
    kinds = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}
    found: Json = {}
    for value in values:
        _resolve(world, channel_id, kinds.get(component_type, STRING), value, found)
    return found


def _check_option(definition: Json, option: Json, *, typing: bool) -> Json:
    kind = definition["type"]
    if kind in {SUBCOMMAND, GROUP}:
        inner = check_options(definition, option.get("options"), typing=typing)
        return {"name": definition["name"], "type": kind, "options": inner}
    checked = {"name": definition["name"], "type": kind, "value": option.get("value")}
    if typing:
        return {**checked, "focused": True} if option.get("focused") else checked
    return {**checked, "value": _check_value(definition, option.get("value"))}


def _check_value(definition: Json, value: Any) -> Any:
    name, kind = definition["name"], definition["type"]
    if kind == STRING and isinstance(value, str):
        _check_range(definition, len(value), "min_length", "max_length")
    elif kind == BOOLEAN and isinstance(value, bool):
        return value
    elif kind in {INTEGER, NUMBER}:
        value = _number(name, kind, value)
        _check_range(definition, value, "min_value", "max_value")
    elif kind not in {USER, CHANNEL, ROLE, MENTIONABLE, ATTACHMENT} or not str(value).isdecimal():
        raise bad_request(f"The option {name} does not take this value.")
    choices = definition.get("choices") or []
    if choices and value not in [item["value"] for item in choices]:
        raise bad_request(f"The option {name} takes one of its choices.")
    return value


def _number(name: str, kind: int, value: Any) -> int | float:
    try:
        return int(value) if kind == INTEGER else float(value)
    except (TypeError, ValueError):
        raise bad_request(f"The option {name} takes a number.") from None


def _check_range(definition: Json, size: float, low_key: str, high_key: str) -> None:
    low, high = definition.get(low_key), definition.get(high_key)
    if (low is not None and size < low) or (high is not None and size > high):
        raise bad_request(f"The option {definition['name']} is out of its range.")


def _require(defined: list[Json], given: set[str], *, typing: bool) -> None:
    if any(option["type"] in {SUBCOMMAND, GROUP} for option in defined):
        if len(given) != 1:
            raise bad_request("The command needs exactly one sub-command.")
    elif not typing:
        missing = [option["name"] for option in defined if option.get("required") and option["name"] not in given]
        if missing:
            raise bad_request(f"The command needs the option {missing[0]}.")


def _leaves(options: list[Json]) -> list[Json]:
    leaves = []
    for option in options:
        nested = option["type"] in {SUBCOMMAND, GROUP}
        leaves += _leaves(option.get("options") or []) if nested else [option]
    return leaves


def _resolve(world: World, channel_id: int, kind: int, value: str, found: Json) -> None:
    if kind not in {USER, CHANNEL, ROLE, MENTIONABLE} or not value.isdecimal():
        return
    guild, number = world.guild, int(value)
    if kind in {USER, MENTIONABLE} and number in guild.members:
        member = guild.members[number]
        permissions = str(permissions_in(guild, world.channel(channel_id), member))
        found.setdefault("users", {})[value] = user_json(member.user)
        found.setdefault("members", {})[value] = {
            **member_json(guild, member, with_user=False),
            "permissions": permissions,
        }
    elif kind in {ROLE, MENTIONABLE} and number in guild.roles:
        found.setdefault("roles", {})[value] = role_json(guild.roles[number])
    elif kind == CHANNEL and number in world.channels:
        channel = world.channels[number]
        permissions = str(permissions_in(guild, channel, world.bot_member))
        found.setdefault("channels", {})[value] = {**channel_json(guild, channel), "permissions": permissions}
    else:
        raise bad_request("That person, role or channel does not exist here.")
