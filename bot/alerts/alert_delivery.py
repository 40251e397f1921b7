"""Sends what was claimed: leased from the store, one message per target and second, paced below Discord's limits."""

import asyncio
import logging
import random
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from bot.alerts.counters import AlertCounters
from bot.alerts.post import AlertPost, UnreachableError
from bot.alerts.rule_store import AlertStore, Batch, Entry
from bot.feed.timing import backoff
from bot.render.message_form import MESSAGE_CHARS
from bot.render.numbers import age
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, OperatorError, RequestError, TransientError
from streaming.ports import Tell
from streaming.process.backoff import Backoff

log = logging.getLogger(__name__)

MOST_PER_S: Final = 10.0
"""Of the one budget that alerts and boards share (`bot/feed/pacer.py`): the boards go on beside them."""
_AT_ONCE: Final = 5
_POLL_S: Final = 0.5
_AWAY_S: Final = 1.0
_PERSON_S: Final = (300.0, 900.0)
_LATE_MS: Final = 60_000
_OUTDATED_MS: Final = 12 * 3_600_000
_TAKE_BACK_TRIES: Final = 8
_REMEMBERED: Final = 1000


class AlertDelivery:
    """Hands batches to Discord until cancelled; `wake` shortens the wait after a claim."""

    def __init__(
        self,
        store: AlertStore,
        post: AlertPost,
        clock: Clock,
        *,
        tell: Tell,
        rng: random.Random,
        counters: AlertCounters,
    ) -> None:
        self._store = store
        self._post = post
        self._clock = clock
        self._tell = tell
        self._rng = rng
        self._counters = counters
        self._awake = asyncio.Event()
        self._arrived: OrderedDict[str, int] = OrderedDict()
        self._failures: dict[str, Backoff] = {}
        self._open_trouble: OperatorError | None = None
        """What the operators were told and what is not over yet."""

    def wake(self) -> None:
        """Something has just been claimed."""
        self._awake.set()

    async def run(self) -> None:
        """Send until cancelled; what one batch meets is that batch's trouble."""
        running: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    batches = await self._store.claim(most=_AT_ONCE - len(running)) if len(running) < _AT_ONCE else []
                except TransientError as error:
                    self._counters.redis_failures += 1
                    log.debug("alerts cannot be sent now: %s", error.sentence)
                    await self._clock.sleep(_AWAY_S)
                    continue
                for batch in batches:
                    task = group.create_task(self.deliver(batch), name=f"alert: {batch.target.name}")
                    running.add(task)
                    task.add_done_callback(running.discard)
                await self._rest(len(batches))

    async def deliver(self, batch: Batch) -> None:
        """Send one batch and note what became of it; trouble with Redis here only means that it is handed out again."""
        with suppress(TransientError):
            try:
                await self._deliver(batch)
            except OperatorError as error:
                await self._wait_for_a_person(batch, error)
            except RequestError as error:
                self._counters.refused += len(batch.entries)
                log.error("%s", error.sentence)  # noqa: TRY400  # a traceback adds nothing to Discord's refusal
                await self._store.done(batch)
            except GexcordError:
                raise
            except Exception as error:
                log.exception("alerts for %s failed on a bug", batch.target.name)
                await self._try_later(batch, TransientError(f"A bug ({type(error).__name__})."))

    async def _deliver(self, batch: Batch) -> None:
        content, message_id = self._content(batch), self._arrived.get(batch.nonce, 0)
        if not message_id and content:
            if not self._store.is_ours(batch):
                log.info("alerts for %s were handed out before this process was paused", batch.target.name)
                return
            try:
                message_id = await self._post.send(batch.target, content, nonce=batch.nonce)
            except TransientError as error:
                await self._try_later(batch, error)
                return
            except UnreachableError as error:
                await self._pause(batch, error)
                return
            self._note_arrival(batch, message_id)
        self._failures.pop(batch.target.name, None)
        other_id = await self._store.done(batch, message_id)
        if message_id and other_id not in {None, 0, message_id}:
            await self._take_back(batch, message_id)
        if content and self._open_trouble is not None:
            over, self._open_trouble = f"Alerts are being sent again. The trouble was: {self._open_trouble}", None
            self._tell(over)

    def _content(self, batch: Batch) -> str:
        """All alerts of the batch; one that waited long says so, one that waited half a day is not news."""
        now_ms = epoch_ms(self._clock.now())
        fresh = [entry for entry in batch.entries if now_ms - entry.claimed_ms <= _OUTDATED_MS]
        if len(fresh) < len(batch.entries):
            self._counters.outdated += len(batch.entries) - len(fresh)
            log.warning("alerts for %s are half a day old and are not sent", batch.target.name)
        return "\n".join(_line(entry, now_ms) for entry in fresh)[:MESSAGE_CHARS]

    async def _take_back(self, batch: Batch, message_id: int) -> None:
        """This process was paused while it sent, and another one sent the batch meanwhile: theirs stays."""
        self._counters.taken_back += 1
        retry = backoff(self._rng)
        for _ in range(_TAKE_BACK_TRIES):
            try:
                await self._post.withdraw(batch.target, message_id)
            except TransientError as error:
                await self._clock.sleep(retry.next_s(least_s=error.retry_after_s))
            else:
                return
        log.warning("a second message of alerts for %s could not be deleted", batch.target.name)

    def _note_arrival(self, batch: Batch, message_id: int) -> None:
        self._arrived[batch.nonce] = message_id
        while len(self._arrived) > _REMEMBERED:
            self._arrived.popitem(last=False)
        self._counters.messages += 1
        self._counters.delivered += len(batch.entries)

    async def _try_later(self, batch: Batch, error: TransientError) -> None:
        self._counters.retries += 1
        retry = self._failures.setdefault(batch.target.name, backoff(self._rng))
        delay_s = retry.next_s(least_s=error.retry_after_s)
        log.warning("alerts for %s wait %.1f s: %s", batch.target.name, delay_s, error.sentence)
        await self._store.later(batch, delay_s=delay_s)

    async def _wait_for_a_person(self, batch: Batch, error: OperatorError) -> None:
        """Keep the batch for minutes; a cause is told once, however many batches meet it."""
        self._counters.retries += 1
        delay_s = max(self._rng.uniform(*_PERSON_S), error.retry_after_s or 0.0)
        log.warning("alerts for %s wait %.0f s: %s", batch.target.name, delay_s, error.sentence)
        await self._store.later(batch, delay_s=delay_s)
        if self._open_trouble is None or self._open_trouble.sentence != error.sentence:
            self._open_trouble = error
            self._tell(f"Alerts are waiting: {error.sentence}")

    async def _pause(self, batch: Batch, error: UnreachableError) -> None:
        self._failures.pop(batch.target.name, None)
        numbers = ", ".join(str(entry.number) for entry in batch.entries)
        log.warning("alerts %s for %s could not be sent: %s", numbers, batch.target.name, error)
        await self._store.pause(batch.target, str(error))
        self._counters.paused += 1
        if batch.target.channel_id is not None:
            self._tell(
                f"Alerts for {batch.target.words} are paused: {error}. {error.remedy} Then add an alert in it again."
            )

    async def _rest(self, sent: int) -> None:
        """Keep the pace; without work wait until woken, or until a lease may have run out."""
        if sent:
            await self._clock.sleep(sent / MOST_PER_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._awake.wait()
        self._awake.clear()


def _line(entry: Entry, now_ms: int) -> str:
    waited_ms = now_ms - entry.claimed_ms
    return entry.text if waited_ms <= _LATE_MS else f"{entry.text} · sent {age(waited_ms / 1000)} late"
