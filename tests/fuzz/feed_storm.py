"""A seeded storm over the feed: the real bot as its own process, a local Discord, a Redis that goes away.

`python -m tests.fuzz.feed_storm SEED [N]` runs the seeds SEED to SEED+N-1 and prints a line for each; exit status 1
when one failed.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import redis.asyncio as aredis
from redis.exceptions import RedisError

from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.rest.faults import Trouble
from bot.sandbox.world.records import Change, Deed, MessageChange
from streaming.bus.server import parent_death
from streaming.bus.server.embedded import free_port
from tests.fuzz.storm_schedule import FAULTS, Schedule, Step, make_schedule
from tests.fuzz.storm_verdict import FRESH_S, Protocol, Seen, figure_of, live_among, reasons
from tests.support.redis_server import await_answer, plain_command

ROOT: Final = Path(__file__).resolve().parents[2]
TICKERS: Final = ("SPX", "NDX")
NO_REDIS: Final = 69
"""The exit status of a bot that starts while Redis is away: whoever runs it starts it again."""
_LEAVE_WITHIN_S: Final = 12.0
_AGAIN_AFTER_S: Final = 1.0
_STAND_WITHIN_S: Final = 30.0
_REPLACED_WITHIN_S: Final = 2.0
_REPLACEMENTS: Final = 3


def metrics_key(number: int) -> str:
    """Where a bot writes the feed's telemetry: each its own, so that it can be told who leads."""
    return f"metrics:gex_feed:{number}"


class StormRedis:
    """A server on one port that can be killed, frozen and brought back with what it had stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    @property
    def is_up(self) -> bool:
        return self._process is not None

    async def start(self) -> None:
        if self._process is None:
            command = plain_command(self._folder, self._port)
            log = (self._folder / "server.log").open("ab")
            with log:
                self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
            await asyncio.to_thread(await_answer, self._port)

    async def kill(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            await process.wait()

    def freeze(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class StormBot:
    """`run_bot.py` in a folder of its own, started as often as the storm ends it."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str], incidents: list[str]) -> None:
        self.number = number
        self._folder = folder
        self._environment = environment
        self._incidents = incidents
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._starting = asyncio.Lock()
        self.paused = False
        self.log = folder / "bot.log"
        folder.mkdir()
        (folder / ".env").touch()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def at_work(self) -> bool:
        """Whether it runs, and nobody holds or ends it: only then something new happens to it."""
        return self.runs and not self._stopping and not self.paused

    async def start(self) -> None:
        """Start it unless it runs; one that is leaving is waited for."""
        async with self._starting:
            if self._stopping and self._process is not None:
                await self._process.wait()
            if not self.runs:
                self._process = await self._launch()
                self._stopping = False

    async def _launch(self) -> asyncio.subprocess.Process:
        keep = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        program = [sys.executable, "-W", "ignore", str(ROOT / "run_bot.py")]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *program),
                cwd=self._folder,
                env=keep | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def keep(self) -> None:
        """Start it again when it ends by itself, as systemd would; only without Redis may it do that."""
        while True:
            await asyncio.sleep(0.1)
            if self._process is None or self._process.returncode is None or self._stopping:
                continue
            if self._process.returncode != NO_REDIS:
                self._incidents.append(f"bot {self.number} ended by itself with status {self._process.returncode}")
            await asyncio.sleep(_AGAIN_AFTER_S)
            await self.start()

    async def terminate(self) -> None:
        """SIGTERM; what does not leave in time is an incident, and killed."""
        assert self._process is not None
        self._stopping = True
        self._process.terminate()
        try:
            status = await asyncio.wait_for(self._process.wait(), _LEAVE_WITHIN_S)
        except TimeoutError:
            self._incidents.append(f"bot {self.number} did not leave within {_LEAVE_WITHIN_S:g} s of SIGTERM")
            await self.kill()
        else:
            if status not in {0, -signal.SIGTERM, -signal.SIGKILL, NO_REDIS}:
                self._incidents.append(f"bot {self.number} left with status {status}")

    async def kill(self) -> None:
        if self._process is not None:
            self._stopping = True
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def pause(self) -> None:
        self.paused = True
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.paused = False
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


