"""The demo's part of the panel: Schwab, Redis and the engines, of whom the page's process knows folders and ids.

Redis is asked by a socket of its own, with two commands that change nothing. A process that stands still goes on when
the trouble ends, whichever way it ends.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.demo.stand_in_process import Bots
from bot.sandbox.visitor.backstage import Gauge, GaugeLine, Lever
from bot.sandbox.world.api_errors import ApiError
from streaming.bus import keys
from streaming.bus.server.folder import read_record

if TYPE_CHECKING:
    from streaming.sim.sim_server import SimServer

_CONFLICT: Final = 409
_ANSWER_S: Final = 1.0
_LASTS_S: Final = 8.0
_LEADER_LASTS_S: Final = 12.0
_ENGINE: Final = b"streaming.engine.worker"
_NO_REDIS: Final = (GaugeLine("answers", "no"),)
Reply = str | None | list["Reply"]


async def ask(socket: str, *commands: str) -> list[Reply]:
    """Redis' replies to commands without blanks in their words; OSError or TimeoutError when it is not there."""
    async with asyncio.timeout(_ANSWER_S):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write("".join(f"{command}\r\n" for command in commands).encode())
            return [await _reply(reader) for _ in commands]
        finally:
            writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    line = (await reader.readline()).decode().rstrip("\r\n")
    kind, rest = line[:1], line[1:]
    if kind == "$":
        return None if rest == "-1" else (await reader.readexactly(int(rest) + 2))[:-2].decode(errors="replace")
    if kind == "*":
        return [await _reply(reader) for _ in range(int(rest))]
    if kind in {"+", ":"}:
        return rest
    raise ConnectionError(rest or "Redis has gone")


@dataclass(slots=True)
class Machinery:
    """What the bots' processes stand on; nothing before they are `bots`."""

    bots: Bots | None = None

    async def ask(self, *commands: str) -> list[Reply]:
        """Ask the bots' Redis; OSError or TimeoutError when there is none."""
        record = None if self.bots is None else await asyncio.to_thread(read_record, Path(self.bots.redis_folder))
        if record is None:
            raise ConnectionError("there is no Redis yet")
        return await ask(record.address.socket, *commands)

    async def info(self) -> dict[str, str]:
        """What Redis tells of itself."""
        (text,) = await self.ask("INFO")
        return dict(line.split(":", 1) for line in str(text).splitlines() if ":" in line)

    async def redis(self) -> Sequence[GaugeLine]:
        """Redis' rates."""
        try:
            info = await self.info()
        except (OSError, TimeoutError):
            return _NO_REDIS
        return (
            GaugeLine("commands", float(info["total_commands_processed"]), counts=True),
            GaugeLine("received", f"{info['instantaneous_input_kbps']} kB/s"),
            GaugeLine("sent", f"{info['instantaneous_output_kbps']} kB/s"),
            GaugeLine("memory", info["used_memory_human"]),
            GaugeLine("clients", info["connected_clients"]),
            GaugeLine("up for", f"{info['uptime_in_seconds']} s"),
        )

    async def engine(self) -> Sequence[GaugeLine]:
        """What the stream's telemetry says of the engines, and who leads."""
        try:
            fields, leader = await self.ask(f"HGETALL {keys.STREAM_METRICS}", f"GET {keys.FEED_LEASE}")
        except (OSError, TimeoutError):
            return _NO_REDIS
        words = fields if isinstance(fields, list) else []
        told = dict(zip(map(str, words[::2]), map(str, words[1::2]), strict=True))
        return (
            GaugeLine("last figures took", f"{told.get('compute_ms', '–')} ms"),
            GaugeLine("ready after", f"{told.get('engine_start_ms', '–')} ms"),
            GaugeLine("restarts", told.get("engine_restarts", "–")),
            GaugeLine("stream", told.get("state", "–")),
            GaugeLine("messages are led by", self._name(leader)),
        )

    def _name(self, owner: Reply) -> str:
        pid = pid_of(owner)
        known = () if self.bots is None else self.bots.pids
        return f"bot {known.index(pid) + 1}" if pid in known else "nobody"

    @asynccontextmanager
    async def restarted_redis(self) -> AsyncIterator[None]:
        """Redis is told to end; the bot starts it again."""
        try:
            pid = int((await self.info())["process_id"])
        except (OSError, TimeoutError):
            raise ApiError(_CONFLICT, 0, "There is no Redis to restart.") from None
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        yield

    @asynccontextmanager
    async def paused_engines(self) -> AsyncIterator[None]:
        """The processes that compute stand still."""
        pids = () if self.bots is None else tuple(_engines_of(self.bots.pids))
        if not pids:
            raise ApiError(_CONFLICT, 0, "No process of an engine is seen on this machine.")
        with stopped(pids):
            yield

    @asynccontextmanager
    async def paused_leader(self) -> AsyncIterator[None]:
        """The bot that edits the messages stands still."""
        try:
            (owner,) = await self.ask(f"GET {keys.FEED_LEASE}")
        except (OSError, TimeoutError):
            owner = None
        pid = pid_of(owner)
        if self.bots is None or pid not in self.bots.pids:
            raise ApiError(_CONFLICT, 0, "Nobody leads at this moment.")
        with stopped((pid,)):
            yield


