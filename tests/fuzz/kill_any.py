"""Three processes of a sharded bot, each killed in turn: the others write its boards, and none is there twice.

`python -m tests.fuzz.kill_any [--channels 600] [--rounds 3] [--terminate] [--at-once 6]` prints a line for each end;
exit status 1 when something was not as it must be. The local Discord has Discord's buckets, fifty calls in any second
and one IDENTIFY in five seconds for each of so many buckets of shards; a gap is the time from the end of a process to
the next edit of a board that was its own: five seconds for the first (one after SIGTERM), and for the last as many more
as two calls for each board take. A command is used in the server meanwhile, four times a second, until one is answered.
The server's shard is lost in the first round; in the others as it comes, and then its commands go on.
"""

import argparse
import asyncio
import hashlib
import math
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis.asyncio as aredis

from bot.feed.pacer import RATE_PER_S
from bot.feed.part import FeedPart
from bot.sandbox.gateway.gateway_session import Shard
from bot.wire.identify_slots import APART_S
from streaming.bus import keys
from tests.fuzz.feed_storm import Storm, StormBot, ended, open_storm
from tests.fuzz.storm_schedule import Schedule
from tests.fuzz.storm_verdict import live_among
from tests.support.asker import Asker

SHARDS: Final = 6
PROCESSES: Final = 3
TAKEN_OVER_S: Final = 5.0
HANDED_OVER_S: Final = 1.0
_SHARED_WITHIN_S: Final = 60.0
_SWAP_S: Final = 3.0
_LOOK_S: Final = 0.2
_IN_FLIGHT_S: Final = 0.5
"""An edit that was on its way when its process was killed; nobody can have taken over by then."""
_BUDGET_PER_S: Final = 40.0
_CALLS_TO_SETTLE: Final = 2
"""Of each board: its post or its first edit, and a look around."""
_COMMAND: Final = "gex status"
_ASK_EVERY_S: Final = 0.25
_ANSWERED_S: Final = 0.5
"""What a command may take while its shard is connected."""
_MOST_WITH_MARKS: Final = 120
"""Of more channels the messages are not replaced meanwhile: that alone takes most of a minute's calls."""


@dataclass(frozen=True, slots=True)
class Fall:
    """What the end of one process cost."""

    boards: int
    first_s: float
    """Until one of its boards was edited again."""
    last_s: float
    """Until all were."""
    calls_per_s: float
    """To Discord meanwhile, by all processes."""
    answered_s: float = 0.0
    """Until a command was answered."""
    shards: int = 0
    """That were lost with the server's among them; 0 when that stayed."""

    @property
    def line(self) -> str:
        lost = f"one of {self.shards} lost" if self.shards else "kept"
        return (
            f"{self.boards:4d} boards  first edit after {self.first_s:5.2f} s  all after {self.last_s:5.2f} s, at "
            f"{self.calls_per_s:.0f} calls a second  /{_COMMAND} answered after {self.answered_s:5.2f} s (shard {lost})"
        )


