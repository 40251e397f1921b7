"""The Discord client: minimal intents, cogs, commands synced only when they changed, one place for errors."""

import asyncio
import hashlib
import json
import logging
import math
import random
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from bot.notices import Refusal, answer_error, quiet_autocomplete
from bot.operate.audit import AnyCommand
from bot.operators import OperatorMail, Operators
from bot.services import Services
from bot.settings import BotSettings
from bot.wire.answers import LONGEST_WAIT_S, Gate, forget_rarely, look_at_answers
from bot.wire.crew import Crew
from bot.wire.gateway_events import GatewayEvents
from bot.wire.identify_budget import IdentifyBudget
from bot.wire.login import log_in
from bot.wire.second_copy import SecondCopyWatch
from bot.wire.shards import ShardedState, Shards
from bot.wire.verdicts import described, passing, retry_after_s, verdict_of
from streaming.bus.notes import Notes
from streaming.clock import Clock
from streaming.errors import GexcordError, OperatorError, TransientError
from streaming.ports import Tell

log = logging.getLogger(__name__)

EXTENSIONS: Final = ("cogs.gex", "cogs.alerts", "cogs.feed", "cogs.about", "cogs.stream", "cogs.token", "cogs.admin")
SYNC_JOB: Final = "command-sync"
_UNANSWERED_S: Final = 2.6
"""After this long an interaction has no answer to come: commands read for two seconds, and Discord waits three."""
_WELCOMED: Final = ("shard_connect", "shard_resumed")
_SERVER_ERROR: Final = 500
_CLICKED: Final = (discord.InteractionType.component, discord.InteractionType.modal_submit)