def pid_of(owner: Reply) -> int:
    """Which process a lease's owner is (`lease.process_name`); 0 for nobody."""
    word = owner.split(":")[-2:][0] if isinstance(owner, str) else ""
    return int(word) if word.isdecimal() else 0


def _engines_of(pids: Sequence[int]) -> Iterator[int]:
    """Children that compute, where the system lists processes in /proc."""
    for pid in pids:
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if _ENGINE in Path(f"/proc/{child}/cmdline").read_bytes():
                    yield int(child)


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Processes stand still inside."""
    _send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(pids, signal.SIGCONT)


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def schwab_parts(sim: "SimServer", lasts_s: float = _LASTS_S) -> tuple[Gauge | Lever, ...]:
    """Schwab's counters, and the trouble that Schwab makes."""

    async def counters() -> Sequence[GaugeLine]:
        seen = sim.counters
        return (
            GaugeLine("frames", sum(count for name, count in seen.items() if name.isupper()), counts=True),
            GaugeLine("chains asked", seen["/marketdata/v1/chains"], counts=True),
            GaugeLine("tokens asked", seen["/v1/oauth/token"]),
            GaugeLine("sockets opened", seen["sockets"]),
            GaugeLine("symbols", sum(map(len, sim.subscriptions.values()))),
        )

    @asynccontextmanager
    async def socket() -> AsyncIterator[None]:
        await sim.drop_streams()
        yield

    @asynccontextmanager
    async def empty() -> AsyncIterator[None]:
        sim.faults.chains = "empty"
        try:
            yield
        finally:
            sim.faults.chains = ""

    @asynccontextmanager
    async def expired() -> AsyncIterator[None]:
        sim.authority.expire_access()
        yield

    return (
        Gauge("Schwab", counters),
        Lever("socket", "Kill Schwab's socket", "The streamer's connection is cut without a word.", socket),
        Lever("chain", "Empty chain", f"Chains have no contracts for {lasts_s:g} s.", empty, lasts_s),
        Lever("token", "Expire the token", "Schwab takes the access token no more; the login stays.", expired),
    )


def machine_parts(machinery: Machinery, *, two: bool) -> Iterator[Gauge | Lever]:
    """Redis' and the engines' part; with two bots also the leader's."""
    yield Gauge("Redis", machinery.redis)
    yield Gauge("Engine", machinery.engine)
    yield Lever("redis", "Restart Redis", "Redis is ended; the bot starts it again.", machinery.restarted_redis)
    yield Lever(
        "engine",
        "Pause the engine",
        f"The process that computes stands still for {_LASTS_S:g} s.",
        machinery.paused_engines,
        _LASTS_S,
    )
    if two:
        yield Lever(
            "leader",
            "Pause the leader",
            f"The bot that edits the messages stands still for {_LEADER_LASTS_S:g} s; the other takes over.",
            machinery.paused_leader,
            _LEADER_LASTS_S,
        )
