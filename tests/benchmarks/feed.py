"""N live messages with figures that change each second, on the local Discord; against one loop that edits in turn.

python -m tests.benchmarks.feed [--boards 1 8 40 120 500 2000] [--seconds 70] [--ours-only] [--still]

The local Discord runs in a process of its own, with Discord's buckets and fifty calls in any second. A mark, at which
every message is replaced, begins the measurement, and one comes every minute from then on (every five minutes for more
than 500 messages: their 4,000 calls do not fit in a minute). The lag of an edit is the time from the publication of the
figures that it shows until Discord has them. Twice a second somebody uses a slash command, which goes through the
gateway to the bot's command tree; what is told is how long Discord waits for the answer. `--still` is forty messages
whose figures do not change, and nobody asks for anything.
Exit status 1 when one of ours missed what it has to keep: no 429, no command that takes over half a second, of forty
messages 0.95 edits a second each and no lag above 1.2 s, all replaced within 15 s, or a minute with up to 500.
Baseline: the loop most bots have, which edits one channel after the other through discord.py.
"""

import argparse
import asyncio
import itertools
import math
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import discord
from redis.asyncio import Redis

from bot.client import GexBot
from bot.feed.channel import DiscordChannel
from bot.feed.feed_job import FeedRunner
from bot.feed.feed_parts import FeedParts
from bot.feed.pacing import Pacing
from bot.feed.part import FeedPart
from bot.settings import BotSettings
from bot.supervisor import Supervisor
from bot.wire.login import point_discord_at
from streaming.bus.lease import Lease
from streaming.clock import ShiftedClock
from tests.benchmarks.feed_discord import COMMANDS, Seen, discord_elsewhere
from tests.support.feed import DictLedger, QueueSnapshots, showing, snapshot
from tests.support.host import Host, make_settings

_TICKER: Final = "SPX"
_EXTENSIONS: Final = ("cogs.gex", "cogs.feed")
_FIRST_SPOT: Final = 5000
_MARK: Final = datetime(2026, 8, 20, 13, 50, tzinfo=UTC)
_FIGURES_S: Final = 1.0
_STILL: Final = 40
_SETTLE_STILL_S: Final = 75.0
"""Until the window of the changes is full, they change."""
_SIGN_IN_S: Final = 12.0
_CONNECTED_WITHIN_S: Final = 30.0
_MOST_IN_A_MINUTE: Final = 500
_ANSWERED_WITHIN_S: Final = 3.0
_FULL_PACE: Final = 40
"""Up to so many messages have an edit a second each."""
_LEAST_PACE: Final = 0.95
_LONGEST_LAG_S: Final = 1.2
_LONGEST_ANSWER_S: Final = 0.5


