"""`/alert`: readers are told when something happens, in a channel or by direct message."""

from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.alerts.alert_commands import AlertCommands, ListedRule, Reader
from bot.alerts.kinds.registry import KINDS, check, check_given, key_of, read, with_value
from bot.alerts.reading import Reading
from bot.alerts.rules import (
    DEFAULT_COOLDOWN_MIN,
    LONGEST_COOLDOWN_MIN,
    AlertKind,
    Rule,
    Target,
    Window,
)
from bot.alerts.texts import reading_text, rule_text
from bot.client import BotInteraction, GexBot
from bot.lookup import default_choices, default_ticker, find_snapshot
from bot.notices import Refusal, think
from bot.operate.audit import concerns_others
from bot.permissions import bot_may_write, may_manage
from bot.render.message_form import MESSAGE_CHARS
from bot.render.numbers import counted
from bot.services import Services
from cogs.confirm import ask_first
from cogs.options import offered, options
from streaming.clock import epoch_ms
from streaming.errors import TransientError
from streaming.model import GexSnapshot, ScopeName, WeightName
from streaming.symbols import parse_ticker

Number = app_commands.Range[int, 1, 1_000_000_000]
_ONE = "The number that /alert list shows; without it, all"
_NOT_YOURS = "Only members who may manage the server can add alerts to a channel. Use `target: dm` for yourself."
_NOT_YOURS_TO_STEER = "Only members who may manage the server can do that for a channel's alerts."
_BY_HAND = "by /alert pause"
_WHOSE = "Those that write to you, or those of this channel if you manage the server"
_NOT_MINE = "I may not write in this channel. Give me View Channel and Send Messages here, then add the alert again."
KIND_CHOICES = [Choice(name=kind.choice, value=name.value) for name, kind in KINDS.items()]
WINDOW_CHOICES = [
    Choice(name="since the last snapshot" if window is Window.CURRENT else f"{window} min", value=window.value)
    for window in Window
]
TARGET_CHOICES = [Choice(name="dm: write to me", value="dm"), Choice(name="here: in this channel", value="here")]


class AlertCog(commands.GroupCog, group_name="alert", group_description="Messages when a level is crossed or moves"):
    """Add, list and remove alerts; every answer is private."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Get a message when something happens")
    @options(
        kind="What to watch for",
        value="A price, a flow in $Bn per 1 %, or the fewest points a wall must move",
        target="Where to send it; only those who manage the server can choose a channel",
        window="For a flow: over how long",
        cooldown="Minutes of silence after each message",
    )
    @app_commands.choices(kind=KIND_CHOICES, target=TARGET_CHOICES, window=WINDOW_CHOICES)
    async def add(  # noqa: PLR0917  # one parameter per option of the command
        self,
        interaction: BotInteraction,
        kind: str,
        symbol: str | None = None,
        value: float | None = None,
        target: str = "dm",
        window: Window | None = None,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        cooldown: app_commands.Range[int, 1, LONGEST_COOLDOWN_MIN] = DEFAULT_COOLDOWN_MIN,
    ) -> None:
        """Create an alert for the reader, or for the channel with `target: here`."""
        ticker = parse_ticker(symbol) if symbol else default_ticker(self._services, interaction.channel_id)
        wanted = KINDS[AlertKind(kind)]
        check_given(wanted, scope=scope, weight=weight, window=window)
        if wanted.scoped and not wanted.fixed:
            choices = default_choices(self._services, interaction.channel_id)
            scope, weight = scope or choices.scope, weight or choices.one_weight
        rule = check(
            Rule(
                kind=AlertKind(kind),
                ticker=ticker.name,
                owner_id=interaction.user.id,
                target=_target(interaction, target),
                guild_id=interaction.guild_id,
                value=value,
                window=window or Window.FIVE,
                scope=scope,
                weight=weight,
                cooldown_min=cooldown,
                added_ms=epoch_ms(self._services.clock.now()),
            )
        )
        await think(interaction)
        snapshot = await self._snapshot(interaction, ticker.name)
        kept, resumed = await _alerts(self._services).add(rule)
        _keep_track(interaction, kept.target)
        await interaction.edit_original_response(content=_added(kept, snapshot, resumed=resumed))

    @app_commands.command(name="list", description="Your alerts and their state; for server admins, this channel's too")
    async def list_alerts(self, interaction: BotInteraction) -> None:
        """The alerts that the reader may see; more messages when one does not hold them."""
        await think(interaction)
        lines = await _alerts(self._services).lines(_reader(interaction))
        first, *more = _pages(lines)
        await interaction.edit_original_response(content=first)
        for page in more:
            await interaction.followup.send(page, ephemeral=True)

    @app_commands.command(description="Remove an alert")
    @app_commands.describe(number="The number that /alert list shows")
    async def remove(self, interaction: BotInteraction, number: Number) -> None:
        """Remove the alert with this number, if it is the reader's to remove."""
        await think(interaction)
        rule = await _alerts(self._services).remove(number, _reader(interaction))
        _keep_track(interaction, rule.target)
        await interaction.edit_original_response(content=f"Alert {rule.number} is removed: {rule_text(rule)}.")

    @app_commands.command(description="Pause one alert, or all, until /alert resume; nothing is forgotten")
    @options(target=_WHOSE, number=_ONE)
    @app_commands.choices(target=TARGET_CHOICES)
    async def pause(self, interaction: BotInteraction, number: Number | None = None, target: str = "dm") -> None:
        """Rest one alert, or the reader's own, or this channel's."""
        if number is not None:
            await think(interaction)
            rule = await _alerts(self._services).pause_one(number, _reader(interaction), _BY_HAND)
            _keep_track(interaction, rule.target)
            text = f"Alert {rule.number} is paused until /alert resume: {rule_text(rule)}."
            await interaction.edit_original_response(content=text)
            return
        place = _own_place(interaction, target)
        await think(interaction)
        count = await _alerts(self._services).pause(place, _BY_HAND)
        _keep_track(interaction, place)
        text = f"{_theirs(place, count)} paused until /alert resume. Messages about to be sent are dropped."
        await interaction.edit_original_response(content=text)

    @app_commands.command(description="Resume one paused alert, or all")
    @options(target=_WHOSE, number=_ONE)
    @app_commands.choices(target=TARGET_CHOICES)
    async def resume(self, interaction: BotInteraction, number: Number | None = None, target: str = "dm") -> None:
        """Let one alert, or the reader's own, or this channel's, run again."""
        if number is not None:
            await think(interaction)
            rule = await _alerts(self._services).resume_one(number, _reader(interaction))
            _keep_track(interaction, rule.target)
            await interaction.edit_original_response(
                content=f"Alert {rule.number} is running again: {rule_text(rule)}."
            )
            return
        place = _own_place(interaction, target)
        await think(interaction)
        count = await _alerts(self._services).resume(place)
        _keep_track(interaction, place)
        await interaction.edit_original_response(content=f"{_theirs(place, count)} running again.")

    @app_commands.command(description="Remove all alerts that write to you, or all of this channel; asks first")
    @options(target=_WHOSE)
    @app_commands.choices(target=TARGET_CHOICES)
    async def clear(self, interaction: BotInteraction, target: str = "dm") -> None:
        """Remove the reader's own alerts, or this channel's, once that is confirmed."""
        place, alerts = _own_place(interaction, target), _alerts(self._services)

        async def cleared() -> str:
            removed = counted(await alerts.clear(place), "alert")
            _keep_track(interaction, place)
            return f"{removed} removed."

        whose = "that write to you" if place.channel_id is None else "of this channel"
        await ask_first(interaction, f"Remove all alerts {whose}?", label="Remove all", carry=cleared, operators=False)

    @remove.autocomplete("number")
    @pause.autocomplete("number")
    @resume.autocomplete("number")
    async def _complete_number(self, interaction: BotInteraction, current: int | str) -> list[Choice[int]]:
        if self._services.alerts is None:
            return []
        wanted = str(current).strip().lower()
        named = [
            (f"{rule.number} · {rule_text(rule)}".replace("\\", ""), rule.number)
            for rule in self._services.alerts.removable(_reader(interaction))
        ]
        return offered((text, number) for text, number in named if wanted in text.lower())

    async def _snapshot(self, interaction: BotInteraction, name: str) -> GexSnapshot | None:
        """The newest snapshot, or None before there is one; RequestError for a ticker that nobody follows."""
        try:
            return await find_snapshot(self._services, name, channel_id=interaction.channel_id)
        except TransientError:
            return None


