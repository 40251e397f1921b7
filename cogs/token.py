"""`/token`: operators look after the Schwab login."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import GexBot
from bot.notices import Interaction, think
from bot.permissions import managers_see, operator_only, require_operator
from bot.render.operations import doctor_text, logged_in_text, login_steps, token_text
from bot.services import Services
from bot.views import AskerView, NoticeModal, view_of
from streaming.errors import GexcordError

_LIFE_S: Final = 600.0
_LONGEST_LINK: Final = 512
_LONGEST_ADDRESS: Final = 2000


class LoginView(AskerView):
    """The two buttons under `/token login`, for the operator who asked, as long as the link is good."""

    def __init__(self, asked: Interaction, services: Services) -> None:
        super().__init__(asked, timeout=_LIFE_S)
        self.services = services
        self._show: Callable[..., Awaitable[Any]] = asked.edit_original_response
        served = services.arriving
        self.arrives = served is not None
        """Whether the browser comes back to the bot by itself."""
        self.attempt = services.schwab_login().begin_login() if served is None else served.begin(self.arrived)
        if len(self.attempt.url) <= _LONGEST_LINK:
            self.add_item(discord.ui.Button(label="Open Schwab's login page", url=self.attempt.url))
        self.add_item(PasteButton())

    @property
    def text(self) -> str:
        """What to do, step by step; a link too long for a button stands in the text."""
        link = None if len(self.attempt.url) <= _LONGEST_LINK else self.attempt.url
        return login_steps(self.attempt.ends_at, link=link, arrives=self.arrives)

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """The person who asked, and still an operator: rights may have gone meanwhile."""
        return await super().interaction_check(interaction) and await require_operator(interaction)

    async def finish(self, interaction: Interaction, address: str) -> None:
        """Exchange the address and show until when the login lasts, in place of the buttons."""
        await interaction.response.defer()
        await self.services.schwab_login().finish_login(self.attempt, address)
        self.stop()
        await interaction.edit_original_response(content=self._done(), view=None)

    async def arrived(self, trouble: GexcordError | None) -> None:
        """Show how the login went that came by the callback, in place of the buttons."""
        self.stop()
        await self._show(content=self._done() if trouble is None else trouble.sentence, view=None)

    def _done(self) -> str:
        services = self.services
        return logged_in_text(services.login_status(), services.clock.now(), services.settings.operator_zone)


class PasteButton(discord.ui.Button[LoginView]):
    """Opens the form."""

    def __init__(self) -> None:
        super().__init__(label="Paste the redirect URL", style=discord.ButtonStyle.primary)

    async def callback(self, interaction: Interaction) -> None:
        """Ask for the address that the browser ended on."""
        await interaction.response.send_modal(PasteForm(view_of(self, LoginView)))


class PasteForm(NoticeModal, title="Finish the Schwab login"):
    """One field for the address the browser ended at."""

    def __init__(self, view: LoginView) -> None:
        super().__init__()
        self._view = view
        self._address: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph,
            placeholder="https://127.0.0.1:8182/?code=…&session=…&state=…",
            min_length=8,
            max_length=_LONGEST_ADDRESS,
        )
        self.add_item(
            discord.ui.Label(
                text="Redirect URL",
                description="The whole address of the page that did not load. It is good for 30 seconds.",
                component=self._address,
            )
        )

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Checked again when the form comes back, minutes later."""
        return await require_operator(interaction)

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Finish the login with the address."""
        await self._view.finish(interaction, self._address.value)


@managers_see()
class TokenCog(commands.GroupCog, group_name="token", group_description="The Schwab login, for operators"):
    """Look at the login, renew its access token, and log in again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Whether the Schwab login works, and until when")
    @operator_only()
    async def status(self, interaction: Interaction) -> None:
        """Until when login and access token last."""
        await interaction.response.send_message(self._text(), ephemeral=True)

    @app_commands.command(description="Renew the Schwab access token now")
    @operator_only()
    async def refresh(self, interaction: Interaction) -> None:
        """Renew the access token now; the seven days of the login stay as they are."""
        await think(interaction)
        await self._services.schwab_login().refresh()
        await interaction.edit_original_response(content=f"The access token was renewed.\n{self._text()}")

    @app_commands.command(description="Log in at Schwab again; needed once a week")
    @operator_only()
    async def login(self, interaction: Interaction) -> None:
        """The link for the weekly login, with a button to paste the address it ends on."""
        view = LoginView(interaction, self._services)
        await interaction.response.send_message(view.text, view=view, ephemeral=True)

    @app_commands.command(description="Find out why the Schwab login does not work")
    @operator_only()
    async def doctor(self, interaction: Interaction) -> None:
        """The findings of `token doctor` in a shell: settings, store, network, clock, app, login, products."""
        await think(interaction)
        lines = await self._services.examined_login()
        await interaction.edit_original_response(content=doctor_text(lines))

    def _text(self) -> str:
        services = self._services
        return token_text(services.login_status(), services.clock.now(), services.settings.operator_zone)


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_operator_cog(TokenCog(bot.services))