class Market:
    """Publishes figures every second, with a new price each time unless they stand `still`, and remembers when."""

    def __init__(self, snapshots: QueueSnapshots, clock: ShiftedClock, settle_s: float, *, still: bool) -> None:
        self.began_s = math.inf
        self.published = {_FIRST_SPOT: time.monotonic()}
        self.price = _FIRST_SPOT
        self.mark_s = clock.began_s + settle_s
        self._snapshots = snapshots
        self._clock = clock
        self._still = still
        self._publish()

    async def run(self) -> None:
        self.began_s = time.monotonic()
        for second in itertools.count():
            await asyncio.sleep(max(self.began_s + second * _FIGURES_S - time.monotonic(), 0.0))
            self.price += not self._still
            self.published.setdefault(self.price, time.monotonic())
            self._publish()

    def _publish(self) -> None:
        found = snapshot(self._clock.now(), ticker=_TICKER, spot=float(self.price))
        self._snapshots.stored[_TICKER] = [found]
        self._snapshots.queue.put_nowait(found)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is measured in one line."""

    count: int
    seconds: float
    paced: bool = True
    """Ours; otherwise the loop that edits in turn."""
    still: bool = False

    @property
    def settings(self) -> BotSettings:
        minutes = 60 if self.still else 1 if self.count <= _MOST_IN_A_MINUTE else 5
        return make_settings(gex_feed_force_window=True, gex_feed_refresh_minutes=minutes, gex_feed_symbols=_TICKER)

    @property
    def settled_after_s(self) -> float:
        """When every message stands and has been looked after: two calls each."""
        return (_SETTLE_STILL_S if self.still else 8.0) + self.count / 20


@asynccontextmanager
async def signed_in(
    trial: Trial, place: Mapping[str, Any], clock: ShiftedClock, snapshots: QueueSnapshots
) -> AsyncIterator[tuple[GexBot, FeedParts]]:
    """The bot with its commands, connected; and what writes its messages, not begun."""
    settings, pacing = trial.settings, Pacing(clock)
    point_discord_at(place["api"], place["gateway"])
    bot = GexBot(settings, clock, extensions=_EXTENSIONS, gate=pacing if trial.paced else None)
    orders = showing(dict.fromkeys(place["channels"], _TICKER))

    def runner(_part: FeedPart, _lease: Lease) -> FeedRunner:
        channel = partial(DiscordChannel, bot)
        rng = random.Random(1)
        return FeedRunner(orders, snapshots, channel, DictLedger(), settings, clock, rng=rng, turns=pacing)

    feed = FeedParts(runner, Lease(Redis(), "the whole", "this process"), clock)
    async with Supervisor(clock=clock, tell=bot.tell_operators) as supervisor, bot:
        services = Host(settings).services(supervisor)
        bot.attach(replace(services, clock=clock, snapshots=snapshots, feed=feed, orders=orders))
        connected = asyncio.create_task(bot.run_until_closed(place["token"]), name="gateway")
        async with asyncio.timeout(_CONNECTED_WITHIN_S):
            await bot.wait_until_ready()
        yield bot, feed
        await bot.close()
        await connected


async def in_turn(client: discord.Client, channels: Sequence[int], market: Market) -> None:
    """The baseline: every second, edit one channel after the other, and replace the messages at the mark."""
    places = [client.get_partial_messageable(channel_id) for channel_id in channels]
    messages = [await place.send(f"{market.price}.00") for place in places]
    begun, mark = time.monotonic(), market.mark_s
    for second in itertools.count(1):
        replaces = time.monotonic() >= mark
        mark += 60 * replaces
        for position, place in enumerate(places):
            if replaces:
                old, messages[position] = messages[position], await place.send(f"{market.price}.00")
                await old.delete()
            else:
                await messages[position].edit(content=f"{market.price}.00")
        await asyncio.sleep(max(begun + second - time.monotonic(), 0.0))


async def measure(trial: Trial) -> list[str]:
    """One line of figures, and some of commands; what was missed."""
    snapshots, clock = QueueSnapshots(), ShiftedClock(_MARK - timedelta(seconds=_SIGN_IN_S + trial.settled_after_s))
    market = Market(snapshots, clock, _SIGN_IN_S + trial.settled_after_s, still=trial.still)
    async with (
        discord_elsewhere(trial.count, silent=trial.still) as (place, seen),
        signed_in(trial, place, clock, snapshots) as (bot, feed),
    ):
        writer = feed.run() if trial.paced else in_turn(bot, place["channels"], market)
        tasks = [asyncio.create_task(work) for work in (market.run(), writer)]
        await asyncio.sleep(market.mark_s - time.monotonic())
        cpu = time.process_time()
        await asyncio.wait(tasks, timeout=trial.seconds, return_when=asyncio.FIRST_COMPLETED)
        end, cpu = time.monotonic(), time.process_time() - cpu
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.wait(tasks)
    return report(trial, seen, market, end, cpu)


def report(trial: Trial, seen: Seen, market: Market, end: float, cpu: float) -> list[str]:
    shown = [row for row in seen.writes if row[1] != "DELETE" and row[3] and market.mark_s <= row[2] <= end]
    lags = sorted(at - market.published[price] for _, _, at, price in shown)
    per_channel = Counter(row[0] for row in shown)
    length = end - market.mark_s
    paces = sorted(per_channel[channel_id] / length for channel_id in {row[0] for row in seen.writes})
    name = "still" if trial.still else "ours" if trial.paced else "in turn"
    sys.stdout.write(
        f"{name:<9} {len(paces):4d} boards {len(shown) / length:6.2f} edits/s, each {paces[0]:.2f} to {paces[-1]:.2f}/s"
        f"  lag p50 {at(lags, 0.5):.2f} p99 {at(lags, 0.99):.2f} worst {at(lags, 1.0):.2f} s"
        f"  429s {seen.statuses.get('429', 0)}  CPU {100 * cpu / length:.1f} %"
        f"{mark_span(seen, market.mark_s) if trial.paced else ''}  load {os.getloadavg()[0]:.0f}\n"
    )
    for command in [] if trial.still else COMMANDS:
        sys.stdout.write(f"{'':<9} {command_line(command, seen, market, end)}\n")
    found = missed(trial, paces, lags, seen, market) if trial.paced and not trial.still else []
    sys.stdout.writelines(f"{'':<9} missed: {sentence}\n" for sentence in found)
    sys.stdout.flush()
    return found


def missed(trial: Trial, paces: Sequence[float], lags: Sequence[float], seen: Seen, market: Market) -> list[str]:
    """What ours has to keep and did not."""
    within_s = 15.0 if trial.count <= _FULL_PACE else 60.0
    full, reposts = trial.count <= _FULL_PACE, replaced_s(seen, market.mark_s)
    slowest_s = max((after_s for _, _, after_s, _ in seen.answers if after_s is not None), default=0.0)
    found = {
        f"{seen.statuses.get('429', 0)} answers 429": seen.statuses.get("429", 0) > 0,
        f"a command took {slowest_s:.2f} s": slowest_s > _LONGEST_ANSWER_S,
        f"{paces[0]:.2f} edits a second": full and round(paces[0], 2) < _LEAST_PACE,
        f"a lag of {at(lags, 1.0):.2f} s": full and at(lags, 1.0) > _LONGEST_LAG_S,
        f"the last replaced after {at(reposts, 1.0):.1f} s": trial.count <= _MOST_IN_A_MINUTE
        and (len(reposts) < trial.count or at(reposts, 1.0) > within_s),
    }
    return [sentence for sentence, is_missed in found.items() if is_missed]


def command_line(command: str, seen: Seen, market: Market, end: float) -> str:
    """How long its answers took; a question in the last seconds may be left without one by the end."""
    span_s = market.began_s, end - _ANSWERED_WITHIN_S
    rows = [row for row in seen.answers if row[1] == command and span_s[0] < row[0] < span_s[1]]
    asked = sorted((math.inf if after_s is None else after_s, asked_s) for asked_s, _, after_s, _ in rows)
    took, slowest_s = [after_s for after_s, _ in asked], asked[-1][1] - market.mark_s if asked else 0.0
    unanswered = took.count(math.inf)
    words = Counter(line for *_, line in rows).most_common(1)[0][0] if rows else "never asked"
    figures = " ".join(f"{word} {at(took, share):.3f}" for word, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)))
    return (
        f"/{command}: {len(rows)} times {figures} s (at {slowest_s:+.1f} s), {unanswered} without an answer ({words})"
    )


def mark_span(seen: Seen, mark: float) -> str:
    """When the first and the last message was replaced after the first mark."""
    reposts = replaced_s(seen, mark)
    return f"  reposts {reposts[0]:.1f} to {reposts[-1]:.1f} s ({len(reposts)})" if reposts else ""


def replaced_s(seen: Seen, mark: float) -> list[float]:
    """How long after the first mark each message was replaced."""
    posts: dict[int, list[float]] = defaultdict(list)
    for channel_id, deed, instant, _ in seen.writes:
        if deed == "CREATE":
            posts[channel_id].append(instant - mark)
    return sorted(times[1] for times in posts.values() if len(times) > 1)


def at(values: Sequence[float], share: float) -> float:
    return values[min(math.floor(share * len(values)), len(values) - 1)] if values else 0.0


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, nargs="+", default=[1, 8, 40, 120, 500, 2000])
    parser.add_argument("--seconds", type=float, default=70)
    parser.add_argument("--ours-only", action="store_true")
    parser.add_argument("--still", action="store_true", help="only the forty messages without news")
    arguments = parser.parse_args()
    os.environ.setdefault("PYTHONHASHSEED", "0")
    found: list[str] = []
    for count in [] if arguments.still else arguments.boards:
        found += await measure(Trial(count, arguments.seconds))
        if not arguments.ours_only:
            await measure(Trial(count, arguments.seconds, paced=False))
    await measure(Trial(_STILL, arguments.seconds, still=True))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    asyncio.run(main())