class Trial:
    """One run: a storm of several processes, and what is seen of its boards."""

    def __init__(self, storm: Storm) -> None:
        self._storm = storm
        self._asker = Asker(storm.sandbox)
        self._redis = aredis.Redis.from_url(storm.redis.url, decode_responses=True)
        self._crowded_s: dict[str, float] = {}
        self.duplicates: Counter[str] = Counter()

    async def close(self) -> None:
        """Ask no more."""
        await self._redis.aclose()

    async def begin(self, at_once: int) -> None:
        """Start every process and wait until the work is shared, and every board stands and has looked around.

        So many shards may identify within five seconds.
        """
        self._storm.sandbox.gateway.trouble.shards = SHARDS
        self._storm.sandbox.gateway.trouble.max_concurrency = at_once
        for bot in self._storm.bots:
            await bot.start()
        await self._storm.stand()
        self.look()
        async with asyncio.timeout(_SHARED_WITHIN_S + len(self._storm.channels) / _BUDGET_PER_S * _CALLS_TO_SETTLE):
            while not all(live_among(texts) for texts in self._storm.protocol.standing.values()):
                self.look()
                await asyncio.sleep(_LOOK_S)
        await self._shared(len(self._storm.bots))
        await asyncio.sleep(len(self._storm.channels) / _BUDGET_PER_S * (_CALLS_TO_SETTLE - 1))

    async def fall(self, bot: StormBot, *, terminate: bool, within_s: float) -> Fall:
        """End one process and see its boards written again."""
        lost, shards = await self._boards_of(bot), await self._shards_of(bot)
        self._storm.protocol.changes.clear()
        ended_s, calls = self._storm.now_s, sum(self._storm.sandbox.traffic.statuses.values())
        ending = asyncio.create_task(bot.terminate() if terminate else bot.kill(), name="end of a bot")
        asking = asyncio.create_task(self._answered_after_s(ended_s, within_s), name="commands")
        gaps = await self._written_again(lost, ended_s, within_s, in_flight_s=0.0 if terminate else _IN_FLIGHT_S)
        calls = sum(self._storm.sandbox.traffic.statuses.values()) - calls
        pace_per_s = calls / (self._storm.now_s - ended_s)
        await ending
        return Fall(
            len(lost),
            min(gaps.values(), default=0.0),
            max(gaps.values(), default=0.0),
            pace_per_s,
            await asking,
            len(shards) if self._own_shard in shards else 0,
        )

    async def next_to_fall(self, left: Sequence[StormBot]) -> StormBot:
        """Of those that have not been ended yet, the one that the server's shard is at."""
        for bot in left:
            if self._own_shard in await self._shards_of(bot):
                return bot
        return left[0]

    async def recover(self, bot: StormBot) -> None:
        """Start a process again and wait until the work is shared, and the boards that it took have looked around."""
        await bot.start()
        await self._shared(len(self._storm.bots))
        await asyncio.sleep(len(self._storm.channels) / PROCESSES / _BUDGET_PER_S * _CALLS_TO_SETTLE)

    async def _answered_after_s(self, ended_s: float, within_s: float) -> float:
        """Until the first command is answered that is used after an end; one is used before the last has its answer."""
        loop = asyncio.get_running_loop()
        first: asyncio.Future[float] = loop.create_future()

        async def ask() -> None:
            place = self._storm.sandbox.channel_ids[self._storm.channels[0]]
            if await self._asker.ask(_COMMAND, place) is not None and not first.done():
                first.set_result(self._storm.now_s - ended_s)

        async with asyncio.TaskGroup() as group:
            asked = []
            while not first.done() and self._storm.now_s < ended_s + within_s:
                asked.append(group.create_task(ask(), name=_COMMAND))
                await asyncio.wait({first}, timeout=_ASK_EVERY_S)
            for task in asked:
                task.cancel()
        return first.result() if first.done() else within_s

    async def _written_again(
        self, lost: Sequence[str], since_s: float, within_s: float, *, in_flight_s: float
    ) -> Mapping[str, float]:
        left, gaps = set(lost), dict.fromkeys(lost, within_s)
        while left and self._storm.now_s < since_s + within_s:
            seen, self._storm.protocol.changes = self._storm.protocol.changes, []
            for change in seen:
                if change.channel in left and change.deed != "delete" and change.at_s > since_s + in_flight_s:
                    left.discard(change.channel)
                    gaps[change.channel] = change.at_s - since_s
            self.look()
            await asyncio.sleep(_LOOK_S)
        return gaps

    def look(self) -> None:
        """Count channels in which a second message stands for longer than a replacement takes."""
        self._storm.look()
        for channel, texts in self._storm.protocol.standing.items():
            if len(live_among(texts)) <= 1:
                self._crowded_s.pop(channel, None)
            elif self._storm.now_s - self._crowded_s.setdefault(channel, self._storm.now_s) > _SWAP_S:
                self.duplicates[channel] += 1

    async def _shared(self, among: int) -> None:
        """Until every process has its part of boards and shards, and Discord has welcomed every shard."""
        async with asyncio.timeout(_SHARED_WITHIN_S):
            while not await self._is_shared(among):
                self.look()
                await asyncio.sleep(_LOOK_S)

    async def _is_shared(self, among: int) -> bool:
        holders = Counter((await self._holders()).values())
        connected = {session.shard.number for session in self._storm.sandbox.gateway.sessions if session.outlet}
        fair = sorted(holders.values()) == sorted(SHARDS // among + (rank < SHARDS % among) for rank in range(among))
        return fair and len(connected) == SHARDS

    async def _boards_of(self, bot: StormBot) -> list[str]:
        parts = [part for part, pid in (await self._holders()).items() if pid == bot.pid]
        ids = self._storm.sandbox.channel_ids
        return [name for name in self._storm.channels if any(FeedPart(part, SHARDS).has(ids[name]) for part in parts)]

    @property
    def _own_shard(self) -> int:
        """The shard that hears of the server."""
        return next(number for number in range(SHARDS) if Shard(number, SHARDS).hears_of(self._storm.sandbox.guild_id))

    async def _shards_of(self, bot: StormBot) -> list[int]:
        fingerprint = hashlib.sha256(self._storm.sandbox.token.encode()).hexdigest()[:16]
        names = await self._redis.mget([keys.shard_lease(fingerprint, shard, SHARDS) for shard in range(SHARDS)])
        return [shard for shard, name in enumerate(names) if name is not None and int(name.split(":")[1]) == bot.pid]

    async def _holders(self) -> dict[int, int]:
        """Which process writes each part of the boards."""
        names = await self._redis.mget([keys.feed_part(part, SHARDS) for part in range(SHARDS)])
        return {part: int(name.split(":")[1]) for part, name in enumerate(names) if name is not None}


async def play(
    channels: int, rounds: int, folder: Path, *, terminate: bool = False, at_once: int = SHARDS, **settings: str
) -> tuple[list[Fall], list[str]]:
    """What each end cost, and what was not as it must be."""
    schedule = Schedule(1, channels, PROCESSES, awaited=True, trouble_s=0.0, calm_s=0.0, steps=())
    marks = {"GEX_FEED_REFRESH_MINUTES": "1" if channels <= _MOST_WITH_MARKS else "60"}
    async with open_storm(schedule, folder, **marks | settings) as storm:
        publishing = asyncio.create_task(storm.publish(), name="snapshots")
        trial, falls, fallen = Trial(storm), [], list[StormBot]()
        try:
            await trial.begin(at_once)
            for number in range(rounds):
                left = [bot for bot in storm.bots if bot not in fallen[PROCESSES * (number // PROCESSES) :]]
                fallen.append(bot := await trial.next_to_fall(left))
                within_s = 2 * TAKEN_OVER_S + 3 * channels / _BUDGET_PER_S + APART_S * SHARDS / at_once
                falls.append(await trial.fall(bot, terminate=terminate, within_s=within_s))
                if number + 1 < rounds:
                    await trial.recover(bot)
            trial.look()
        finally:
            await ended({publishing})
            await trial.close()
        return falls, _wrong(trial, storm)


def too_long(falls: Sequence[Fall], most_s: float, *, at_once: int = SHARDS) -> list[str]:
    """Ends after which nobody wrote for longer than may be, the last board waited for longer than the calls take, or a
    command for longer than the server's shard for its turn to identify: behind the others that were lost, and the last
    that did so before.
    """
    return [
        *(
            f"no command was answered for {fall.answered_s:.2f} s"
            for fall in falls
            if fall.answered_s
            > _ANSWERED_S + (most_s + APART_S * math.ceil(fall.shards / at_once) if fall.shards else 0.0)
        ),
        *(f"boards stood still for {fall.first_s:.2f} s" for fall in falls if fall.first_s > most_s),
        *(
            f"the last of {fall.boards} boards stood still for {fall.last_s:.2f} s"
            for fall in falls
            if fall.last_s > most_s + fall.boards * _CALLS_TO_SETTLE / RATE_PER_S
        ),
    ]


def _wrong(trial: Trial, storm: Storm) -> list[str]:
    refused, early = storm.sandbox.traffic.statuses[429], storm.sandbox.gateway.too_soon
    found = {
        f"{len(trial.duplicates)} channels had a second message": bool(trial.duplicates),
        f"{refused} answers 429": refused > 0,
        f"{early} IDENTIFYs came too early": early > 0,
        "a channel has no message": not all(len(live_among(text)) for text in storm.protocol.standing.values()),
    }
    return [*storm.protocol.incidents, *(sentence for sentence, wrong in found.items() if wrong)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kill_any", description=__doc__)
    parser.add_argument("--channels", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--terminate", action="store_true", help="end processes by SIGTERM instead")
    parser.add_argument("--at-once", type=int, default=SHARDS, help="shards that may identify within five seconds")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-any-"))
    began_s = time.monotonic()
    played = play(asked.channels, asked.rounds, folder, terminate=asked.terminate, at_once=asked.at_once)
    falls, wrong = asyncio.run(played)
    wrong += too_long(falls, HANDED_OVER_S if asked.terminate else TAKEN_OVER_S, at_once=asked.at_once)
    sys.stdout.writelines(f"{fall.line}\n" for fall in falls)
    sys.stdout.write(f"{time.monotonic() - began_s:.0f} s: {'; '.join(wrong) or 'no message twice, no 429'}\n")
    if wrong:
        sys.stdout.write(f"logs: {folder}\n")
    else:
        shutil.rmtree(folder)
    return int(bool(wrong))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        sys.exit(main())
