"""The stream is cut and its process killed, again and again: nothing that Redis acknowledged is lost or doubled.

`python -m tests.fuzz.stream_storm [KILLS [DROPS [SEED]]]`: KILLS processes one after another stream from one simulator
into one Redis, each through DROPS cut connections, until SIGKILL comes at some moment. After each cut all subscriptions
must be back and the gap told with about the length that the simulator knows; after each kill the streams in Redis must
hold the events of that process from its first to at least the last one that was acknowledged, each once and in order,
and the process must have reported the gap since the one before it. Exit status 1 when anything was wrong.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.server.embedded import open_embedded_server
from streaming.clock import ShiftedClock, epoch_ms
from streaming.sim.local_schwab import Limits, SimServer, open_sim
from streaming.sim.world.market import Market
from tests.support.stream_rig import START, SYMBOLS, until, write_token

ROOT: Final = Path(__file__).resolve().parents[2]
EXPECTED: Final = {
    "LEVELONE_EQUITIES": {"SPY", "QQQ", "$SPX"},
    "LEVELONE_FUTURES": {"/ES", "/MNQ"},
    "NYSE_BOOK": {"SPY"},
    "NASDAQ_BOOK": {"QQQ"},
}
_CODES: Final = (None, None, 1000, 1001, 1011, 4000)
_STREAMS: Final = (keys.TICKS_STREAM, keys.LEVEL2_STREAM)
_WITHIN_S: Final = 60.0
_WORKED_OFF_S: Final = 10.0
_ALIKE_S: Final = 0.5
_SILENT_ONE_IN: Final = 20
_SILENT_S: Final = 0.8
"""So long nothing comes before one cut in so many: a gap that a length which is no length cannot pass for."""


class Told(NamedTuple):
    """What a streaming process last said of itself."""

    acknowledged: int = 0
    connects: int = 0
    gaps: int = 0
    last_gap_s: float | None = None
    live: bool = False


@dataclass
class Child:
    """One streaming process, and what it says."""

    process: Process
    told: Told = field(default_factory=Told)
    stalled_s: float = 0.0
    """The longest time without a line since the last gap: one of the two processes had to wait for the processor."""

    async def follow(self) -> None:
        assert self.process.stdout is not None
        heard_s = time.monotonic()
        async for line in self.process.stdout:
            now_s = time.monotonic()
            self.stalled_s, heard_s = max(self.stalled_s, now_s - heard_s), now_s
            with suppress(ValueError):  # a line that the kill cut
                self.told = Told(*json.loads(line))


@dataclass
class Outage:
    """From when rows end until they flow again, as the simulator sees it, by the seconds of this process."""

    sim: SimServer
    began_s: float = field(default_factory=time.monotonic)
    flowed_s: float | None = None
    _logins: int = 0
    _rows: int = 0

    async def cut(self, code: int | None, silent_s: float) -> None:
        """So many seconds without a row, then the end of the connection."""
        self.sim.faults.black_hole = silent_s > 0
        await asyncio.sleep(silent_s)
        self._logins = self.sim.counters["logins"]
        await self.sim.drop_streams(code)
        self.sim.faults.black_hole = False
        self._rows = self._sent()

    def look(self) -> None:
        """To be called often: it sees no more than there is at the time."""
        if self.flowed_s is None and self.sim.counters["logins"] > self._logins and self._sent() > self._rows:
            self.flowed_s = time.monotonic()

    def _sent(self) -> int:
        return sum(self.sim.counters[service] for service in EXPECTED)

    @property
    def length_s(self) -> float | None:
        """None while no rows flow."""
        return None if self.flowed_s is None else self.flowed_s - self.began_s


@dataclass
class Storm:
    """One simulator and one Redis; what the streams hold is read on after each process."""

    sim: SimServer
    redis: Redis
    command: tuple[str, ...]
    rng: random.Random
    wrong: list[str] = field(default_factory=list)
    events: int = 0
    cuts: int = 0
    gaps_s: list[float] = field(default_factory=list)
    off_s: list[float] = field(default_factory=list)
    """By how much each gap was told longer than the simulator's own."""
    _outage: Outage | None = None
    _read_to: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_STREAMS, "0"))
    _last_tick_ms: int | None = None

    async def round(self, drops: int) -> None:
        """One process from its start to its kill."""
        first_gap_s = None
        others = await self._connections()
        process = await asyncio.create_subprocess_exec(*self.command, cwd=ROOT, stdout=PIPE, stderr=DEVNULL)
        child = Child(process)
        following = asyncio.create_task(child.follow(), name="what the process says")
        try:
            for drop in range(drops + 1):
                await until(lambda number=drop: self._is_restored(child, number), within_s=_WITHIN_S)
                self._check_gap(child, drop)
                first_gap_s = first_gap_s if drop else child.told.last_gap_s
                await asyncio.sleep(self.rng.choice((0.0, 0.01, 0.05)))
                if drop < drops:
                    self._outage = Outage(self.sim)
                    silent_s = _SILENT_S if self.cuts % _SILENT_ONE_IN == 0 else 0.0
                    await self._outage.cut(self.rng.choice(_CODES), silent_s)
                    self.cuts += 1
            await asyncio.sleep(self.rng.random() * 0.1)
        except TimeoutError:
            self.wrong.append(f"not restored within {_WITHIN_S:g} s: {child.told}, {self._subscriptions}")
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await asyncio.wait({following})
        await self._worked_off(others)
        await self._check_streams(child.told, first_gap_s)

    @property
    def _subscriptions(self) -> dict[str, set[str]]:
        return {name: set(held) for name, held in self.sim.subscriptions.items()}

    async def _connections(self) -> set[str]:
        return {client["id"] for client in await self.redis.client_list()}

    async def _worked_off(self, others: set[str]) -> None:
        """Redis still carries out what the killed process sent, until it has seen that its connections are gone."""
        with suppress(TimeoutError):  # then the streams are looked at as they are
            async with asyncio.timeout(_WORKED_OFF_S):
                while not await self._connections() <= others:
                    await asyncio.sleep(0.005)

    def _is_restored(self, child: Child, drop: int) -> bool:
        if self._outage is not None:
            self._outage.look()
            if self._outage.length_s is None:
                return False
        told = child.told
        return told.connects > drop and told.live and self._subscriptions == EXPECTED

    def _check_gap(self, child: Child, drop: int) -> None:
        told = child.told
        expected = told.connects - (self._last_tick_ms is None)
        if told.gaps != expected:
            self.wrong.append(f"{told.gaps} gaps told after {told.connects} connections")
        length_s = None if self._outage is None else self._outage.length_s
        if drop and length_s is not None:
            self._compare(told.last_gap_s, length_s, _ALIKE_S + child.stalled_s)
        child.stalled_s = 0.0
        if told.last_gap_s is not None:
            self.gaps_s.append(told.last_gap_s)

    def _compare(self, told_s: float | None, length_s: float, within_s: float) -> None:
        if told_s is not None:
            self.off_s.append(told_s - length_s)
        if told_s is None or abs(told_s - length_s) > within_s:
            self.wrong.append(f"a gap of {length_s:.2f} s was told as {told_s}")

    async def _check_streams(self, told: Told, first_gap_s: float | None) -> None:
        """The events of the process that was just killed are all there, each once."""
        found: list[tuple[int, int]] = []
        last_tick_ms = None
        for stream in _STREAMS:
            entries = await self.redis.xrange(stream, min=f"({self._read_to[stream]}")
            events = [json.loads(fields[b"data"]) for _, fields in entries]
            found += [(event["seq"], event["recv_ms"]) for event in events]
            if entries:
                self._read_to[stream] = entries[-1][0].decode()
            if stream == keys.TICKS_STREAM and events:
                last_tick_ms = events[-1]["recv_ms"]
        seqs = sorted(seq for seq, _ in found)
        if seqs != list(range(1, len(seqs) + 1)):
            self.wrong.append(f"{len(seqs)} events, {len(set(seqs))} of them different, up to {seqs[-1:]}")
        if len(seqs) < told.acknowledged:
            self.wrong.append(f"{told.acknowledged} events were acknowledged and {len(seqs)} are there")
        if self._last_tick_ms is not None and found:
            gap_s = (min(recv_ms for _, recv_ms in found) - self._last_tick_ms) / 1000
            if first_gap_s is None or abs(first_gap_s - gap_s) > _ALIKE_S:
                self.wrong.append(f"a gap of {gap_s:.2f} s was told as {first_gap_s}")
        self.events += len(seqs)
        self._last_tick_ms = last_tick_ms or self._last_tick_ms


