"""Storms over the live message in virtual time: `python -m tests.fuzz.virtual_storm SEED [N]`.

One seed is one storm and one trace. What it simulates, and what it does not, is told in specs/storms.md.
"""

import asyncio
import hashlib
import logging
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.reading import SPOT_MARGIN
from bot.alerts.rules import AlertKind, Rule, Target
from bot.feed.schedule import decide
from bot.render.numbers import strike
from bot.servers.orders import BoardOrder
from streaming.bus import keys
from streaming.errors import GexcordError
from streaming.symbols import parse_ticker
from tests.fuzz.storm_verdict import figure_of, live_among
from tests.support.feed import OPEN_AT
from tests.support.memory_alerts import place_of
from tests.support.memory_discord import Fault
from tests.support.virtual_feed import TICKER, VirtualBot, World, a_world
from tests.support.virtual_loop import StandstillError, VirtualLoop, run_virtually

TROUBLE_S = 40.0
CALM_S = 40.0
BEGINS_S = 6.0
"""Time for the first messages."""
FRESH_S = 3.0
_LOOK_EVERY_S = 0.25
MOST_AT_ONCE = 5
"""Messages of ours in a channel, whatever happens: three that cannot be deleted, the live one, and its successor."""
ENDS_WITHIN_S = 6.0
"""Then the supervisor leaves a job behind, and its lease with it."""
_SWAP_S = 3.0
_TOLD_S = 0.2
"""After a channel may be written to again the gateway says so."""
_ORDERED_S = 3.0
"""In which an order that another process was given is carried out: it looks every two seconds, then a board begins."""
_TOLD_BY_S = 20.0
"""An alert that was due so long before the end has been told."""
_SERVER = 1
_BEAT_S = 2.0
"""In which a board hears that its message is gone."""
_LONGEST_RETRY_S = 15.0
"""After deletions have failed for as long, that much may pass before they are tried again (bot/feed/chores.py)."""
_PURGE_S = (1.0, 5.0, 30.0, 300.0)
"""How much later a board posts again what somebody deletes again and again (bot/feed/timing.py)."""


@dataclass(frozen=True)
class Deed:
    """Something that happens at a time of the storm."""

    at_s: float
    kind: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a storm came to."""

    seed: int
    reasons: tuple[str, ...]
    trace: tuple[str, ...]
    recovery_s: float = 0.0
    inherited: int = 0
    """Answers 429 in windows that the process before had filled."""
    most_at_once: int = 0
    """Messages in a channel."""
    began_at: datetime = OPEN_AT
    """The market's time at the beginning of the trace."""

    @property
    def digest(self) -> str:
        """Names the trace."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:12]


class _Bugs(logging.Handler):
    """What the feed logs as an error: a board that failed and starts again."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.getMessage()} {record.exc_info[1] if record.exc_info else ''!r}")


