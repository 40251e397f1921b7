"""Many channels for an hour, in real time: `python -m tests.fuzz.soak [--minutes 60] [--channels 40]`.

The bot is a process of its own; the local Discord has Discord's buckets and fifty calls in any second, figures change
each second, and every message is replaced at a mark each minute. A line a minute, the whole, and a verdict; exit
status 1 when something was not as it must be. A lag is the time from the publication of figures until Discord has them.
Once a second a command is used, `/gex status` and `/feed status` in turn, as people do it: through the gateway.
"""

import argparse
import asyncio
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from tests.fuzz.feed_storm import Storm, StormBot, ended, open_storm
from tests.fuzz.storm_schedule import Schedule
from tests.fuzz.storm_verdict import Protocol, Seen, complaints, figure_of, live_among
from tests.support.asker import Asker

GROWTH_MB: Final = 5.0
SETTLED_MINUTES: Final = 10
"""A process grows until every cache of it is full."""
LEAST_PACE: Final = 0.95
LONGEST_LAG_S: Final = 1.2
ANSWERED_S: Final = 0.5
"""Every command, however many messages are edited meanwhile."""
_COMMANDS: Final = ("gex status", "feed status")
_MOST_IN_A_MINUTE: Final = 500
"""Messages that can all be replaced in one."""
_SWAP_S: Final = 3.0
_SETTLE_S: Final = 10.0
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Span:
    """What some time of the soak showed: changes of each channel but deletions, lags in s, what the bot used."""

    length_s: float
    changes: Mapping[str, int]
    lags_s: tuple[float, ...]
    refused: int
    duplicates: int
    memory_mb: float
    cpu_s: float
    answers_s: tuple[float, ...] = ()
    """Until commands were answered; infinite where they were not."""

    @property
    def paces(self) -> list[float]:
        """Of each channel, the slowest first; in changes a second."""
        return sorted(count / self.length_s for count in self.changes.values())

    def lag_s(self, share: float) -> float:
        """Which so large a share of the lags does not exceed."""
        lags = sorted(self.lags_s) or [math.inf]
        return lags[min(math.floor(share * len(lags)), len(lags) - 1)]

    @property
    def line(self) -> str:
        paces = self.paces
        lags = "  ".join(f"{self.lag_s(share):5.2f}" for share in (0.5, 0.99, 1.0))
        return (
            f"{sum(paces):6.2f}  {paces[0]:5.2f}  {paces[-1]:5.2f}  {lags}  {self.refused:4d}  {self.duplicates:4d}"
            f"  {self.memory_mb:7.1f}  {100 * self.cpu_s / self.length_s:5.1f}  {max(self.answers_s, default=0.0):7.3f}"
        )


HEAD: Final = "minute  edits/s  least   most    p50    p99  worst  429s  dupl.   RSS MB  CPU %  command"


def whole(minutes: Sequence[Span]) -> Span:
    """All of them as one; the memory is that of the last."""
    changes: Counter[str] = Counter()
    for minute in minutes:
        changes.update(minute.changes)
    return Span(
        sum(minute.length_s for minute in minutes),
        changes,
        tuple(lag for minute in minutes for lag in minute.lags_s),
        sum(minute.refused for minute in minutes),
        sum(minute.duplicates for minute in minutes),
        minutes[-1].memory_mb,
        sum(minute.cpu_s for minute in minutes),
        tuple(answer_s for minute in minutes for answer_s in minute.answers_s),
    )


