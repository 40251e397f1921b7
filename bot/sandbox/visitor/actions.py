"""What a visitor does on the page, as interactions that the bot receives."""

from typing import Any, Final

from bot.sandbox.gateway.local_gateway import LocalGateway
from bot.sandbox.rest.asked_options import (
    bad_request,
    check_options,
    focused_option,
    resolve_values,
    resolved,
    spoken_name,
)
from bot.sandbox.rest.component_rules import BUTTON, LABEL, ROW, STRING_SELECT, TEXT_INPUT, every_component
from bot.sandbox.rest.uploads import FILE_BYTES
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.commands import CommandBook, is_offered
from bot.sandbox.world.interactions import Interaction, InteractionDesk, InteractionKind
from bot.sandbox.world.payloads import channel_json, member_in_json, message_json
from bot.sandbox.world.permission_bits import Permission, permissions_in
from bot.sandbox.world.records import Channel, Json, Message, Persona
from bot.sandbox.world.world import World

USER_INSTALL: Final = 1
_ELSEWHERE: Final = 175_928_847_299_117_063
"""A server that the application is not in."""
_BROUGHT_ALONG: Final = Permission.EMBED_LINKS | Permission.ATTACH_FILES
"""What Discord lets an application do there."""


class PageActions:
    """Opens interactions for personas and dispatches them over the gateway."""

    def __init__(
        self, world: World, book: CommandBook, desk: InteractionDesk, gateway: LocalGateway, origin: str
    ) -> None:
        self._world = world
        self._book = book
        self._desk = desk
        self._gateway = gateway
        self._origin = origin

    def command(self, persona: Persona, asked: Json) -> Interaction:
        """Run a slash command; without `force` only one that the persona is offered.

        With `user_installed` it is run as by somebody who brings the application to a server without it.
        """
        channel = self._channel(asked)
        command = self._command(persona, asked)
        brings = bool(asked.get("user_installed"))
        if brings and USER_INSTALL not in command.get("integration_types", ()):
            raise ApiError(403, 50013, f"/{command['name']} cannot be brought along.")
        options = check_options(command, asked.get("options"))
        name = spoken_name(command, options)
        interaction = self._desk.open(InteractionKind.COMMAND, persona, channel.id, name=name, user_installed=brings)
        data = _command_data(command, options)
        if found := resolved(self._world, channel.id, options):
            data["resolved"] = found
        self._dispatch(interaction, channel, data)
        return interaction

    def autocomplete(self, persona: Persona, asked: Json) -> Interaction:
        """Ask for the choices of the option being typed."""
        channel = self._channel(asked)
        command = self._command(persona, asked)
        options = check_options(command, asked.get("options"), typing=True)
        definition, _ = focused_option(command, options)
        if not definition.get("autocomplete"):
            raise bad_request(f"The option {definition['name']} does not complete itself.")
        interaction = self._desk.open(InteractionKind.AUTOCOMPLETE, persona, channel.id)
        self._dispatch(interaction, channel, _command_data(command, options))
        return interaction

    def component(self, persona: Persona, asked: Json) -> Interaction:
        """Press a button or pick from a select."""
        channel = self._channel(asked)
        message = self._visible_message(persona, channel, asked.get("message_id"))
        component = _find_component(message, asked.get("custom_id"))
        interaction = self._desk.open(InteractionKind.COMPONENT, persona, channel.id, source=message)
        data: Json = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
        if component["type"] != BUTTON:
            data["values"] = values = _picked(component, asked.get("values"))
            if found := resolve_values(self._world, channel.id, component["type"], values):
                data["resolved"] = found
        self._dispatch(interaction, channel, data)
        return interaction

    def modal(self, persona: Persona, asked: Json) -> Interaction:
        """Submit a modal that the bot opened for this persona."""
        shown = self._desk.get(_number(asked.get("interaction_id")))
        if shown is None or shown.modal is None or shown.persona is not persona:
            raise bad_request("This form is no longer open.")
        if asked.get("custom_id") not in {None, shown.modal["custom_id"]}:
            raise bad_request("This is another form.")
        answers = modal_answers(shown.modal["components"], asked.get("components"))
        channel = self._world.channel(shown.channel_id)
        interaction = self._desk.open(InteractionKind.MODAL, persona, channel.id, name=shown.name, source=shown.source)
        self._dispatch(interaction, channel, {"custom_id": shown.modal["custom_id"], "components": answers})
        shown.modal = None
        return interaction

    def _channel(self, asked: Json) -> Channel:
        return self._world.channel(_number(asked.get("channel_id")))

    def _command(self, persona: Persona, asked: Json) -> Json:
        command = self._book.find(_number(asked.get("command_id")))
        if not asked.get("force") and not is_offered(self._world.guild, command, persona.member):
            raise ApiError(403, 50013, f"{persona.member.user.display_name} is not offered /{command['name']}.")
        return command

    def _visible_message(self, persona: Persona, channel: Channel, message_id: object) -> Message:
        message = self._world.message(channel.id, _number(message_id))
        if message.ephemeral_for not in {None, persona.member.user.id}:
            raise bad_request("This message is not yours to see.")
        return message

    def _dispatch(self, interaction: Interaction, channel: Channel, data: Json) -> None:
        self._gateway.dispatch("INTERACTION_CREATE", self._payload(interaction, channel, data))

    def _payload(self, interaction: Interaction, channel: Channel, data: Json) -> Json:
        guild, member = self._world.guild, interaction.persona.member
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": {
                **channel_json(guild, channel),
                "permissions": str(permissions_in(guild, channel, member)),
            },
            "app_permissions": str(self._world.bot_permissions(channel)),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "attachment_size_limit": FILE_BYTES,
        }
        if interaction.source is not None:
            payload["message"] = message_json(self._world, interaction.source, self._origin)
        if channel.recipient is not None:
            return payload | {"user": member_in_json(guild, channel, member)["user"], "context": 1}
        guild_id = str(guild.id)
        if interaction.user_installed:
            guild_id = str(_ELSEWHERE)
            payload |= {
                "authorizing_integration_owners": {"1": str(member.user.id)},
                "app_permissions": str(int(_BROUGHT_ALONG)),
            }
        return payload | {
            "guild_id": guild_id,
            "guild": {"id": guild_id, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member_in_json(guild, channel, member),
            "context": 0,
        }


def _command_data(command: Json, options: list[Json]) -> Json:
    data = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
    return {**data, "guild_id": command["guild_id"]} if "guild_id" in command else data


def _find_component(message: Message, custom_id: object) -> Json:
    for component in every_component(message.components):
        if custom_id is not None and component.get("custom_id") == custom_id:
            if component.get("disabled"):
                raise bad_request("This button is switched off.")
            return component
    raise bad_request("The message has no such button.")


def _picked(select: Json, values: Any) -> list[str]:
    picked = [str(value) for value in values] if isinstance(values, list) else []
    if not select.get("min_values", 1) <= len(picked) <= select.get("max_values", 1):
        raise bad_request("Too few or too many are picked.")
    if select["type"] == STRING_SELECT and not {*picked} <= {option["value"] for option in select["options"]}:
        raise bad_request("That is not one of the options.")
    return picked


def _number(value: object) -> int:
    if not str(value).isdecimal():
        raise bad_request("An id is missing.")
    return int(str(value))


def modal_answers(shown: list[Json], typed: Any) -> list[Json]:
    """The modal's rows with their values, checked against what the modal asks.

    `typed` may be nested as Discord nests it or a flat list; only `custom_id` with `value` or `values` counts.
    """
    rows = [row for row in typed if isinstance(row, dict)] if isinstance(typed, list) else []
    given = {item["custom_id"]: item for item in every_component(rows) if isinstance(item.get("custom_id"), str)}
    return [_answer_row(row, given) for row in shown]


def _answer_row(row: Json, given: dict[str, Json]) -> Json:
    if row["type"] == ROW:
        return {"type": ROW, "id": row["id"], "components": [_answer(field, given) for field in row["components"]]}
    if row["type"] == LABEL:
        return {"type": LABEL, "id": row["id"], "component": _answer(row["component"], given, row["label"])}
    return {"type": row["type"], "id": row["id"]}


def _answer(field: Json, given: dict[str, Json], label: str | None = None) -> Json:
    item = given.get(field["custom_id"], {})
    answer: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
    if field["type"] == TEXT_INPUT:
        return {**answer, "value": _text(field, item.get("value"), label or field.get("label"))}
    if "values" in item or field["type"] in {3, 5, 6, 7, 8, 19, 22}:
        return {**answer, "values": item.get("values") or []}
    return {**answer, "value": item.get("value")}


def _text(field: Json, value: Any, label: Any) -> str:
    text = value if isinstance(value, str) else ""
    if not text and not field.get("required", True):
        return text
    if not (field.get("min_length") or 1) <= len(text) <= (field.get("max_length") or 4_000):
        raise bad_request(f"{label} is empty, too short or too long.")
    return text