class Judge:
    """Looks at every change and four times a second, and notes what may not be."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.trace: list[str] = []
        self.reasons: list[str] = []
        self.recovery_s = 0.0
        """The longest that a channel was without current figures while all worked."""
        self.most_at_once = 0
        self.excused_s: dict[int, float] = {}
        self.deletions: Counter[int] = Counter()
        self._good_s: dict[int, float] = {}
        self._orders: dict[int, BoardOrder] = {}
        self._crowded_s: dict[int, float] = {}
        self._undeletable_s: defaultdict[int, float] = defaultdict(float)

    def note(self, what: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{self.loop.time():.6f} {what}")

    def watch(self, deed: str, channel_id: int, message_id: int, text: str) -> None:
        """A change in Discord."""
        self.note(f"{deed} {channel_id}/{message_id} {figure_of(text) or ''}")
        if deed == "404 PATCH":
            self._deleted(channel_id)

    def excuse(self, channel_id: int, until_s: float) -> None:
        """A board is slow there on purpose."""
        self.excused_s[channel_id] = max(self.excused_s.get(channel_id, 0.0), until_s)

    def interrupted(self) -> None:
        """Everything failed for a moment: what is to be current again has its time from now."""
        now_s = self.loop.time()
        self._good_s = {channel_id: max(since_s, now_s) for channel_id, since_s in self._good_s.items()}

    def _deleted(self, channel_id: int) -> None:
        """A board hears that its message is gone."""
        wait_s = _PURGE_S[min(self.deletions[channel_id], len(_PURGE_S) - 1)]
        self.deletions[channel_id] += 1
        self.excuse(channel_id, self.loop.time() + wait_s + 1.0)

    def look(self, world: World) -> None:
        """At one moment."""
        self._take_orders(world.wanted)
        everywhere = _troubled(world)
        for channel_id in world.places:
            self._look_at(world, channel_id, troubled=everywhere or _troubled_at(world, channel_id))

    def _take_orders(self, wanted: dict[int, BoardOrder]) -> None:
        """What is ordered since a moment ago is not to be current at once."""
        before, self._orders = self._orders, wanted
        if before is not wanted and before:
            for channel_id in before.keys() | wanted.keys():
                if before.get(channel_id) != wanted.get(channel_id):
                    self.excuse(channel_id, self.loop.time() + _ORDERED_S)

    def _rests(self, channel_id: int) -> bool:
        """Whether nothing is to be current there, at least for now."""
        order = self._orders.get(channel_id)
        return order is None or order.paused or self.loop.time() < self.excused_s.get(channel_id, 0.0)

    def _look_at(self, world: World, channel_id: int, *, troubled: bool) -> None:
        now_s = self.loop.time()
        standing = world.discord.channels.get(channel_id, {})
        live = live_among([message.text for message in standing.values()])
        self._count(channel_id, len(live), troubled=troubled)
        if self._rests(channel_id) or troubled:
            self._good_s[channel_id] = now_s
            return
        ages = [now_s - world.published_s.get(figure_of(text) or 0.0, -1e9) for text in live]
        since_s = self._good_s.setdefault(channel_id, now_s)
        if ages and min(ages) <= FRESH_S:
            self.recovery_s = max(self.recovery_s, now_s - since_s)
            self._good_s[channel_id] = now_s
        elif since_s + FRESH_S + _LOOK_EVERY_S < now_s:
            self.reasons.append(f"{channel_id} is not current {FRESH_S:g} s after all works again, at {now_s:.2f} s")
            self._good_s[channel_id] = float("inf")

    def _count(self, channel_id: int, live: int, *, troubled: bool) -> None:
        now_s = self.loop.time()
        if live > max(self.most_at_once, MOST_AT_ONCE):
            self.reasons.append(f"{channel_id} has {live} messages at {now_s:.2f} s")
        self.most_at_once = max(self.most_at_once, live)
        if live <= 1:
            self._undeletable_s.pop(channel_id, None)
        elif troubled:
            self._undeletable_s[channel_id] += _LOOK_EVERY_S
        if live <= 1 or troubled:
            self._crowded_s.pop(channel_id, None)
        longest_s = _SWAP_S + min(self._undeletable_s[channel_id], _LONGEST_RETRY_S)
        if live > 2 and not troubled and now_s - self._crowded_s.setdefault(channel_id, now_s) > longest_s:
            self.reasons.append(f"{channel_id} has {live} messages at {now_s:.2f} s")
            self._crowded_s[channel_id] = float("inf")


def _troubled(world: World) -> bool:
    """Whether something is ordered that keeps every channel from being written."""
    store_fails = world.store.state != "up" or world.store.loses_answers or world.store.unanswered > 0
    closed = not decide(world.clock.now()).is_open
    return closed or store_fails or world.silent or world.leader is None or _hands_over_late(world)


def _troubled_at(world: World, channel_id: int) -> bool:
    """The same of one channel."""
    now_s = world.clock.monotonic()
    return world.discord.unanswered[channel_id] > 0 or any(
        fault.count > 0 and now_s < fault.until_s and fault.channel_id in {None, channel_id}
        for fault in world.discord.faults
    )


def _hands_over_late(world: World) -> bool:
    """Whether who has the lease is ending, and one of its calls, in whatever channel, has first to be given up."""
    leaves = world.leader is not None and world.leader.task.cancelling() > 0
    return leaves and world.discord.unanswered.total() > 0


class Storm:
    """One world, and what happens to it."""

    def __init__(
        self, loop: VirtualLoop, seed: int, deeds: list[Deed], *, bots: int, start: datetime = OPEN_AT, **options: Any
    ) -> None:
        self.loop = loop
        self.seed = seed
        self.judge = Judge(loop)
        rng = random.Random(seed)
        start += timedelta(seconds=rng.uniform(0, 60))
        self.world = a_world(loop, start, rng, self.judge.watch, **options)
        self.deeds = deeds
        self._places = [f"bot{n}" for n in range(bots)]
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, *, ends_s: float) -> Verdict:
        """To the end, and the bots' end."""
        world = self.world
        self._begin(world.market())
        for place in self._places:
            world.start(place)
        looking = self._begin(self._look())
        for deed in self.deeds:
            await asyncio.sleep(max(deed.at_s - self.loop.time(), 0.0))
            self.judge.note(f"{deed.kind} {deed.options}")
            self._begin(self._do(deed))
        await asyncio.sleep(max(ends_s - self.loop.time(), 0.0))
        await self._swapped()
        looking.cancel()
        self._last_look()
        for place in self._places:
            await self._end(world.bots[place])
        for task in list(self._running):
            task.cancel()
        await asyncio.sleep(40.0)
        self._after()
        judge = self.judge
        return Verdict(
            self.seed,
            tuple(judge.reasons),
            tuple(judge.trace),
            judge.recovery_s,
            self.world.discord.inherited,
            judge.most_at_once,
            self.world.clock.now() - timedelta(seconds=self.loop.time()),
        )

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _look(self) -> None:
        await asyncio.sleep(BEGINS_S)
        while True:
            self.judge.look(self.world)
            for bot in self.world.bots.values():
                for task in (bot.task, bot.alert_task):
                    if task.done() and not task.cancelled():
                        self.judge.reasons.append(f"{task.get_name()} ended: {task.exception()!r}")
                        return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _swapped(self) -> None:
        """A message that is being replaced in the last moment has the time that every replacement has."""
        latest_s, standing = self.loop.time() + _SWAP_S, self.world.discord.channels
        while self.loop.time() < latest_s and any(len(standing.get(place, {})) > 1 for place in self.world.places):
            await asyncio.sleep(_LOOK_EVERY_S)

    def _last_look(self) -> None:
        for channel_id in self.world.places:
            self._look_at_the_end(channel_id, self.world.wanted.get(channel_id))
        for rule in self.world.rules:
            self._look_at_alert(rule)

    def _look_at_the_end(self, channel_id: int, order: BoardOrder | None) -> None:
        texts = [message.text for message in self.world.discord.channels.get(channel_id, {}).values()]
        live, is_open = len(live_among(texts)), decide(self.world.clock.now()).is_open
        if order is None and texts:
            self.judge.reasons.append(f"{channel_id} has {len(texts)} messages, and none is ordered")
        elif order is not None and order.paused:
            wrong = len(texts) > 1 or not all("stopped" in text for text in texts)
            self.judge.reasons += [f"{channel_id} is paused, and {len(texts)} messages say: {texts}"] if wrong else []
        elif order is not None and (len(texts) != 1 or live != is_open):
            self.judge.reasons.append(f"{channel_id} has {live} of {len(texts)} messages live at the end")

    def _look_at_alert(self, rule: Rule) -> None:
        """A price that was crossed is told once; what was given up for a pause may be missing."""
        world, level = self.world, rule.value or 0.0
        due = [at_s for spot, at_s in world.published_s.items() if spot >= level + spot * SPOT_MARGIN]
        told = sum(
            f"crossed above {strike(level)}" in text.text for text in world.discord.alerts_at(place_of(rule.target))
        )
        missing = bool(due) and due[0] < self.loop.time() - _TOLD_BY_S and rule.number not in world.store.given_up
        if not missing <= told <= bool(due):
            self.judge.reasons.append(f"alert {rule.number} was told {told} times")

    def _after(self) -> None:
        left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        self.judge.reasons += [f"left behind: {name}" for name in left]
        self.judge.reasons += self.loop.complaints
        if self.world.discord.refused:
            self.judge.reasons.append(f"{self.world.discord.refused} answers 429 that nobody ordered")
        most = self.world.store.holders * len(self.world.places)
        if self.world.discord.inherited > most:
            self.judge.reasons.append(f"{self.world.discord.inherited} inherited answers 429, more than {most}")

    async def _do(self, deed: Deed) -> None:
        await (_ORDERS.get(deed.kind) or _DEEDS[deed.kind][1])(self, **deed.options)

    async def fault(self, *, for_s: float = 1e9, **options: Any) -> None:
        fault = Fault(until_s=self.world.clock.monotonic() + for_s, **options)
        self.world.discord.faults.append(fault)
        await asyncio.sleep(min(for_s, 60.0) + _TOLD_S)
        for bot in self.world.bots.values():
            if fault.kind == "forbidden" and not bot.dead:
                self.loop.call_soon(bot.runner.place_changed, fault.channel_id, context=bot.household.context)

    async def moderate(self, *, channel_id: int) -> None:
        standing = self.world.discord.channels.get(channel_id, {})
        if standing:
            self.judge.excuse(channel_id, self.loop.time() + _BEAT_S)
            self.world.discord.delete(channel_id, max(standing))

    async def store(self, *, state: str, for_s: float) -> None:
        self.world.store.state = state  # type: ignore[assignment]
        await asyncio.sleep(for_s)
        self.world.store.state = "up"

    async def lose_answers(self, *, for_s: float) -> None:
        self.world.store.loses_answers = True
        await asyncio.sleep(for_s)
        self.world.store.loses_answers = False

    async def silence(self, *, for_s: float) -> None:
        self.world.silent = True
        await asyncio.sleep(for_s)
        self.world.silent = False

    async def break_streams(self) -> None:
        self.judge.interrupted()
        self.world.break_streams()

    async def kill(self, *, place: str, for_s: float) -> None:
        bot = self._bot_at(place)
        if bot.dead or bot.task.done() or bot.task.cancelling():
            return
        await bot.kill()
        await self._again(bot, for_s)

    async def terminate(self, *, place: str, for_s: float) -> None:
        bot = self._bot_at(place)
        if bot.dead or bot.task.done() or bot.task.cancelling():
            return
        await self._end(bot)
        await self._again(bot, for_s)

    def _bot_at(self, place: str) -> VirtualBot:
        """Of the places `leader` is that of whoever has the lease."""
        leader = self.world.leader if place == "leader" else None
        return self.world.bots[self._places[0] if place == "leader" else place] if leader is None else leader

    async def _end(self, bot: VirtualBot) -> None:
        bot.wake()
        asked_s = self.loop.time() - bot.slept_s
        await bot.terminate()
        if not bot.dead and (took_s := self.loop.time() - bot.slept_s - asked_s) > ENDS_WITHIN_S:
            self.judge.reasons.append(f"{bot.name} took {took_s:.1f} s to end")

    async def ask(self, *, place: str, verb: str, **options: Any) -> None:
        """A command, answered by one of the bots."""
        bot = self.world.bots[place]
        if bot.works:
            await asyncio.wait({bot.begin(self._answer(bot, verb, options), f"/{verb}")})

    async def _answer(self, bot: VirtualBot, verb: str, options: dict[str, Any]) -> None:
        try:
            await _VERBS[verb](bot, **options)
        except GexcordError as error:
            self.judge.note(f"{bot.name} /{verb}: {error.sentence}")
        else:
            self.judge.note(f"{bot.name} /{verb}: done")

    async def resume_alerts(self) -> None:
        """An admin sees to it that alerts which could not be sent go on."""
        while True:
            for target in list(self.world.store.hashes.get(f"{keys.ALERTS}:paused", {})):
                for place in self._places:
                    await self.ask(place=place, verb="alert resume", target=Target.named(target))
            await asyncio.sleep(1.0)

    async def _again(self, bot: VirtualBot, for_s: float) -> None:
        await asyncio.sleep(for_s)
        self.world.start(next(place for place in self._places if self.world.bots[place] is bot))

    async def pause(self, *, place: str, for_s: float) -> None:
        bot = self._bot_at(place)
        bot.sleep()
        await asyncio.sleep(for_s)
        bot.wake()