@dataclass
class Storm:
    """Everything of one storm while it runs."""

    schedule: Schedule
    folder: Path
    sandbox: Sandbox
    redis: StormRedis
    protocol: Protocol = field(default_factory=Protocol)
    bots: list[StormBot] = field(default_factory=list)
    deeds: list[dict[str, Any]] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)
    _published: int = 0

    def __post_init__(self) -> None:
        self.sandbox.world.listen(self._note)

    @property
    def now_s(self) -> float:
        return time.monotonic() - self.began_s

    @property
    def channels(self) -> list[str]:
        return [f"gex-{number}" for number in range(self.schedule.channels)]

    def environment(self) -> dict[str, str]:
        ids = [self.sandbox.channel_ids[name] for name in self.channels]
        pairs = [f"{TICKERS[position % len(TICKERS)]}:{number}" for position, number in enumerate(ids)]
        return {
            "DISCORD_BOT_TOKEN": self.sandbox.token,
            "DISCORD_API_URL": self.sandbox.api_url,
            "DISCORD_GATEWAY_URL": self.sandbox.gateway_url,
            "DISCORD_OPERATOR_IDS": str(self.sandbox.owner_id),
            "GEX_FEED_CHANNEL_MAP": ",".join(pairs),
            "GEX_FEED_SYMBOLS": ",".join(TICKERS),
            "GEX_FEED_FORCE_WINDOW": "true",
            "GEX_FEED_REFRESH_MINUTES": "1",
            "GEX_FEED_UPDATE_SECONDS": "1",
            "GEX_FEED_STYLE": "plain",
            "GEX_SOURCE": "redis",
            "REDIS_URL": self.redis.url,
        }

    async def run(self) -> None:
        """Trouble, then calm, then a look at what stands."""
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(self.publish(), name="snapshots")]
            for bot in self.bots:
                await bot.start()
                background.append(group.create_task(bot.keep(), name=f"keeper of bot {bot.number}"))
            if self.schedule.awaited:
                await self.stand()
            under_way = [group.create_task(self._perform(step), name=step.deed) for step in self.schedule.steps]
            await asyncio.sleep(self.schedule.trouble_s - self.now_s)
            await self._calm(under_way)
            await asyncio.sleep(self.schedule.calm_s)
            await self._let_replacements_end()
            self.look()
            await ended(background)
        for bot in self.bots:
            await bot.kill()
        self.protocol.logs = {bot.log.parent.name: bot.log.read_text().splitlines() for bot in self.bots}

    async def stand(self) -> None:
        """Let the storm's time begin with the boards; ones that never come are its first finding."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STAND_WITHIN_S):
                while {change.channel for change in self.protocol.changes} < set(self.channels):
                    await asyncio.sleep(0.05)
        self.began_s, passed_s = time.monotonic(), self.now_s
        self.protocol.changes.clear()
        self.protocol.published_s = {spot: at_s - passed_s for spot, at_s in self.protocol.published_s.items()}

    async def _calm(self, under_way: list[asyncio.Task[None]]) -> None:
        """Everything that is wrong ends now; bots that are away come back."""
        self.sandbox.faults.clear()
        self.sandbox.moderator.rest()
        self.sandbox.gateway.trouble.come_up()
        await ended(under_way)
        self.redis.freeze(signal.SIGCONT)
        await self.redis.start()
        for bot in self.bots:
            if bot.paused:
                bot.go_on()
            await bot.start()

    async def _let_replacements_end(self) -> None:
        """A new message stands beside the old one for a moment, and that is meant."""
        for _ in range(_REPLACEMENTS):
            posts_s = [change.at_s for change in self.protocol.changes if change.deed == "post"]
            if not posts_s or self.now_s - posts_s[-1] > _REPLACED_WITHIN_S:
                return
            await asyncio.sleep(_REPLACED_WITHIN_S)

    def look(self) -> None:
        """Note what stands in each channel now."""
        world = self.sandbox.world
        self.protocol.ended_s = self.now_s
        self.protocol.standing = {
            name: [
                message.content
                for message in world.channels[self.sandbox.channel_ids[name]].messages.values()
                if message.ephemeral_for is None
            ]
            for name in self.channels
        }

    def astray(self) -> list[str]:
        """What is wrong now that nothing storms: each channel has one live message, with about the newest figure."""
        self.look()
        newest = max(self.protocol.published_s)
        found = []
        for channel, texts in self.protocol.standing.items():
            live = live_among(texts)
            if len(live) != 1:
                found.append(f"{channel} has {len(live)} messages")
            elif newest - (figure_of(live[0]) or 0.0) > FRESH_S / 4:
                found.append(f"{channel} shows {figure_of(live[0])} and not {newest}")
        return found

    def _note(self, change: Change) -> None:
        deeds = {Deed.CREATE: "post", Deed.UPDATE: "edit", Deed.DELETE: "delete"}
        if isinstance(change, MessageChange) and change.message.ephemeral_for is None:
            message = change.message
            channel = self.sandbox.world.channels[message.channel_id]
            if channel.recipient is None:
                seen = Seen(self.now_s, channel.name, deeds[change.deed], message.id, message.content)
                self.protocol.changes.append(seen)

    async def publish(self) -> None:
        """Until cancelled, a snapshot of each ticker every second, its figure never the same twice."""
        async with aredis.Redis.from_url(self.redis.url, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            while True:
                with suppress(RedisError, OSError):
                    await self.publish_once(client)
                await asyncio.sleep(1.0 - time.time() % 1.0)

    async def publish_once(self, client: aredis.Redis) -> None:
        """A snapshot of each ticker with the next figure."""
        self._published += 1
        spot, now = 5000.0 + self._published / 4, int(time.time())
        self.protocol.published_s[spot] = self.now_s
        for ticker in TICKERS:
            classic = {"ticker": ticker, "timestamp": now, "spot": spot, "zero_gamma": spot - 10}
            snapshot = json.dumps(classic | {"sum_gex_vol": 1500.0 + now % 60, "sum_gex_oi": -912.3})
            await client.set(f"gex:snapshot:{ticker}", snapshot)
            await client.publish("gex:snapshot:stream", snapshot)

    async def _perform(self, step: Step) -> None:
        await asyncio.sleep(max(step.at_s - self.now_s, 0.0))
        deed: Callable[..., Coroutine[Any, Any, bool]] = (
            self._fault if step.deed in FAULTS else getattr(self, f"_{step.deed}")
        )
        self.deeds.append({"at_s": round(self.now_s, 2), **asdict(step), "done": (entry := [False])})
        entry[0] = await deed(**step.options)

    async def _fault(self, channel: int | None, **options: Any) -> bool:
        place = {name: options.pop(name) for name in ("on", "count", "seconds") if name in options}
        channel_id = None if channel is None else self.sandbox.channel_ids[self.channels[channel]]
        if place.get("on") in {"letter", "commands", None}:
            channel_id = None
        self.sandbox.fail(Trouble(**options), channel_id=channel_id, **place)
        return True

    async def _moderate(self, channel: int, count: int, after_s: float) -> bool:
        """Delete what stands now, and the next posts too."""
        channel_id = self.sandbox.channel_ids[self.channels[channel]]
        for message in list(self.sandbox.world.channels[channel_id].messages.values()):
            self.sandbox.world.remove(self.sandbox.world.message(channel_id, message.id))
        self.sandbox.moderator.watch(channel_id, count - 1, after_s)
        return True

    async def _close_gateway(self, code: int) -> bool:
        self.sandbox.gateway.close_all(code)
        return True

    async def _abort_gateway(self) -> bool:
        self.sandbox.gateway.abort_all()
        return True

    async def _reconnect(self) -> bool:
        self.sandbox.gateway.ask_to_reconnect()
        return True

    async def _invalidate(self, *, resumable: bool) -> bool:
        self.sandbox.gateway.invalidate(resumable=resumable)
        return True

    async def _gateway_down(self, seconds: float, status: int | None) -> bool:
        self.sandbox.gateway.go_down(seconds, None if status is None else Trouble(status, shape="page"))
        return True

    async def _broken_event(self, name: str) -> bool:
        self.sandbox.gateway.dispatch(name, {})
        return True

    async def _terminate(self, bot: int, seconds: float) -> bool:
        return await self._end(self.bots[bot], StormBot.terminate, seconds)

    async def _kill(self, bot: int, seconds: float) -> bool:
        return await self._end(self.bots[bot], StormBot.kill, seconds)

    async def _end(self, bot: StormBot, how: Callable[[StormBot], Coroutine[Any, Any, None]], seconds: float) -> bool:
        if not bot.at_work:
            return False
        await asyncio.shield(how(bot))
        await asyncio.sleep(seconds)
        await bot.start()
        return True

    async def _pause(self, bot: int, seconds: float) -> bool:
        if not self.bots[bot].at_work:
            return False
        self.bots[bot].pause()
        await asyncio.sleep(seconds)
        if self.bots[bot].paused:
            self.bots[bot].go_on()
        return True

    async def _redis_killed(self, seconds: float) -> bool:
        if not self.redis.is_up:
            return False
        await self.redis.kill()
        await asyncio.sleep(seconds)
        await asyncio.shield(self.redis.start())
        return True

    async def _redis_frozen(self, seconds: float) -> bool:
        self.redis.freeze(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.redis.freeze(signal.SIGCONT)
        return True


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they are over: a client whose own time runs out in the same moment swallows the first one."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)


@asynccontextmanager
async def open_storm(schedule: Schedule, folder: Path, **settings: str) -> AsyncIterator[Storm]:
    """The surroundings of one storm, its bots' settings changed by `settings`; whatever happens, nothing runs on."""
    redis = StormRedis(folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.kill)
        await redis.start()
        names = [f"gex-{number}" for number in range(schedule.channels)]
        storm = Storm(schedule, folder, await stack.enter_async_context(open_sandbox(channels=names)), redis)
        for number in range(schedule.bots):
            environment = storm.environment() | {"GEX_FEED_METRICS_KEY": metrics_key(number)} | settings
            bot = StormBot(number, folder / f"bot-{number}", environment, storm.protocol.incidents)
            stack.push_async_callback(bot.kill)
            storm.bots.append(bot)
        yield storm


