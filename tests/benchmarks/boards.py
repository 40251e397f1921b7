"""Eight boards at 1 Hz with a writer each, against one loop that edits the channels in turn.

python -m tests.benchmarks.boards [--seconds 20] [--boards 8]

Both write to channels that behave like discord.py on Discord: five calls per five seconds and channel, the
call that empties the bucket returning only when the window ends, 100 to 250 ms to answer.
Baseline: the loop most bots have.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.feed.board import Board, BoardPlan
from bot.feed.channel import AssuredChannel, SeenMessage
from bot.feed.chores import Chores
from bot.feed.illustration import Illustration
from bot.feed.message import LiveMessage
from bot.feed.window import Slot
from streaming.clock import SystemClock
from streaming.symbols import parse_ticker
from tests.support.feed import DictLedger, snapshot

_BUCKET = 5
_BUCKET_S = 5.0


@dataclass
class LimitedChannel:
    """A channel with Discord's bucket; notes how old what it was sent is when it is acknowledged."""

    rng: random.Random
    sent_at: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    rendered_at: float = 0.0
    _window: tuple[float, int] = (0.0, 0)

    async def send(self, content: str, *, nonce: str) -> int:
        await self._call()
        return 1

    async def edit(self, message_id: int, content: str, picture: Illustration | None = None) -> None:
        await self._call()

    async def delete(self, message_id: int) -> None:
        await self._call()

    async def recent(self) -> Sequence[SeenMessage]:
        return ()

    async def _call(self) -> None:
        asked = time.monotonic()
        began, used = self._window
        if asked - began >= _BUCKET_S:
            began, used = asked, 0
        self._window = (began, used + 1)
        await asyncio.sleep(self.rng.uniform(0.1, 0.25))
        self.sent_at.append(time.monotonic())
        self.lags.append(time.monotonic() - asked)
        if used + 1 >= _BUCKET:
            await asyncio.sleep(began + _BUCKET_S - time.monotonic())


async def _market(slots: list[Slot]) -> None:
    rng = random.Random(7)
    while True:
        for slot in slots:
            slot.put(snapshot(datetime.now(UTC), spot=25000 + rng.uniform(-50, 50)))
        await asyncio.sleep(0.25)


async def _ours(channels: list[LimitedChannel], slots: list[Slot]) -> None:
    async def assure() -> None: ...

    ledger, clock = DictLedger(), SystemClock()
    chores = Chores(channels.__getitem__, ledger, clock)
    boards = [
        Board(
            position,
            parse_ticker("NQ"),
            slot=slot,
            message=LiveMessage(position, AssuredChannel(channel, assure, assure), ledger, chores, clock),
            plan=BoardPlan(force=True, refresh_minutes=60),
            clock=clock,
            rng=random.Random(position),
            tell=print,
        )
        for position, (channel, slot) in enumerate(zip(channels, slots, strict=True))
    ]
    async with asyncio.TaskGroup() as group:
        for board in boards:
            group.create_task(board.run())


async def _in_turn(channels: list[LimitedChannel], slots: list[Slot]) -> None:
    """The baseline: every second, edit one channel after the other."""
    start = time.monotonic()
    beat = 0
    while True:
        for channel, slot in zip(channels, slots, strict=True):
            await channel.edit(1, str(slot.latest))
        beat = max(beat + 1, int(time.monotonic() - start))
        await asyncio.sleep(max(start + beat - time.monotonic(), 0.0))


async def _measure(name: str, count: int, seconds: float, ours: bool) -> float:
    channels = [LimitedChannel(random.Random(n)) for n in range(count)]
    slots = [Slot(60) for _ in range(count)]
    market = asyncio.create_task(_market(slots), name="market")
    await asyncio.sleep(0.05)
    start = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await (_ours if ours else _in_turn)(channels, slots)
    market.cancel()
    await asyncio.wait({market})
    in_time = [sum(at - start <= seconds for at in channel.sent_at) for channel in channels]
    lags = sorted(lag for channel in channels for lag in channel.lags)
    rate = sum(in_time) / seconds / count
    gaps = [b - a for c in channels for a, b in zip(c.sent_at, c.sent_at[1:], strict=False)]
    sys.stdout.write(
        f"{name:<30} {sum(in_time):4d} of {int(count * seconds)} edits  {rate:5.2f} a second and channel"
        f"  call mean {sum(lags) / len(lags):5.2f} s worst {lags[-1]:5.2f} s  longest silence {max(gaps):5.2f} s\n"
    )
    return rate


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--boards", type=int, default=8)
    arguments = parser.parse_args()
    ours = await _measure("a writer per channel (ours)", arguments.boards, arguments.seconds, ours=True)
    base = await _measure("one loop in turn (baseline)", arguments.boards, arguments.seconds, ours=False)
    sys.stdout.write(f"ratio of edits: {ours / base:.2f}\n")


if __name__ == "__main__":
    asyncio.run(main())