def _while(longest_s: float) -> Callable[[random.Random], dict[str, Any]]:
    return lambda rng: {"for_s": round(rng.uniform(0.5, longest_s), 2)}


def _fault(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(("fails", "fails", "hangs", "lost", "limited", "slow", "forbidden"))
    method = rng.choice(("", "POST", "PATCH", "DELETE"))
    options = {"kind": kind, "method": method, "channel_id": rng.choice((None, 1, 2))}
    return options | {"for_s": round(rng.uniform(0.5, 8.0), 2), "after_s": round(rng.uniform(0.3, 2.0), 2)}


def _once(rng: random.Random) -> dict[str, Any]:
    """Once: a message that is new is neither unknown nor worn again."""
    kind, method = rng.choice((("unknown", "PATCH"), ("unknown", "DELETE"), ("worn", "PATCH")))
    return {"kind": kind, "method": method, "count": 1, "channel_id": rng.choice((1, 2)), "for_s": 8.0}


_VERBS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "feed add": lambda bot, channel_id, **said: bot.desk.add(channel_id, _SERVER, [parse_ticker(TICKER)], **said),
    "feed set": lambda bot, channel_id, **said: bot.desk.change(channel_id, _SERVER, **said),
    "feed pause": lambda bot, channel_id: bot.desk.change(channel_id, _SERVER, paused=True),
    "feed resume": lambda bot, channel_id: bot.desk.change(channel_id, _SERVER, paused=False),
    "feed repost": lambda bot, channel_id: bot.desk.repost(channel_id),
    "feed remove": lambda bot, channel_id: bot.desk.remove(channel_id),
    "feed move": lambda bot, channel_id, to: bot.desk.move(channel_id, to, _SERVER),
    "alert pause": lambda bot, channel_id: bot.alert_desk.pause(Target(channel_id=channel_id), "Somebody wants rest."),
    "alert resume": lambda bot, target: bot.alert_desk.resume(target),
}
_NEW_PLACES = (3, 4)


