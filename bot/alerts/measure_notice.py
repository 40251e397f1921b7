"""Tells the owners of alerts on change, once each, that these count trades now, and what that makes of their figure."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from bot.alerts.alert_job import AlertRunner
from bot.alerts.kinds.max_change import StrikeChange, flow_in, max_change_in, span_words
from bot.alerts.post import AlertPost, UnreachableError
from bot.alerts.rules import AlertKind, Rule, Target
from bot.alerts.texts import rule_text
from streaming.bus.notes import Notes
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.model import GexSnapshot
from streaming.ports import Progress

log = logging.getLogger(__name__)

LOOK_S: Final = 30.0
_LEASE: Final = timedelta(minutes=10)
"""A process that died while it told them is taken for one that did not."""
_TOLD: Final = "told"
_PER_MESSAGE: Final = 5
_HEAD: Final = (
    "Your alerts on change count **trades alone** now, as *flow*. They used to count max change, which is mostly "
    "re-pricing as spot and time move. Your figures are as you set them; to change one, remove the "
    "alert and add it again.\n"
)


class MeasureNotice:
    """Looks after the rules that were set before changes were counted by trades, until all their owners know.

    An owner is told when both measures are known and the market is live, in the place where the alert speaks.
    """

    def __init__(self, runner: AlertRunner, post: AlertPost, told: Notes, clock: Clock) -> None:
        self._runner = runner
        self._post = post
        self._told = told
        self._clock = clock
        self._done: set[int] = set()

    async def run(self, progress: Progress) -> None:
        """Tell them as their snapshots come; returns when nobody is left. TransientError while Redis is away."""
        while (waiting := self._waiting()) is None or waiting:
            await self.tell(waiting or ())
            progress()
            await self._clock.sleep(LOOK_S)

    async def tell(self, rules: Iterable[Rule]) -> None:
        """Tell the owners of those rules whose two measures are known."""
        by_target: dict[Target, list[tuple[Rule, str]]] = defaultdict(list)
        for rule in rules:
            if (text := self._text(rule)) is not None:
                by_target[rule.target].append((rule, text))
        for target, texts in by_target.items():
            for start in range(0, len(texts), _PER_MESSAGE):
                await self._tell(target, texts[start : start + _PER_MESSAGE])

    def _waiting(self) -> list[Rule] | None:
        """Rules whose owners may not know; None before the rules are known."""
        stored = self._runner.stored
        if stored is None:
            return None
        return [
            rule
            for rule in stored.rules.values()
            if rule.kind is AlertKind.MAX_CHANGE and not rule.by_trades and rule.number not in self._done
        ]

    def _text(self, rule: Rule) -> str | None:
        watcher = self._runner.watcher
        snapshot = watcher.newest(rule.ticker)
        if snapshot is None or snapshot.replay is not None or watcher.hold(rule.ticker, self._clock.now()) is not None:
            return None
        return measures_text(rule, snapshot)

    async def _tell(self, target: Target, texts: Sequence[tuple[Rule, str]]) -> None:
        mine = [(rule, text) for rule, text in texts if await self._claim(rule)]
        if not mine:
            return
        numbers = [rule.number for rule, _ in mine]
        content = _HEAD + "\n".join(text for _, text in mine)
        try:
            await self._post.send(target, content, nonce=f"measure-{numbers[0]}")
        except UnreachableError as error:
            log.info("%s does not learn how alerts %s count now: %s", target.words, numbers, error)
        except GexcordError as error:
            log.warning("telling %s how alerts %s count now waits: %s", target.words, numbers, error.sentence)
            for number in numbers:
                await self._told.release(str(number))
            return
        for number in numbers:
            await self._told.set(_TOLD, str(number))
        self._done.update(numbers)

    async def _claim(self, rule: Rule) -> bool:
        name = str(rule.number)
        if await self._told.claim(name, ttl=_LEASE):
            return True
        if await self._told.get(name) == _TOLD:
            self._done.add(rule.number)
        return False


def measures_text(rule: Rule, snapshot: GexSnapshot) -> str | None:
    """A rule and where both measures stand against its figure; None while one of them is not known."""
    flow, classic = flow_in(snapshot, rule.window), max_change_in(snapshot, rule.window)
    if flow.bn is None or classic.bn is None or not rule.value:
        return None
    return (
        f"Alert {rule.number} ({rule_text(rule)}): now {span_words('flow', rule.window)} {_against(flow, rule.value)}, "
        f"{span_words('max_change', rule.window)} {_against(classic, rule.value)}."
    )


def _against(change: StrikeChange, figure: float) -> str:
    return f"{change.words} ({abs(change.bn or 0.0) / figure:.0%} of your figure)"
