"""REST of interactions: first answers, follow-ups, the original answer."""

from collections.abc import Callable
from typing import Any, Final

from bot.sandbox.rest.calls import NO_CONTENT, Call, HttpReply, RestRoute
from bot.sandbox.rest.component_rules import check_modal
from bot.sandbox.rest.posts import Posts, numbered, require_object
from bot.sandbox.rest.rate_limits import WEBHOOK
from bot.sandbox.world.api_errors import FormErrors, unknown_message, unknown_webhook
from bot.sandbox.world.command_rules import check_choices
from bot.sandbox.world.interactions import CallbackKind, Interaction, InteractionDesk, InteractionKind
from bot.sandbox.world.page_events import PageHub
from bot.sandbox.world.payloads import message_json
from bot.sandbox.world.records import Json, Message, MessageFlag
from bot.sandbox.world.world import World

_WEBHOOK: Final = "/webhooks/{webhook_id}/{webhook_token}"
_ALLOWED: Final = {
    InteractionKind.COMMAND: {CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE, CallbackKind.MODAL},
    InteractionKind.COMPONENT: set(CallbackKind) - {CallbackKind.PONG, CallbackKind.CHOICES},
    InteractionKind.AUTOCOMPLETE: {CallbackKind.CHOICES},
    InteractionKind.MODAL: {
        CallbackKind.MESSAGE,
        CallbackKind.DEFERRED_MESSAGE,
        CallbackKind.DEFERRED_UPDATE,
        CallbackKind.UPDATE,
    },
}
_UPDATES: Final = {CallbackKind.DEFERRED_UPDATE, CallbackKind.UPDATE}