def asked_of(seed: int, bots: int) -> list[Deed]:
    """What people order meanwhile, of whichever bot answers."""
    rng = random.Random(f"orders {seed}")
    at_s, deeds = BEGINS_S, list[Deed]()
    while (at_s := at_s + rng.expovariate(1 / 5.0)) < BEGINS_S + TROUBLE_S:
        verb = rng.choices(list(_ASKED), [weight for weight, _ in _ASKED.values()])[0]
        options = {"place": f"bot{rng.randrange(bots)}", "verb": verb} | _ASKED[verb][1](rng)
        deeds.append(Deed(round(at_s, 2), "ask", options))
    return [*deeds, Deed(BEGINS_S + TROUBLE_S, "resume_alerts")]


def _anywhere(rng: random.Random) -> dict[str, Any]:
    return {"channel_id": rng.choice((1, 2, *_NEW_PLACES))}


def _look(rng: random.Random) -> dict[str, Any]:
    said = {"style": rng.choice(("ansi", "plain", "card")), "refresh_minutes": rng.choice((0, 1, 5))}
    return _anywhere(rng) | said


_ASKED: dict[str, tuple[int, Callable[[random.Random], dict[str, Any]]]] = {
    "feed add": (5, lambda rng: {"channel_id": rng.choice(_NEW_PLACES)}),
    "feed set": (4, _look),
    "feed pause": (3, _anywhere),
    "feed resume": (4, _anywhere),
    "feed repost": (3, _anywhere),
    "feed remove": (3, _anywhere),
    "feed move": (2, lambda rng: _anywhere(rng) | {"to": rng.choice(_NEW_PLACES)}),
    "alert pause": (1, lambda rng: {"channel_id": rng.choice((1, 2))}),
}
"""How often, and how."""


