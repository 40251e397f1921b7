"""The job "alerts": listens to snapshots, claims what they set off, and keeps the states in Redis."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from bot.alerts.alert_delivery import AlertDelivery
from bot.alerts.counters import METRICS, AlertCounters
from bot.alerts.kinds.alert_kind import Firing
from bot.alerts.post import AlertPost
from bot.alerts.rule_store import AlertStore, Claim, Entry, StoredAlerts
from bot.alerts.texts import firing_text
from bot.alerts.watcher import Watcher
from bot.feed.timing import backoff
from streaming.bus.metrics_store import MetricValue, hash_fields
from streaming.bus.mishaps import Mishaps
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, TransientError
from streaming.ports import Progress, SnapshotReader, Tell

log = logging.getLogger(__name__)

WriteMetrics = Callable[[Mapping[str, MetricValue]], Awaitable[None]]

LOOK_S: Final = 1.0
"""How often rules that another bot added are looked for."""
SAVE_S: Final = 5.0
_MOST_BACKLOG: Final = 10_000
_CLAIMED_AT_ONCE: Final = 100
"""Texts are written in portions of this many, so that a thousand at once do not hold up the event loop."""
_LAST_SAVE_S: Final = 1.0


class AlertRunner:
    """Runs the alerts of one process; any number of processes may do so on one Redis."""

    def __init__(
        self,
        snapshots: SnapshotReader,
        store: AlertStore,
        post: AlertPost,
        clock: Clock,
        *,
        tell: Tell,
        rng: random.Random | None = None,
        any_hour: bool = False,
        write_metrics: WriteMetrics | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._store = store
        self._clock = clock
        self._rng = rng or random.Random()
        self._write_metrics = write_metrics
        self.watcher = Watcher(any_hour=any_hour)
        self.counters = AlertCounters()
        self.delivery = AlertDelivery(store, post, clock, tell=tell, rng=self._rng, counters=self.counters)
        self.stored: StoredAlerts | None = None
        """All rules as read last; None before Redis has answered once."""
        self._backlog: deque[tuple[Firing, datetime]] = deque()
        self._wake = asyncio.Event()
        self._redis_away = False
        self._unusable = Mishaps("The alerts")

    async def run(self, progress: Progress) -> None:
        """Watch and send until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(progress), name="alerts: claims and states")
                group.create_task(self._listen(), name="alerts: snapshots")
                group.create_task(self.delivery.run(), name="alerts: delivery")
        finally:
            await self._save_at_the_end()

    async def look(self) -> StoredAlerts:
        """All rules as they are now, and watch those; TransientError while Redis is away."""
        version = await self._store.version()
        if self.stored is None or version != self.stored.version:
            self.stored = await self._store.load()
            self._take_over(self.stored)
        return self.stored

    async def _listen(self) -> None:
        retry = backoff(self._rng)
        while True:
            try:
                async with self._snapshots.listen() as stream:
                    async for snapshot in stream:
                        retry.reset()
                        self.counters.snapshots += 1
                        with self._unusable.skipping(snapshot):
                            for firings in self.watcher.portions(snapshot, self._clock.now()):
                                self._note(firings)
                                await asyncio.sleep(0)
                raise TransientError("The stream of snapshots ended.")
            except GexcordError as error:
                log.warning("Alerts receive no snapshots: %s", error.sentence)
                await self._clock.sleep(retry.next_s())

    def _note(self, firings: list[Firing]) -> None:
        """Queue what fired for claiming."""
        now = self._clock.now()
        for firing in firings:
            if len(self._backlog) >= _MOST_BACKLOG:
                self.counters.unclaimed += 1
                log.error("alert %d is given up: more than %d wait for Redis", firing.rule.number, _MOST_BACKLOG)
                continue
            self._backlog.append((firing, now))
        if firings:
            self._wake.set()

    async def _keep(self, progress: Progress) -> None:
        """Claim at once, look for new rules every second, save states every five; go on through trouble with Redis."""
        look_at = save_at = self._clock.monotonic()
        while True:
            try:
                await self._claim()
                if self._clock.monotonic() >= look_at:
                    await self.look()
                    look_at = self._clock.monotonic() + LOOK_S
                if self._clock.monotonic() >= save_at:
                    await self._save()
                    save_at = self._clock.monotonic() + SAVE_S
                self._back()
                progress()
            except TransientError as error:
                self._away(error)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()

    async def _claim(self) -> None:
        """Claim what fired; what another bot claimed first is theirs, and their state is ours from now on."""
        while self._backlog:
            claims = [_claim_of(*due) for due in islice(self._backlog, _CLAIMED_AT_ONCE)]
            lost = await self._store.commit(claims)
            for _ in claims:
                self._backlog.popleft()
            for loss in lost:
                if loss.state is not None:
                    self.watcher.adopt(loss.number, loss.state)
            self.counters.fired += len(claims) - len(lost)
            self.counters.lost_races += len(lost)
            theirs = {loss.number for loss in lost}
            for claim in claims:
                if claim.entry is not None and claim.number not in theirs:
                    log.info("alert %d fired: %s", claim.number, claim.entry.text)
            self.delivery.wake()
        self.counters.waiting_for_claim = 0

    def _take_over(self, stored: StoredAlerts) -> None:
        """Watch the rules that are not paused; one new to this process starts where Redis left it."""
        active = [rule for rule in stored.rules.values() if stored.why_paused(rule) is None]
        fresh = [rule.number for rule in active if self.watcher.state(rule.number) is None]
        self.watcher.set_rules(active)
        for number in fresh:
            if number in stored.states:
                self.watcher.adopt(number, stored.states[number])
            else:
                self.watcher.begin(number, self._clock.now())
        self.counters.rules = len(active)

    async def _save(self) -> None:
        unsaved = self.watcher.unsaved()
        claims = [Claim(number, state.episode, msgspec.structs.replace(state)) for number, state in unsaved.items()]
        pending = {firing.rule.number for firing, _ in self._backlog}
        for loss in await self._store.commit([claim for claim in claims if claim.number not in pending]):
            if loss.state is not None:
                self.watcher.adopt(loss.number, loss.state)
        if self._write_metrics is not None:
            await self._write_metrics({**hash_fields(METRICS, self.counters), "updated_at": self._clock.now()})

    async def _save_at_the_end(self) -> None:
        """Give Redis a second, so that a crossing during a restart is found by the next process."""
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_LAST_SAVE_S):
                await self._claim()
                await self._save()

    def _away(self, error: TransientError) -> None:
        self.counters.redis_failures += 1
        self.counters.waiting_for_claim = len(self._backlog)
        log.log(logging.DEBUG if self._redis_away else logging.WARNING, "Alerts wait for Redis: %s", error.sentence)
        self._redis_away = True

    def _back(self) -> None:
        if self._redis_away:
            log.info("Redis answers again; alerts go on")
        self._redis_away = False


def _claim_of(firing: Firing, at: datetime) -> Claim:
    """The firing with its text as of the moment it was found."""
    entry = Entry(number=firing.rule.number, text=firing_text(firing, at), claimed_ms=epoch_ms(at))
    return Claim(firing.rule.number, firing.before.episode, firing.after, firing.rule.target, entry)
