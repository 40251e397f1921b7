"""The leader of two bots stands still for 12 s across a mark, again and again: one live message a channel remains.

`python -m tests.fuzz.paused_leader [ROUNDS [SEED]]` prints a line for each round; exit status 1 when one failed. In
every other round the leader is paused while it replaces its messages, between announcing a post, making and noting it.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import redis.asyncio as aredis

from tests.fuzz.feed_storm import Storm, StormBot, ended, metrics_key, open_storm
from tests.fuzz.storm_schedule import Schedule

CHANNELS: Final = 8
PAUSE_S: Final = 12.0
LOOK_AFTER_S: Final = 10.0
_MARK_S: Final = 60.0
_LEADS_S: Final = 2.5


async def play(rounds: int, seed: int, folder: Path, *, hurried: bool = False) -> list[str]:
    """What was not as it must be, a sentence each; `hurried`, only the first round waits for a mark."""
    rng = random.Random(seed)
    wrong: list[str] = []
    async with open_storm(Schedule(seed, CHANNELS, 2, True, 0.0, 0.0, ()), folder) as storm:
        publishing = asyncio.create_task(storm.publish(), name="snapshots")
        try:
            for bot in storm.bots:
                await bot.start()
            await storm.stand()
            for number in range(rounds):
                if number == 0 or not hurried:
                    found = await _round(storm, _until_mark_s(rng, well_before=number % 2 == 1))
                else:
                    found = await _round(storm, 0.0)
                sys.stdout.write(f"round {number + 1}: {'; '.join(found) or 'one message in each channel'}\n")
                wrong += found
        finally:
            await ended({publishing})
    return wrong


def _until_mark_s(rng: random.Random, *, well_before: bool) -> float:
    """Until well before a mark, or until the second in which the channels' messages are replaced."""
    before_s = rng.uniform(1.0, PAUSE_S - 5.0) if well_before else rng.uniform(-1.2, 0.1)
    return (_MARK_S - time.time() % _MARK_S - before_s) % _MARK_S


async def _round(storm: Storm, wait_s: float) -> list[str]:
    """Pause the leader after so long, and look at the channels some seconds after it went on."""
    ends_s = time.monotonic() + wait_s
    leader = await _leader(storm)
    await asyncio.sleep(ends_s - time.monotonic())
    leader.pause()
    await asyncio.sleep(PAUSE_S)
    leader.go_on()
    await asyncio.sleep(LOOK_AFTER_S)
    return storm.astray()


async def _leader(storm: Storm) -> StormBot:
    """The one whose telemetry says so, and is young."""
    async with aredis.Redis.from_url(storm.redis.url) as client, asyncio.timeout(30):
        while True:
            seen = {bot.number: await client.hget(metrics_key(bot.number), "written_at") for bot in storm.bots}
            await asyncio.sleep(_LEADS_S / 2)
            for bot in storm.bots:
                if seen[bot.number] != await client.hget(metrics_key(bot.number), "written_at"):
                    return bot


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.paused_leader", description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=12)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="paused-leader-"))
    wrong = asyncio.run(play(asked.rounds, asked.seed, folder))
    if wrong:
        sys.stdout.write(f"logs: {folder}\n")
    else:
        shutil.rmtree(folder)
    return int(bool(wrong))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        sys.exit(main())