class GexTree(app_commands.CommandTree["GexBot"]):
    """The slash commands; every error goes to `bot.notices`."""

    async def on_error(self, interaction: "BotInteraction", error: app_commands.AppCommandError, /) -> None:
        await answer_error(interaction, error)

    def fingerprint(self, application_id: int) -> str:
        """Changes whenever Discord would have to be told: the commands, the application or the server asked."""
        home = self.client.home
        books = [self.get_commands(), [] if home is None else self.get_commands(guild=home)]
        payload = [sorted((command.to_dict(self) for command in book), key=lambda it: it["name"]) for book in books]
        text = json.dumps([application_id, Route.BASE, *payload], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return digest if home is None else f"{digest} {home.id}"


class GexBot(commands.Bot):
    """Serves slash commands on services that are handed in; holds no market data of its own."""

    def __init__(
        self,
        settings: BotSettings,
        clock: Clock,
        *,
        fingerprints: Notes | None = None,
        extensions: Sequence[str] = EXTENSIONS,
        budget: IdentifyBudget | None = None,
        gate: Gate | None = None,
        crew: Crew | None = None,
        ring: Tell | None = None,
    ) -> None:
        """`crew` are the processes of this bot, which share its shards; without one it is alone.

        `ring` is told whatever the operators are.
        """
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice here, so nothing is missing
        super().__init__(
            command_prefix=commands.when_mentioned,  # never used: without message intents no message arrives
            help_command=None,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=GexTree,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            max_ratelimit_timeout=LONGEST_WAIT_S,
        )
        look_at_answers(self.http, gate)
        forget_rarely(self.http, clock)
        self.operators = Operators(
            settings.discord_operator_ids, lambda: self.application, settings.discord_operator_role_ids
        )
        self.events = GatewayEvents(self)
        self._connection.parsers = self.events.guarded(self._connection.parsers)
        told = settings.discord_operator_channel_id
        channel = None if told is None else (told, self._send_to_channel)
        self.mail = OperatorMail(self.operators, self._send_direct, clock, channel=channel)
        self.home = None if settings.discord_home_guild is None else discord.Object(settings.discord_home_guild)
        """The one server that has the operators' commands; None for all."""
        self._fingerprints = fingerprints
        self._wanted_extensions = tuple(extensions)
        self._services: Services | None = None
        self._attached = asyncio.Event()
        self._clock = clock
        self._ring = ring
        self._rng = random.Random()
        self.gateway = Shards(self, clock, self._rng, budget, crew)
        self.copies = SecondCopyWatch(clock, self.tell_operators)
        logging.getLogger(app_commands.tree.__name__).addFilter(quiet_autocomplete)
        self.logged_in = asyncio.Event()
        """Set once REST calls may be made, before the gateway is up."""

    @property
    def services(self) -> Services:
        """What commands may reach; RuntimeError before `attach`."""
        if self._services is None:
            raise RuntimeError("the bot was started without services")
        return self._services

    def attach(self, services: Services) -> None:
        """Hand in the services; they may themselves need the bot, so this comes after it is built."""
        self._services = services
        self._attached.set()

    async def run_until_closed(self, token: str) -> None:
        """Log in and stay connected, waiting out whatever passes.

        Raises LoginRequiredError when Discord itself refuses the token or an intent, ConfigurationError when it will
        not have the bot as it is.
        """
        await log_in(self, token, self._clock, self._rng)
        await self.gateway.run(self.tell_operators)

    async def setup_hook(self) -> None:
        await self._attached.wait()  # the cogs need them, and a login may be quicker than what they are made of
        for name in self._wanted_extensions:
            if name not in self.extensions:
                await self.load_extension(name)
        self.logged_in.set()
        self.mail.open()
        self.services.supervisor.start(SYNC_JOB, lambda _progress: self.sync_commands())

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if shard_id is None:
            await super().before_identify_hook(shard_id, initial=initial)
        await self.gateway.note_identify(shard_id)

    async def close(self) -> None:
        await self.mail.close()
        await super().close()

    async def sync_commands(self) -> None:
        """Give Discord the commands when it does not have them; raises what stands in the way now."""
        tree = self.tree
        if not isinstance(tree, GexTree) or self.application_id is None:
            raise RuntimeError("commands are synced after the login")
        fingerprint, known = tree.fingerprint(self.application_id), await self._known_fingerprint()
        if known == fingerprint:
            log.info("slash commands are unchanged")
            return
        await self._upload(tree, None)
        for home in _homes(known, fingerprint):
            await self._upload(tree, home)
        await self._remember(fingerprint)

    def _get_state(self, **options: Any) -> Any:
        return ShardedState(
            dispatch=self.dispatch, handlers=self._handlers, hooks=self._hooks, http=self.http, **options
        )

    @property
    def latency(self) -> float:
        """Of the slowest shard; not a number before the first heartbeat was answered."""
        return max((socket.latency for socket in self.gateway.sockets), default=math.nan)

    async def change_presence(
        self, *, activity: discord.BaseActivity | None = None, status: discord.Status | None = None
    ) -> None:
        for socket in self.gateway.sockets:
            self.ws = socket
            await super().change_presence(activity=activity, status=status)

    async def on_ready(self) -> None:
        log.info("connected to Discord as %s in %d servers", self.user, len(self.guilds))

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        # discord.py announces readiness seconds after the gateway is up, even when the bot has ended in between
        if event_name in _WELCOMED:
            self.gateway.up(args[0])
        elif event_name == "interaction":
            self.copies.received(*args)
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def on_interaction(self, interaction: "BotInteraction", /) -> None:
        """Buttons and forms outlive the process that made them: a click that nobody answers is told so."""
        if interaction.type not in _CLICKED:
            return
        await asyncio.sleep(_UNANSWERED_S)
        if not interaction.response.is_done():
            await answer_error(interaction, Refusal("These buttons have expired. Use the command again for new ones."))

    async def on_message(self, message: discord.Message, /) -> None:
        """Messages are not ours to read."""

    def tell_operators(self, sentence: str) -> None:
        """Have every operator told by direct message: returns at once; bounded, without repetition, never raising."""
        log.warning("for the operators: %s", sentence)
        self.mail.tell(sentence)
        if self._ring is not None:
            self._ring(sentence)

    async def _known_fingerprint(self) -> str | None:
        if self._fingerprints is None:
            return None
        try:
            return await self._fingerprints.get()
        except TransientError as error:
            log.info("slash commands are uploaded anew: %s", error.sentence)
            return None

    async def _remember(self, fingerprint: str) -> None:
        if self._fingerprints is None:
            return
        try:
            await self._fingerprints.set(fingerprint)
        except TransientError as error:
            log.info("slash commands will be uploaded again at the next start: %s", error.sentence)

    async def add_operator_cog(self, cog: commands.Cog) -> None:
        """Add commands that only `home` gets, if there is one."""
        await self.add_cog(cog, guild=self.home or discord.utils.MISSING)

    async def on_app_command_completion(self, interaction: "BotInteraction", command: AnyCommand, /) -> None:
        """Every command that ended well."""
        await self.services.audit.note(interaction, command)

    async def _upload(self, tree: GexTree, home: discord.Object | None) -> None:
        try:
            synced = await tree.sync(guild=home)
        except discord.HTTPException as error:
            raise _not_taken(error) from error
        except (discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError) as error:
            passed = passing(error)
            raise TransientError(
                f"The slash commands are not uploaded yet: {passed}", retry_after_s=passed.retry_after_s
            ) from error
        except app_commands.AppCommandError as error:
            raise OperatorError(f"The slash commands cannot be uploaded ({type(error).__name__}).") from error
        log.info("slash commands uploaded: %s", ", ".join(sorted(command.name for command in synced)))

    async def _send_to_channel(self, channel_id: int, sentence: str) -> None:
        await self.get_partial_messageable(channel_id).send(sentence)

    async def _send_direct(self, user_id: int, sentence: str) -> None:
        channel: Any = await self.create_dm(discord.Object(user_id))
        await channel.send(sentence)


BotInteraction = discord.Interaction[GexBot]
"""What a command of this bot is given."""


def _homes(known: str | None, wanted: str) -> list[discord.Object]:
    """The servers with commands of their own, by the fingerprints: the one to have them, and before it the last one."""
    found = [text.partition(" ")[2] for text in (known or "", wanted)]
    return [discord.Object(int(home)) for home in dict.fromkeys(found) if home]


def _not_taken(error: discord.HTTPException) -> GexcordError:
    """Why commands were not uploaded; those that Discord has go on working."""
    if error.status >= _SERVER_ERROR:
        return passing(error)
    verdict = verdict_of(error)
    return OperatorError(
        f"Discord did not accept the slash commands: it {described(error)}." if verdict is None else verdict.sentence,
        remedy="The existing ones keep working; the bot will try again." if verdict is None else verdict.remedy,
        retry_after_s=retry_after_s(error),
    )
