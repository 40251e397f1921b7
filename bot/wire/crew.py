"""The processes of one bot token: who is alive, what each does, and how much of the work is whose.

Every process says twice a second that it is there, and learns of the others by the same question. While Redis is away
each keeps to what it knew.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from bot.wire.crew_member import CrewMember, part_of
from bot.wire.identify_slots import IdentifySlots
from streaming.bus import keys
from streaming.bus.lease import process_name
from streaming.bus.portions import Portions
from streaming.bus.redis_connection import answering
from streaming.bus.subscription import messages
from streaming.clock import Clock, epoch_ms
from streaming.errors import TransientError
from streaming.ports import Progress

log = logging.getLogger(__name__)

ANNOUNCE_S: Final = 0.5
ALIVE_S: Final = 3.0
"""So long a process counts after it was last heard of: less than a lease lasts, so that who takes over may."""
_ANSWER_S: Final = 1.0
_STIR_S: Final = 0.3
_PLACES: Final = "places "
_ANYWHERE: Final = "*"
_AGREED_S: Final = 30.0
"""So long the number of shards is remembered when every process has ended."""
_ANNOUNCE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + ARGV[2]) .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local raw = redis.call('HGETALL', KEYS[1])
for i = 1, #raw, 2 do
  local ends, said = raw[i + 1]:match('^(%S+) (.*)$')
  if not ends or tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], raw[i])
  else
    found[#found + 1] = said
  end
end
return found
"""
"""KEYS crew; ARGV process, ms that it counts, what it says. What those say that are alive, ours too."""


class Crew:
    """This process among those of its token."""

    def __init__(self, redis: Redis, token: str, clock: Clock, *, name: str | None = None) -> None:
        self.fingerprint = hashlib.sha256(token.encode()).hexdigest()[:16]
        self.name = name or process_name()
        self.report: Callable[[CrewMember], CrewMember] = lambda member: member
        """Completes what is said of this process."""
        self._own = CrewMember(name=self.name, since_ms=epoch_ms(clock.now()))
        self._redis = redis
        self._key = keys.crew(self.fingerprint)
        self._news = asyncio.Event()
        self._places: set[int | None] = set()
        self.heard_of_place: Callable[[int | None], None] = lambda _: None
        """Called when another process was told by Discord that a channel changed, or (None) that any may have."""
        self._clock = clock
        self._announce = redis.register_script(_ANNOUNCE)
        self._decoder = msgspec.json.Decoder(CrewMember)
        self._count_key = keys.shard_count(self.fingerprint)
        self.members: Sequence[CrewMember] = ()
        """Everybody who is alive, in the order in which they came; empty before the first answer."""
        self.shards: int | None = None
        """How many the bot is, as all agreed; None before that is known."""

    @property
    def own(self) -> CrewMember:
        """What this process says of itself now."""
        return self.report(self._own)

    @property
    def others(self) -> Sequence[CrewMember]:
        """Who else there is."""
        return [member for member in self.members if member.name != self.name]

    def share(self, total: int) -> int:
        """How many of `total` things are this process's to take; nothing before it knows of the others."""
        names = [member.name for member in self.members]
        return part_of(total, names.index(self.name), len(names)) if self.name in names else 0

    def portions(self, names: Sequence[str], *, rest_s: float = 0.0) -> Portions:
        """Work that is shared by a lease for each portion; `rest_s` between two that are given away."""
        return Portions(self._redis, self.name, names, lambda: self.share(len(names)), rest_s=rest_s, pause=self.pause)

    def slots(self, at_once: int) -> IdentifySlots:
        """Where shards wait for their turn to identify."""
        return IdentifySlots(self._redis, self.fingerprint, self._clock, at_once=at_once)

    async def run(self, progress: Progress) -> None:
        """The job: be there until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="crew: news")
                while True:
                    await self._look()
                    await self._pass_on()
                    progress()
                    await self._clock.sleep(ANNOUNCE_S)
        finally:
            await self.leave()

    async def pause(self, within_s: float) -> None:
        """Wait so long, or until another process says that it gave something up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()

    async def stir(self) -> None:
        """Tell the others that there is something to be taken over; they find out by themselves too."""
        await self._say(self.name)

    async def _say(self, words: str) -> None:
        try:
            async with answering("telling the bot's other processes", within_s=_STIR_S):
                await self._redis.publish(self._key, words)
        except TransientError as error:
            log.debug("the other processes are not told: %s", error.sentence)

    def place_changed(self, channel_id: int | None) -> None:
        """Have the others told that a channel, or (None) any of them, changed: its board may be theirs."""
        self._places.add(channel_id)

    async def _pass_on(self) -> None:
        if self.others and self._places:
            said = (
                _ANYWHERE if None in self._places else ",".join(str(place) for place in sorted(self._places, key=str))
            )
            await self._say(f"{_PLACES}{said}")
        self._places.clear()

    async def _listen(self) -> None:
        async for said in messages(self._redis, self._key):
            if (places := _places_in(said)) is not None:
                for place in places:
                    self.heard_of_place(place)
                continue
            await self._look()
            self._news.set()
            self._news = asyncio.Event()

    async def _look(self) -> None:
        try:
            await self.announce()
        except TransientError as error:
            log.debug("the other processes of this bot are not known now: %s", error.sentence)

    async def announce(self) -> None:
        """Say that we are here and learn who else is; TransientError while Redis is away."""
        async with answering("looking for the bot's other processes", within_s=_ANSWER_S):
            said: Sequence[bytes] = await self._announce(
                keys=[self._key],
                args=[self.name, round(ALIVE_S * 1000), msgspec.json.encode(self.own)],
            )
            await self._redis.pexpire(self._count_key, round(_AGREED_S * 1000))
            agreed = await self._redis.get(self._count_key)
        self.shards = None if agreed is None else int(agreed)
        found = [member for text in said if (member := self._read(text)) is not None]
        self.members = sorted(found, key=lambda member: (member.since_ms, member.name))

    async def leave(self) -> None:
        """Say that we are gone, as far as that can be said."""
        try:
            async with asyncio.timeout(_ANSWER_S), answering("leaving the bot's other processes"):
                await self._redis.hdel(self._key, self.name)
                await self._redis.publish(self._key, self.name)
        except (TransientError, TimeoutError) as error:
            log.debug("the other processes notice by themselves that this one is gone: %s", error)

    async def agreed_shards(self, wanted: int) -> int:
        """How many shards the bot is: what those say who are there already, else `wanted`; TransientError."""
        async with answering("agreeing on the number of shards", within_s=_ANSWER_S):
            await self._redis.set(self._count_key, wanted, nx=True, px=round(_AGREED_S * 1000))
            return int(await self._redis.get(self._count_key) or wanted)

    async def want_shards(self, wanted: int) -> None:
        """Discord wants the bot to be so many by now; TransientError."""
        async with answering("agreeing on the number of shards", within_s=_ANSWER_S):
            await self._redis.set(self._count_key, wanted, px=round(_AGREED_S * 1000))

    def _read(self, text: Any) -> CrewMember | None:
        try:
            return self._decoder.decode(text)
        except msgspec.MsgspecError:
            return None


def _places_in(said: bytes) -> list[int | None] | None:
    """The channels that a message names; None when it is about something else."""
    text = said.decode(errors="replace")
    if not text.startswith(_PLACES):
        return None
    names = text.removeprefix(_PLACES)
    return [None] if names == _ANYWHERE else [int(name) for name in names.split(",") if name.isdecimal()]