def _rule(number: int, level: float, target: Target) -> Rule:
    return Rule(number=number, kind=AlertKind.PRICE, ticker=TICKER, owner_id=7, target=target, value=level)


RULES = (
    _rule(1, 20004.5, Target(channel_id=1)),
    _rule(2, 20008.0, Target(channel_id=2)),
    _rule(3, 20011.0, Target(channel_id=1)),
    _rule(4, 20014.0, Target(user_id=7)),
)
"""Prices that are crossed once, amid the trouble."""

_DEEDS: dict[str, tuple[Callable[[random.Random], dict[str, Any]], Callable[..., Coroutine[Any, Any, None]]]] = {
    "fault": (_fault, Storm.fault),
    "once": (_once, Storm.fault),
    "moderate": (lambda rng: {"channel_id": rng.choice((1, 2))}, Storm.moderate),
    "store": (lambda rng: {"state": rng.choice(("refuses", "hangs"))} | _while(8.0)(rng), Storm.store),
    "lose_answers": (_while(4.0), Storm.lose_answers),
    "silence": (_while(6.0), Storm.silence),
    "break_streams": (lambda rng: {}, Storm.break_streams),
    "kill": (_while(4.0), Storm.kill),
    "terminate": (_while(4.0), Storm.terminate),
    "pause": (_while(9.0), Storm.pause),
}
_ORDERS = {"ask": Storm.ask, "resume_alerts": Storm.resume_alerts}
_OFTEN = {"fault": 8, "once": 2, "moderate": 1}
_AT_MOST = 2
"""Times that a channel's message may vanish: after that a board posts anew after 30 s."""