class InteractionRoutes:
    """Answers the bot's answers."""

    def __init__(self, world: World, desk: InteractionDesk, posts: Posts, hub: PageHub, origin: str) -> None:
        self._world = world
        self._desk = desk
        self._posts = posts
        self._hub = hub
        self._origin = origin

    def table(self) -> list[RestRoute]:
        """The routes; those of a webhook need no token but the interaction's own."""
        callback = "/interactions/{interaction_id}/{interaction_token}/callback"

        def webhook(method: str, path: str, answer: Callable[[Call], HttpReply]) -> RestRoute:
            return RestRoute(method, f"{_WEBHOOK}{path}", answer, WEBHOOK, "webhook_token", public=True)

        return [
            RestRoute("POST", callback, self.callback, None, public=True),
            webhook("POST", "", self.follow_up),
            *(
                webhook(method, f"/messages/{which}", answer)
                for which in ("@original", "{message_id}")
                for method, answer in (("GET", self.read), ("PATCH", self.edit), ("DELETE", self.delete))
            ),
        ]

    def callback(self, call: Call) -> HttpReply:
        """The first answer; with_response asks for what became of it."""
        interaction = self._desk.answerable(call.id("interaction_id"), call.params["interaction_token"])
        body = require_object(call.body)
        kind = _callback_kind(body.get("type"), interaction)
        data = body.get("data")
        message = self._respond(interaction, kind, data if isinstance(data, dict) else {}, call)
        self._desk.acknowledge(interaction, kind)
        if call.query.get("with_response") not in {"1", "true", "True"}:
            return NO_CONTENT
        return HttpReply(self._response_json(interaction, kind, message))

    def follow_up(self, call: Call) -> HttpReply:
        """A further message; the first one after a deferral takes the placeholder's place."""
        interaction = self._of(call)
        body = require_object(call.body)
        original = interaction.original
        if original is not None and original.flags & MessageFlag.LOADING and self._is_there(original):
            return HttpReply(self._json(self._posts.edit(original, body, call.uploads)))
        return HttpReply(self._json(self._create(interaction, body, call, path=())))

    def read(self, call: Call) -> HttpReply:
        """An answer: the first one or a further one."""
        return HttpReply(self._json(self._message(call)))

    def edit(self, call: Call) -> HttpReply:
        """Edit an answer, also the placeholder of a deferred one."""
        message = self._message(call)
        return HttpReply(self._json(self._posts.edit(message, require_object(call.body), call.uploads)))

    def delete(self, call: Call) -> HttpReply:
        """Delete an answer."""
        self._world.remove(self._message(call))
        return NO_CONTENT

    def _respond(self, interaction: Interaction, kind: CallbackKind, data: Json, call: Call) -> Message | None:
        match kind:
            case CallbackKind.MESSAGE:
                interaction.original = self._create(interaction, data, call, path=("data",))
            case CallbackKind.DEFERRED_MESSAGE:
                interaction.original = self._posts.create_loading(
                    self._world.channel(interaction.channel_id), interaction.origin, _ephemeral_for(interaction, data)
                )
            case CallbackKind.DEFERRED_UPDATE:
                interaction.original = interaction.source
            case CallbackKind.UPDATE:
                interaction.original = self._update_source(interaction, data, call)
            case CallbackKind.CHOICES:
                _offer_choices(interaction, data)
            case CallbackKind.MODAL:
                self._show_modal(interaction, data)
        return interaction.original

    def _create(self, interaction: Interaction, body: Json, call: Call, *, path: tuple[str | int, ...]) -> Message:
        return self._posts.create(
            self._world.channel(interaction.channel_id),
            body,
            call.uploads,
            origin=interaction.origin,
            ephemeral_for=_ephemeral_for(interaction, body),
            path=path,
        )

    def _update_source(self, interaction: Interaction, data: Json, call: Call) -> Message:
        source = interaction.source
        if source is None or not self._is_there(source):
            raise unknown_message()
        return self._posts.edit(source, data, call.uploads, path=("data",))

    def _show_modal(self, interaction: Interaction, data: Json) -> None:
        form = FormErrors()
        check_modal(form, ("data",), data)
        form.raise_if_any()
        shown = {"custom_id": data["custom_id"], "title": data["title"], "components": numbered(data["components"])}
        interaction.modal = shown
        event = {"interaction_id": str(interaction.id), **shown}
        self._hub.publish("modal", event, only_for=interaction.persona.key)

    def _of(self, call: Call) -> Interaction:
        return self._desk.answered(call.id("webhook_id"), call.params["webhook_token"])

    def _message(self, call: Call) -> Message:
        """The one that the path names, or the first answer."""
        interaction = self._of(call)
        if "message_id" not in call.params:
            if interaction.original is None or not self._is_there(interaction.original):
                raise unknown_message()
            return interaction.original
        message = self._world.message(interaction.channel_id, call.id("message_id"))
        if message is not interaction.original and (
            message.origin is None or message.origin.interaction_id != interaction.id
        ):
            raise unknown_message()
        return message

    def _is_there(self, message: Message) -> bool:
        channel = self._world.channels.get(message.channel_id)
        return channel is not None and channel.messages.get(message.id) is message

    def _response_json(self, interaction: Interaction, kind: CallbackKind, message: Message | None) -> Json:
        told: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
        if message is not None:
            told |= {
                "response_message_id": str(message.id),
                "response_message_loading": bool(message.flags & MessageFlag.LOADING),
                "response_message_ephemeral": message.ephemeral_for is not None,
            }
        resource: Json = {"type": int(kind)}
        if message is not None and kind is not CallbackKind.DEFERRED_UPDATE:
            resource["message"] = self._json(message)
        return {"interaction": told, "resource": resource}

    def _json(self, message: Message) -> Json:
        return message_json(self._world, message, self._origin)


def _callback_kind(value: Any, interaction: Interaction) -> CallbackKind:
    form = FormErrors()
    try:
        kind = CallbackKind(value)
    except ValueError:
        form.add(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {{{', '.join(map(str, CallbackKind))}}}.")
    else:
        if kind in _ALLOWED[interaction.kind] and not (kind in _UPDATES and interaction.source is None):
            return kind
        form.add(("type",), "INTERACTION_RESPONSE_TYPE_INVALID", "This response does not fit the interaction.")
    form.raise_if_any()
    raise unknown_webhook()


def _ephemeral_for(interaction: Interaction, body: Json) -> int | None:
    flags = body.get("flags")
    ephemeral = isinstance(flags, int) and flags & MessageFlag.EPHEMERAL
    return interaction.persona.member.user.id if ephemeral else None


def _offer_choices(interaction: Interaction, data: Json) -> None:
    form = FormErrors()
    numbers = [
        item for item in data.get("choices") or () if isinstance(item, dict) and type(item.get("value")) is not str
    ]
    check_choices(form, ("data", "choices"), data.get("choices"), *([10] if numbers else []))
    form.raise_if_any()
    if interaction.choices is not None and not interaction.choices.done():
        interaction.choices.set_result(data.get("choices") or [])