def growth_mb(minutes: Sequence[Span]) -> float:
    """By how much the bot's memory rose above that of the tenth minute (of a short soak, that of its first sixth)."""
    settled = min(SETTLED_MINUTES, max(len(minutes) // 6, 1))
    return max(minute.memory_mb for minute in minutes[settled - 1 :]) - minutes[settled - 1].memory_mb


def verdict(minutes: Sequence[Span]) -> list[str]:
    """What was not as it must be, a sentence each."""
    total = whole(minutes)
    found = {
        f"the bot grew by {growth_mb(minutes):.1f} MB": growth_mb(minutes) > GROWTH_MB,
        f"the slowest channel had {total.paces[0]:.2f} edits/s": total.paces[0] < LEAST_PACE,
        f"figures came {total.lag_s(1.0):.2f} s late": total.lag_s(1.0) > LONGEST_LAG_S,
        f"{total.refused} answers 429": total.refused > 0,
        f"a command took {max(total.answers_s, default=0.0):.2f} s": max(total.answers_s, default=0.0) > ANSWERED_S,
        f"{total.duplicates} channels had a second message for more than {_SWAP_S:g} s": total.duplicates > 0,
    }
    return [sentence for sentence, wrong in found.items() if wrong]


class Watch:
    """Looks once a second at what happened in Discord, and makes a `Span` of each minute."""

    def __init__(self, storm: Storm, bot: StormBot) -> None:
        self._storm = storm
        self._bot = bot
        self._asker, self._commands = Asker(storm.sandbox), cycle(_COMMANDS)
        self._crowded_s: dict[str, float] = {}
        self._since_s, self._cpu_s, self._refused = storm.now_s, cpu_s(bot.pid), 0
        self._clear()

    def _clear(self) -> None:
        self._changes: Counter[str] = Counter(dict.fromkeys(self._storm.channels, 0))
        self._lags_s: list[float] = []
        self._answers_s: list[float] = []
        self._duplicates = 0

    def look(self) -> None:
        """Take in what happened since the last look."""
        protocol = self._storm.protocol
        seen, protocol.changes = protocol.changes, []
        self._take(seen, protocol.published_s)
        self._storm.look()
        for channel, texts in protocol.standing.items():
            self._count(channel, len(live_among(texts)))

    async def ask(self) -> None:
        """Use a command in the first channel, and note when it was answered."""
        place = self._storm.sandbox.channel_ids[self._storm.channels[0]]
        reply = await self._asker.ask(next(self._commands), place)
        self._answers_s.append(math.inf if reply is None else reply.after_s)

    def _take(self, seen: Sequence[Seen], published_s: Mapping[float, float]) -> None:
        for change in seen:
            figure = figure_of(change.text)
            if change.deed != "delete" and figure is not None:
                self._changes[change.channel] += 1
                self._lags_s.append(change.at_s - published_s[figure])

    def _count(self, channel: str, live: int) -> None:
        now_s = self._storm.now_s
        if live <= 1:
            self._crowded_s.pop(channel, None)
        elif now_s - self._crowded_s.setdefault(channel, now_s) > _SWAP_S:
            self._duplicates += 1
            self._crowded_s[channel] = math.inf

    def minute(self) -> Span:
        """What was seen since the last one."""
        now_s, refused, used_s = self._storm.now_s, self._storm.sandbox.traffic.statuses[429], cpu_s(self._bot.pid)
        span = Span(
            now_s - self._since_s,
            dict(self._changes),
            tuple(self._lags_s),
            refused - self._refused,
            self._duplicates,
            memory_mb(self._bot.pid),
            used_s - self._cpu_s,
            tuple(self._answers_s),
        )
        self._since_s, self._refused, self._cpu_s = now_s, refused, used_s
        self._clear()
        return span


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


def cpu_s(pid: int) -> float:
    """Time of a core that a process has had."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS_A_SECOND


async def soak(minutes: int, channels: int, folder: Path) -> list[str]:
    """So many minutes, a line for each; what was not as it must be."""
    schedule = Schedule(1, channels, 1, awaited=True, trouble_s=0.0, calm_s=0.0, steps=())
    marks = {"GEX_FEED_REFRESH_MINUTES": "1" if channels <= _MOST_IN_A_MINUTE else "5"}
    async with open_storm(schedule, folder, GEX_FEED_STYLE="ansi", **marks) as storm:
        publishing = asyncio.create_task(storm.publish(), name="snapshots")
        try:
            (bot,) = storm.bots
            await bot.start()
            await storm.stand()
            await asyncio.sleep(_SETTLE_S)
            spans = await _minutes(Watch(storm, bot), minutes)
        finally:
            await ended({publishing})
        await bot.terminate()
        said = complaints(Protocol(logs={"bot": bot.log.read_text().splitlines()}))
        sys.stdout.write(f"whole   {whole(spans).line}\ngrowth {growth_mb(spans):.1f} MB\n")
        return [*verdict(spans), *storm.protocol.incidents, *Counter(said)]


async def _minutes(watch: Watch, count: int) -> list[Span]:
    sys.stdout.write(f"{HEAD}\n")
    watch.look()
    watch.minute()
    spans: list[Span] = []
    began_s = time.monotonic()
    for number in range(1, count + 1):
        for second in range(1, 61):
            await asyncio.sleep(max(began_s + 60 * (number - 1) + second - time.monotonic(), 0.0))
            watch.look()
            await watch.ask()
        spans.append(watch.minute())
        sys.stdout.write(f"{number:6d}  {spans[-1].line}\n")
        sys.stdout.flush()
    return spans


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--channels", type=int, default=40)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    wrong = asyncio.run(soak(asked.minutes, asked.channels, folder))
    if wrong:
        sys.stdout.write(f"{'; '.join(wrong)}\nlogs: {folder}\n")
    else:
        shutil.rmtree(folder)
        sys.stdout.write("as it must be\n")
    return int(bool(wrong))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
