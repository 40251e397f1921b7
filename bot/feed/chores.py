"""What is still to be done to messages that are not live any more: beside the beat, until it is done."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from bot.feed.channel import ChannelPort, GoneMessageError
from bot.feed.ledger import Chore, Ledger, LedgerAwayError
from bot.feed.pacer import Rank
from bot.feed.pacing import ranked
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, TransientError

_LOG: Final = logging.getLogger(__name__)
_AGAIN_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_SLOW_AFTER: Final = 40
_SLOW_S: Final = 300.0
_GONE_AGAIN_S: Final = (2.0, 5.0, 15.0, 60.0, 300.0)
"""An "unknown message" may be false (10008, discord-api-docs#2258): only one that stays unknown is believed."""
_FORGOTTEN_MS: Final = 7 * 86_400_000
_RECLAIM_S: Final = 600.0
_AT_ONCE: Final = 8
_LOOK_S: Final = 1.0


@dataclass(slots=True, eq=False)
class _Job:
    """One chore and how often it was tried.

    A `nonce` says that it is a post which the ledger refused: it is ours to delete, unless the ledger names it.
    """

    chore: Chore
    due_s: float
    begun_s: float
    nonce: str | None = None
    failures: int = 0
    told_s: float = -math.inf
    """Until when Discord asked to wait."""
    gone: int = 0
    busy: bool = False
    finished: bool = False


class Chores:
    """Does chores, a few at once and one per channel; what it cannot do now it tries again, slower and slower."""

    def __init__(self, open_channel: Callable[[int], ChannelPort], ledger: Ledger, clock: Clock) -> None:
        """`open_channel` gives channels that may be written to without holding the feed's lease."""
        self._open_channel = open_channel
        self._ledger = ledger
        self._clock = clock
        self._jobs: dict[tuple[int, int], _Job] = {}
        self._awake = asyncio.Event()
        self.loaded = False
        """Whether it knows what earlier processes left."""

    @property
    def waiting(self) -> int:
        """Messages that something is still to be done to."""
        return len(self._jobs)

    def knows(self, channel_id: int, message_id: int) -> bool:
        """Whether something is to be done to a message already."""
        return (channel_id, message_id) in self._jobs

    def undeleted(self, channel_id: int) -> int:
        """How many messages of a channel still stand that are to be deleted, as far as is known."""
        jobs = (job for (place, _), job in self._jobs.items() if place == channel_id)
        return sum(job.chore.text is None and not job.gone and not job.finished for job in jobs)

    def take(self, chores: Iterable[Chore]) -> None:
        """Do these, which the ledger knows; a later one for a message replaces an earlier one."""
        for chore in chores:
            self._add(chore)

    def reclaim(self, channel_id: int, message_id: int, nonce: str) -> None:
        """Delete a message posted under `nonce` whose note the ledger refused, once it is sure not to be another's."""
        self._add(Chore(channel_id=channel_id, message_id=message_id), nonce=nonce)

    def leave(self) -> None:
        """The feed went to another process, which knows from the ledger what is to be done; ours alone goes on."""
        self._jobs = {key: job for key, job in self._jobs.items() if job.nonce is not None}
        self.loaded = False

    def hurry(self, channel_id: int | None) -> None:
        """Something changed in a channel, or anywhere: try again now."""
        for (place, _), job in self._jobs.items():
            if channel_id in {None, place}:
                job.due_s = min(job.due_s, self._clock.monotonic())
        self._awake.set()

    async def load(self) -> None:
        """Take over what earlier processes and days left; LedgerAwayError."""
        now_ms = epoch_ms(self._clock.now())
        for chore in await self._ledger.chores():
            if now_ms - chore.since_ms > _FORGOTTEN_MS:
                await self._ledger.done(chore)
            elif not self.knows(chore.channel_id, chore.message_id):
                self._add(chore)
        self.loaded = True

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._awake.clear()
                for job in self._due():
                    group.create_task(self._do(job), name=f"tidy channel {job.chore.channel_id}")
                await self._rest()

    async def work(self) -> None:
        """Do what is due now, once."""
        await asyncio.gather(*(self._do(job) for job in self._due()))

    async def _rest(self) -> None:
        """Until something is due, at most a second, or until woken."""
        waits: set[asyncio.Task[Any]] = {asyncio.create_task(self._awake.wait(), name="chores: woken")}
        if (free := self._free()) and sum(job.busy for job in self._jobs.values()) < _AT_ONCE:
            due_s = min(job.due_s for job in free) - self._clock.monotonic()
            waits.add(asyncio.create_task(self._clock.sleep(min(due_s, _LOOK_S)), name="chores: due"))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)

    def _due(self) -> list[_Job]:
        """What may begin now: one a channel, and busy from here on."""
        now_s = self._clock.monotonic()
        room = _AT_ONCE - sum(job.busy for job in self._jobs.values())
        first = {job.chore.channel_id: job for job in reversed(self._free()) if job.due_s <= now_s}
        due = list(first.values())[:room]
        for job in due:
            job.busy = True
        return due

    def _works_again(self) -> None:
        """What had failed was done now: so may be the rest."""
        now_s = self._clock.monotonic()
        for job in self._jobs.values():
            if job.failures and not job.gone:
                job.due_s = min(job.due_s, max(now_s, job.told_s))

    def _free(self) -> list[_Job]:
        """Those in whose channels nothing is being done."""
        busy = {job.chore.channel_id for job in self._jobs.values() if job.busy}
        return [job for job in self._jobs.values() if job.chore.channel_id not in busy]

    def _add(self, chore: Chore, *, nonce: str | None = None) -> None:
        now_s = self._clock.monotonic()
        self._jobs[chore.channel_id, chore.message_id] = _Job(chore, now_s, now_s, nonce)
        self._awake.set()

    async def _do(self, job: _Job) -> None:
        try:
            if not job.finished and await self._may(job):
                with ranked(Rank.REPOST):
                    await self._deed(job.chore)
            job.finished = True
            if job.failures:
                self._works_again()
        except GoneMessageError:
            self._gone(job)
        except GexcordError as error:
            self._failed(job, error)
        try:
            if job.finished:
                await self._finish(job)
        finally:
            job.busy = False
            self._awake.set()

    async def _deed(self, chore: Chore) -> None:
        channel = self._open_channel(chore.channel_id)
        if chore.text is None:
            await channel.delete(chore.message_id)
        else:
            await channel.edit(chore.message_id, chore.text)

    async def _may(self, job: _Job) -> bool:
        """Whether a refused post is nobody's; the new holder may just be posting under the same nonce."""
        if job.nonce is None:
            return True
        entry = await self._ledger.load(job.chore.channel_id)
        if entry is None or entry.message_id == job.chore.message_id:
            return entry is None
        if entry.nonce == job.nonce:
            raise TransientError("The new holder of the feed is posting under the same nonce.")
        return True

    def _gone(self, job: _Job) -> None:
        if job.gone == len(_GONE_AGAIN_S):
            job.finished = True
            return
        job.due_s = self._clock.monotonic() + _GONE_AGAIN_S[job.gone]
        job.gone += 1

    def _failed(self, job: _Job, error: GexcordError) -> None:
        now_s = self._clock.monotonic()
        least_s = (error.retry_after_s or 0.0) if isinstance(error, TransientError) else 0.0
        is_slow = job.failures >= _SLOW_AFTER
        delay_s = _SLOW_S if is_slow else _AGAIN_S[min(job.failures, len(_AGAIN_S) - 1)]
        job.due_s, job.told_s = now_s + max(delay_s, least_s), now_s + least_s
        job.failures += 1
        if job.nonce is not None and now_s - job.begun_s > _RECLAIM_S:
            job.finished = True
        _LOG.log(
            logging.INFO if job.failures == 1 else logging.DEBUG,
            "Message %s in channel %s waits to be tidied: %s",
            job.chore.message_id,
            job.chore.channel_id,
            error.sentence,
        )

    async def _finish(self, job: _Job) -> None:
        """Forget it, unless something else is wanted of the message by now; without the ledger, a little later."""
        if job.nonce is None:
            try:
                await self._ledger.done(job.chore)
            except LedgerAwayError:
                job.due_s = self._clock.monotonic() + _LOOK_S
                return
        key = (job.chore.channel_id, job.chore.message_id)
        if self._jobs.get(key) is job:
            del self._jobs[key]