@asynccontextmanager
async def open_storm(folder: Path, seed: int) -> AsyncIterator[Storm]:
    """A simulator that sends twenty times as often as Schwab, and a Redis that keeps all of it."""
    clock = ShiftedClock(START)
    market = Market.generate(("SPX", "NDX", "SPY", "QQQ"), start_at=START, seed=7)
    limits = Limits(frame_s=0.05, heartbeat_s=0.2)
    async with (
        open_sim(market, clock, client_id="id", client_secret="secret", limits=limits) as sim,
        open_embedded_server(folder / "redis") as server,
        Redis.from_url(server.url) as redis,
    ):
        write_token(folder / "tokens" / "token.json", sim)
        began = (str(epoch_ms(START)), str(clock.began_s), ",".join(SYMBOLS))
        words = (sim.url, str(folder / "tokens" / "token.json"), server.url, *began)
        yield Storm(sim, redis, (sys.executable, "-m", "tests.fuzz.stream_storm_child", *words), random.Random(seed))


async def play(kills: int, drops: int, seed: int, folder: Path) -> Storm:
    """What came of so many rounds, with what was not as it must be."""
    async with open_storm(folder, seed) as storm:
        for number in range(kills):
            known = len(storm.wrong)
            await storm.round(drops)
            sys.stdout.write(f"kill {number + 1}: {'; '.join(storm.wrong[known:]) or f'{storm.events:,} events'}\n")
            sys.stdout.flush()
    return storm


def main() -> int:
    """Play, and say what was found."""
    kills, drops, seed = (*map(int, sys.argv[1:]), *(20, 10, 1)[len(sys.argv) - 1 :])
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gexcord-stream-storm-") as folder:
        storm = asyncio.run(play(kills, drops, seed, Path(folder)))
    gaps, off = sorted(storm.gaps_s), sorted(storm.off_s)
    sys.stdout.write(
        f"{kills} kills, {storm.cuts} cuts, {storm.events:,} events, {len(storm.wrong)} things wrong, gaps of "
        f"{gaps[len(gaps) // 2]:.2f} s (median) to {gaps[-1]:.2f} s, told "
        f"{-off[0]:.2f} s too short to {off[-1]:.2f} s too long, in {time.monotonic() - began_s:.0f} s\n"
    )
    return 1 if storm.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