def _alerts(services: Services) -> AlertCommands:
    if services.alerts is None:
        raise TransientError("Alerts do not run here.", remedy="Try again in a moment.")
    return services.alerts


def _reader(interaction: BotInteraction) -> Reader:
    return Reader(
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        manages=may_manage(interaction),
    )


def _own_place(interaction: BotInteraction, place: str) -> Target:
    """The channel for those who may, also where the bot may no longer write; or the person."""
    if place != "here" or interaction.guild_id is None:
        return Target(user_id=interaction.user.id)
    if not may_manage(interaction):
        raise Refusal(_NOT_YOURS_TO_STEER)
    return Target(channel_id=interaction.channel_id)


def _keep_track(interaction: BotInteraction, target: Target) -> None:
    """The audit hears of a channel's alerts; one's own are nobody else's business."""
    if target.user_id != interaction.user.id:
        concerns_others(interaction)


def _theirs(place: Target, count: int) -> str:
    whose = "by direct message" if place.channel_id is None else "of this channel"
    return f"{counted(count, 'alert')} {whose} {'is' if count == 1 else 'are'}"


def _target(interaction: BotInteraction, place: str) -> Target:
    """The channel for those who may, or the person; in a direct message both are the same."""
    if place != "here" or interaction.guild_id is None:
        return Target(user_id=interaction.user.id)
    if not may_manage(interaction):
        raise Refusal(_NOT_YOURS)
    if not bot_may_write(interaction):
        raise Refusal(_NOT_MINE)
    return Target(channel_id=interaction.channel_id)


def _added(rule: Rule, snapshot: GexSnapshot | None, *, resumed: bool) -> str:
    where = "by direct message" if rule.target.channel_id is None else "in this channel"
    lines = [f"Alert {rule.number} is set, {where}: {rule_text(rule)}."]
    if snapshot is None:
        lines.append("There is no current snapshot; the alert starts with the next one.")
    else:
        reading = read(snapshot, key_of(rule))
        mine = with_value(reading, rule) if isinstance(reading, Reading) else reading
        lines.append(reading_text(snapshot, mine, rule))
    if resumed:
        lines.append("Alerts that were paused there run again.")
    return "\n".join(lines)


def _pages(lines: list[ListedRule]) -> list[str]:
    """Messages of whole entries."""
    if not lines:
        return ["You have no alerts. /alert add sets one."]
    pages = [""]
    for line in lines:
        text = f"`{line.rule.number}` {line.words}{_place(line.rule)}\n> {line.standing}"
        if pages[-1] and len(pages[-1]) + 1 + len(text) > MESSAGE_CHARS:
            pages.append("")
        pages[-1] = f"{pages[-1]}\n{text}".strip()
    return pages


def _place(rule: Rule) -> str:
    return "" if rule.target.channel_id is None else f" in <#{rule.target.channel_id}>"


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(AlertCog(bot.services))
