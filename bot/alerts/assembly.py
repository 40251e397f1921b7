"""Builds the alerts of one process out of what the process already holds."""

import random
from functools import partial

from bot.alerts.alert_job import AlertRunner
from bot.alerts.desk import AlertDesk
from bot.alerts.post import DiscordPost
from bot.alerts.rule_store import AlertStore
from bot.client import GexBot
from bot.settings import BotSettings
from bot.supervisor import JobFactory, Progress
from streaming.bus import keys
from streaming.bus.metrics_store import write_metrics
from streaming.streamer.runtime import Runtime


def build_alerts(
    bot: GexBot, runtime: Runtime, settings: BotSettings, rng: random.Random
) -> tuple[AlertDesk, JobFactory]:
    """What commands reach, and the job that has to run for it."""

    def watched(ticker: str) -> bool:
        return runner.watcher.watches(ticker)

    store, post = AlertStore(runtime.redis), DiscordPost(bot)
    runner = AlertRunner(
        runtime.snapshots.only(watched),
        store,
        post,
        runtime.clock,
        notify=bot.notify_operators,
        rng=rng,
        any_hour=settings.gex_feed_force_window,
        write_metrics=partial(write_metrics, runtime.redis, keys.ALERT_METRICS),
    )
    desk = AlertDesk(
        store,
        runner,
        post,
        runtime.clock,
        per_person=settings.alerts_per_person,
        per_channel=settings.alerts_per_channel,
    )
    return desk, partial(_run, bot, runner)


async def _run(bot: GexBot, runner: AlertRunner, progress: Progress) -> None:
    """Begin once messages can be sent."""
    await bot.logged_in.wait()
    await runner.run(progress)