def deeds_of(seed: int) -> tuple[int, list[Deed]]:
    """So many bots, and what happens to them; the same for the same seed."""
    rng = random.Random(f"deeds {seed}")
    bots, at_s, deeds = rng.choice((1, 2, 2)), BEGINS_S, list[Deed]()
    vanished: Counter[int] = Counter()
    while (at_s := at_s + rng.expovariate(1 / 2.0)) < BEGINS_S + TROUBLE_S:
        kind = rng.choices(list(_DEEDS), [_OFTEN.get(kind, 2) for kind in _DEEDS])[0]
        options = _DEEDS[kind][0](rng)
        if kind in {"kill", "terminate", "pause"}:
            options["place"] = f"bot{rng.randrange(bots)}"
        if kind in {"once", "moderate"}:
            vanished[options["channel_id"]] += 1
            if vanished[options["channel_id"]] > _AT_MOST:
                continue
        deeds.append(Deed(round(at_s, 2), kind, options))
    return bots, deeds


def storm(seed: int) -> Verdict:
    """One storm from beginning to end."""
    bots, deeds = deeds_of(seed)
    deeds = sorted([*deeds, *asked_of(seed, bots)], key=lambda deed: deed.at_s)
    return play(deeds, seed=seed, bots=bots, ends_s=BEGINS_S + TROUBLE_S + CALM_S, rules=RULES)


def play(deeds: list[Deed], *, seed: int, bots: int, ends_s: float, **options: Any) -> Verdict:
    """Bots and what happens to them, from `start` for so long."""
    bugs = _Bugs(logging.ERROR)
    logs = [logging.getLogger(name) for name in ("bot.feed", "bot.alerts")]
    for log in logs:
        log.addHandler(bugs)
    try:
        verdict = run_virtually(lambda loop: Storm(loop, seed, deeds, bots=bots, **options).run(ends_s=ends_s))
    except StandstillError as error:
        verdict = Verdict(seed, (str(error),), ())
    finally:
        for log in logs:
            log.removeHandler(bugs)
    return replace(verdict, reasons=(*verdict.reasons, *bugs.said))


def main(first: int, count: int) -> int:
    """Storm after storm; how many were not clean."""
    logging.disable(logging.WARNING)
    began_s, bad, longest_s, inherited = time.perf_counter(), 0, 0.0, list[int]()
    for seed in range(first, first + count):
        verdict = storm(seed)
        longest_s = max(longest_s, verdict.recovery_s)
        inherited.append(verdict.inherited)
        if verdict.reasons:
            bad += 1
            sys.stdout.write(f"{seed}: {'; '.join(verdict.reasons)[:600]}\n")
            sys.stdout.flush()
    took_s = time.perf_counter() - began_s
    sys.stdout.write(
        f"{count} storms, {bad} not clean, {took_s:.1f} s; at most {longest_s:.2f} s without current figures; "
        f"{sum(inherited)} inherited answers 429, at most {max(inherited)} in one\n"
    )
    return bad


if __name__ == "__main__":
    if "--trace" in sys.argv:
        sys.stdout.write("\n".join(storm(int(sys.argv[1])).trace) + "\n")
    else:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1) > 0)
