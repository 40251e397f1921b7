"""Which message is whose, and what is still to be done to others: what lets a restarted feed leave one message each."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.feed.part import WHOLE, FeedPart
from streaming.bus import keys
from streaming.bus.cluster import is_cluster, placed
from streaming.bus.lease import COPY_FENCE, FENCE, Lease, fenced
from streaming.errors import TransientError

_LIMIT_S: Final = 1.0
_AT_ONCE: Final = 16
"""Entries that are asked for together: hundreds of boards take over at one moment, and connections are limited."""
_MOST_DISTURBED: Final = 1000
T = TypeVar("T")
_SAVE_BODY: Final = """
local stored = redis.call('HGET', KEYS[2], ARGV[2])
if stored then
  local readable, entry = pcall(cjson.decode, stored)
  local ours = readable and type(entry) == 'table' and entry.epoch == tonumber(ARGV[1])
  if ours and entry.revision >= tonumber(ARGV[4]) then return 0 end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
return 1
"""
_SAVE: Final = f"\n{FENCE}{_SAVE_BODY}"
"""KEYS epoch, entries, chores; ARGV epoch, channel, entry, its revision, then by twos field and chore. A save
that was given up as unanswered may arrive after a later one: an older revision changes nothing."""
_SAVE_BESIDE_COPY: Final = f"\n{COPY_FENCE}{_SAVE_BODY}"
_RAISE_COPY: Final = f"{COPY_FENCE} return 1"
_DONE: Final = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
"""


class LedgerAwayError(TransientError):
    """The ledger cannot be read or written just now."""


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one channel's messages. Written before and after every post, never for an edit."""

    session: str
    """ISO date in New York that the message belongs to."""
    message_id: int | None = None
    """The live message, or the day's last one."""
    nonce: str | None = None
    """A post that was begun; sent again under the same nonce it cannot make a second message."""
    superseded: tuple[int, ...] = ()
    """Messages to delete, as versions before chores wrote them."""
    stopped: bool = False
    """The message says that the feed stopped, under figures of that moment."""
    closed: bool = False
    """The session is over; the message says so, or a chore will make it say so."""
    card: bool = False
    """The message is a card, which Discord lets be nothing else again."""
    epoch: int = 0
    """Of the lease that it was written under."""
    revision: int = 0
    """Counts the saves of one holder."""


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be done to a message that is not the live one: rewritten for the last time, or deleted."""

    channel_id: int
    message_id: int
    text: str | None = None
    """Its last text; None to delete it."""
    since_ms: int = 0
    """When it was first wanted."""


class Ledger:
    """Two Redis hashes: entries by channel, chores by channel and message.

    With a lease, only its holder can save. Methods raise LedgerAwayError while the store is away.
    """

    def __init__(
        self, redis: Redis, lease: Lease | None = None, *, key: str = keys.FEED_LEDGER, part: FeedPart = WHOLE
    ) -> None:
        """Of all channels, those of `part` are known and written."""
        self._redis = redis
        self._part = part
        self._lease = lease
        self._key = key
        self._chores_key = placed(redis, f"{key}:chores")
        disturbed = f"{key}:disturbed" if part == WHOLE else f"{key}:disturbed:{part.number}/{part.count}"
        self._disturbed_key = placed(redis, disturbed)
        self._loading = asyncio.Semaphore(_AT_ONCE)
        self._entries = msgspec.json.Decoder(LedgerEntry)
        self._chores = msgspec.json.Decoder(Chore)
        self._copies = lease is not None and is_cluster(redis)
        self._epoch_key = _epoch_key(redis, lease, key)
        self._save = redis.register_script(_SAVE_BESIDE_COPY if self._copies else _SAVE)
        self._raised = 0
        self._raise_copy = redis.register_script(_RAISE_COPY) if self._copies else None
        self._done = redis.register_script(_DONE)

    async def load(self, channel_id: int) -> LedgerEntry | None:
        """The channel's entry, or None when nothing usable is known."""
        async with self._loading:
            await self._shut_out_earlier_holders()
            async with _answering():
                payload = await self._redis.hget(self._key, str(channel_id))
        return None if payload is None else _read(payload, self._entries)

    async def known(self) -> Mapping[int, LedgerEntry]:
        """Every channel's entry in this part, also of channels that are no boards any more."""
        await self._shut_out_earlier_holders()
        async with _answering():
            payloads = await self._redis.hgetall(self._key)
        found = {int(channel_id): _read(payload, self._entries) for channel_id, payload in payloads.items()}
        found = {channel_id: entry for channel_id, entry in found.items() if self._part.has(channel_id)}
        return {channel_id: entry for channel_id, entry in found.items() if entry is not None}

    async def save(self, channel_id: int, entry: LedgerEntry, chores: Sequence[Chore] = ()) -> None:
        """Replace the channel's entry and add chores, at once; LeaseLostError when the feed is another's by now."""
        epoch = 0 if self._lease is None else self._lease.epoch
        payload = msgspec.json.encode(msgspec.structs.replace(entry, epoch=epoch))
        arguments: list[str | int | bytes] = [epoch, channel_id, payload, entry.revision]
        for chore in chores:
            arguments += [_field(chore), msgspec.json.encode(chore)]
        async with _answering():
            with fenced():
                await self._save(keys=[self._epoch_key, self._key, self._chores_key], args=arguments)

    async def _shut_out_earlier_holders(self) -> None:
        """Before the first look under a lease whose epoch is kept elsewhere: nobody changes what is seen any more."""
        if self._raise_copy is None or self._lease is None or self._lease.epoch in {0, self._raised}:
            return
        epoch = self._lease.epoch
        async with _answering():
            with fenced():
                await self._raise_copy(keys=[self._epoch_key], args=[epoch])
        self._raised = epoch

    async def chores(self) -> Sequence[Chore]:
        """All that is still to be done."""
        async with _answering():
            payloads = await self._redis.hvals(self._chores_key)
        found = (_read(payload, self._chores) for payload in payloads)
        return [chore for chore in found if chore is not None and self._part.has(chore.channel_id)]

    async def done(self, chore: Chore) -> None:
        """Forget a chore, unless something else is to be done to the message by now."""
        async with _answering():
            await self._done(keys=[self._chores_key], args=[_field(chore), msgspec.json.encode(chore)])

    async def disturb(self, channel_id: int) -> None:
        """Tell the feed's new holder that its message may have been written over by us."""
        async with _answering():
            await self._redis.sadd(self._disturbed_key, channel_id)

    async def disturbed(self) -> Sequence[int]:
        """The channels of which that was told since the last time."""
        async with _answering():
            found: Any = await self._redis.spop(self._disturbed_key, _MOST_DISTURBED)
        return [int(channel_id) for channel_id in found]


def _epoch_key(redis: Redis, lease: Lease | None, key: str) -> str:
    if lease is None:
        return placed(redis, f"{key}:epoch")
    return keys.epoch_copy(lease.epoch_key, key) if is_cluster(redis) else lease.epoch_key


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_LIMIT_S):
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise LedgerAwayError(f"The feed's ledger in Redis does not answer ({type(error).__name__}).") from error


def _read(payload: bytes | str, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError:
        return None


def _field(chore: Chore) -> str:
    return f"{chore.channel_id}:{chore.message_id}"
