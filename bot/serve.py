"""From settings to a running bot: logs and the nested contexts; what hangs on what is wired in `bot.host`."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.check.check import run_check
from bot.host import open_host
from bot.logs import configure_bot_logging
from bot.settings import BotSettings
from bot.wire.login import point_discord_at
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError
from streaming.ports import Tell
from streaming.process.signals import first_of, stop_on_signals
from streaming.settings import ENV_FILE, load_settings, load_what_is_right
from streaming.streamer.runtime import open_runtime

if TYPE_CHECKING:  # a bot of its own needs no made-up market
    from bot.demo_market import Demo


async def check(tell: Tell, demo: "Demo | None" = None) -> int:
    """Tell what is ready and what is not, of the user's settings or of the demo's; the exit status."""
    if demo is not None:
        configure_bot_logging(demo.settings)
        return await run_check(demo.settings, tell, problems=(), env_file=None, clock=demo.clock)
    settings, problems = load_what_is_right(BotSettings)
    configure_bot_logging(settings)
    return await run_check(settings, tell, problems=problems, env_file=Path(ENV_FILE), clock=SystemClock())


async def serve(tell: Tell, demo: "Demo | None" = None) -> int:
    """Run until a signal or until Discord refuses us for good; the exit status."""
    settings: BotSettings = load_settings(BotSettings) if demo is None else demo.settings
    configure_bot_logging(settings)
    if settings.discord_bot_token is None:
        raise ConfigurationError(
            "DISCORD_BOT_TOKEN is not set.", remedy="Set it in .env, or try `python run_bot.py --demo` first."
        )
    point_discord_at(settings.discord_api_url, settings.discord_gateway_url)
    stop = stop_on_signals()
    async with (
        open_runtime(settings, SystemClock() if demo is None else demo.clock, tell=tell) as runtime,
        open_host(runtime, settings, settings.discord_bot_token) as host,
    ):
        if demo is None:
            host.control.resume_in_background()
        else:
            await host.control.start()
            await host.bot.logged_in.wait()
            tell("The bot is connected.")
        await first_of(stop, {host.connected})
        if host.connected.done():
            host.connected.result()
    return 0