@dataclass(frozen=True)
class Verdict:
    """How one storm ended."""

    schedule: Schedule
    reasons: tuple[str, ...]
    summary: str
    folder: Path

    @property
    def line(self) -> str:
        if not self.reasons:
            return f"seed {self.schedule.seed}: clean ({self.summary})"
        listed = "; ".join(self.reasons)
        return f"seed {self.schedule.seed}: FAILED: {listed} ({self.summary}; {self.folder})"


def storm_once(schedule: Schedule, folder: Path) -> Verdict:
    """Run one storm; `folder` then holds its schedule, what was seen and the bots' logs."""
    folder.mkdir(parents=True)
    (folder / "schedule.json").write_text(schedule.to_json())
    storm = asyncio.run(_weather(schedule, folder))
    with (folder / "seen.jsonl").open("w") as out:
        happened = [*storm.deeds, *(asdict(change) for change in storm.protocol.changes)]
        out.writelines(json.dumps(item) + "\n" for item in sorted(happened, key=lambda item: item["at_s"]))
    return Verdict(schedule, tuple(reasons(storm.protocol)), _summary(storm), folder)


async def _weather(schedule: Schedule, folder: Path) -> Storm:
    async with open_storm(schedule, folder) as storm:
        await storm.run()
    return storm


def _summary(storm: Storm) -> str:
    done = sum(bool(deed["done"][0]) for deed in storm.deeds)
    posts = sum(change.deed == "post" for change in storm.protocol.changes)
    return (
        f"{storm.schedule.bots} bots, {storm.schedule.channels} channels, {done} of {len(storm.deeds)} deeds, "
        f"{posts} posts, {storm.sandbox.gateway.identifies} identifies"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.feed_storm", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("count", type=int, nargs="?", default=1, help="how many seeds, from SEED on")
    parser.add_argument("--trouble", type=float, default=40.0, metavar="S", help="seconds of trouble")
    parser.add_argument("--calm", type=float, default=35.0, metavar="S", help="seconds of calm after it")
    parser.add_argument("--logs", type=Path, default=None, help="where failed storms leave their folder")
    parser.add_argument("--replay", type=Path, default=None, metavar="FILE", help="the schedule.json of a failed storm")
    asked = parser.parse_args()
    parent = asked.logs or Path(tempfile.gettempdir()) / "feed-storms"
    parent.mkdir(parents=True, exist_ok=True)
    if asked.replay is not None:
        schedules = [Schedule.from_json(asked.replay.read_text())]
    else:
        seeds = range(asked.seed, asked.seed + asked.count)
        schedules = [make_schedule(seed, trouble_s=asked.trouble, calm_s=asked.calm) for seed in seeds]
    failed = False
    for schedule in schedules:
        folder = Path(tempfile.mkdtemp(prefix=f"seed-{schedule.seed}-", dir=parent))
        verdict = storm_once(schedule, folder / "storm")
        failed |= bool(verdict.reasons)
        if not verdict.reasons:
            shutil.rmtree(folder)
        sys.stdout.write(verdict.line + "\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
