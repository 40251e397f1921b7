"""What `/alert` may do: add a rule and prove that it can speak, list rules as they stand, remove one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import msgspec

from bot.alerts.alert_job import AlertRunner
from bot.alerts.kinds.registry import KINDS, check, same
from bot.alerts.post import AlertPost, UnreachableError
from bot.alerts.rule_store import AlertStore, StoredAlerts
from bot.alerts.rules import AlertKind, Rule, Target
from bot.alerts.texts import rule_text, standing_text
from bot.wire.answers import insisting
from streaming.clock import Clock
from streaming.errors import GexcordError, RequestError, TransientError

_OPEN_YOUR_MESSAGES = (
    "Allow direct messages from members of a server where I am in its privacy settings, then add the alert again."
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and where; `manages` the server it is asked in."""

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    manages: bool = False

    def sees(self, rule: Rule) -> bool:
        """One's own rules; whoever manages the server also those of this channel."""
        return rule.owner_id == self.user_id or (
            self.manages and rule.target.channel_id is not None and rule.target.channel_id == self.channel_id
        )

    def may_remove(self, rule: Rule) -> bool:
        """One's own rules; whoever manages the server also those of all its channels."""
        return rule.owner_id == self.user_id or (
            self.manages and rule.target.channel_id is not None and rule.guild_id == self.guild_id
        )


@dataclass(frozen=True, slots=True)
class ListedRule:
    """One rule in a list."""

    rule: Rule
    words: str
    standing: str


class AlertCommands:
    """The alerts of one process as commands see them; raises TransientError while Redis is away."""

    def __init__(
        self,
        store: AlertStore,
        runner: AlertRunner,
        post: AlertPost,
        clock: Clock,
        *,
        per_person: int,
        per_channel: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._runner = runner
        self._post = post
        self._per_person = per_person
        self._per_channel = per_channel

    async def add(self, rule: Rule) -> tuple[Rule, bool]:
        """Keep a rule; the kept one, and whether paused rules of the same target run again.

        By direct message, one is sent at once: RequestError when it cannot arrive, and then nothing is kept.
        """
        personal = rule.target.channel_id is None
        by_trades = rule.kind is AlertKind.MAX_CHANGE
        asked = msgspec.structs.replace(check(rule), by_trades=by_trades)
        _refuse_twice(asked, (await self._runner.look()).rules.values())
        kept = await self._store.add(asked, most=self._per_person if personal else self._per_channel)
        if personal:
            await self._greet(kept)
        resumed = await self._store.resume(kept.target)
        await self._runner.look()
        return kept, resumed

    async def lines(self, reader: Reader) -> list[ListedRule]:
        """The rules this reader sees, by number."""
        stored = await self._runner.look()
        return [self._line(rule, stored) for rule in _by_number(stored) if reader.sees(rule)]

    def removable(self, reader: Reader) -> list[Rule]:
        """What the reader may remove, as known now, without I/O."""
        stored = self._runner.stored
        return [] if stored is None else [rule for rule in _by_number(stored) if reader.may_remove(rule)]

    async def remove(self, number: int, reader: Reader) -> Rule:
        """Forget a rule; RequestError for one that does not exist or is not the reader's."""
        rule = await self._own(number, reader)
        if not await self._store.remove(rule):
            raise _none_of(number)
        await self._runner.look()
        return rule

    async def pause_one(self, number: int, reader: Reader, reason: str) -> Rule:
        """Rest one rule until it is resumed; raises as `remove`."""
        rule = await self._own(number, reader)
        await self._store.pause_one(rule, reason)
        await self._runner.look()
        return rule

    async def resume_one(self, number: int, reader: Reader) -> Rule:
        """Let one rule run again; raises as `remove`, and RequestError for one that did not rest alone."""
        rule = await self._own(number, reader)
        if not await self._store.resume(rule):
            raise RequestError(
                f"Alert {number} is not paused by itself.", remedy="/alert resume without a number resumes all."
            )
        await self._runner.look()
        return rule

    async def pause(self, target: Target, reason: str) -> int:
        """Rest every rule of a target until it is resumed; how many there are. RequestError where there is none."""
        count = self._count(target, await self._runner.look())
        await self._store.pause(target, reason)
        await self._runner.look()
        return count

    async def resume(self, target: Target) -> int:
        """Let a target's rules run again; how many there are. RequestError where none rested."""
        stored = await self._runner.look()
        theirs = [rule for rule in stored.rules.values() if rule.target == target]
        if not await self._store.resume(target, *theirs):
            raise RequestError("No alerts are paused there.", remedy="/alert list shows how each stands.")
        await self._runner.look()
        return len(theirs)

    async def clear(self, target: Target) -> int:
        """Forget every rule of a target; how many there were. RequestError where there is none."""
        stored = await self._runner.look()
        self._count(target, stored)
        gone = [rule for rule in _by_number(stored) if rule.target == target and await self._store.remove(rule)]
        await self._runner.look()
        return len(gone)

    async def _own(self, number: int, reader: Reader) -> Rule:
        rule = (await self._runner.look()).rules.get(number)
        if rule is None or not reader.may_remove(rule):
            raise _none_of(number)
        return rule

    @staticmethod
    def _count(target: Target, stored: StoredAlerts) -> int:
        count = sum(rule.target == target for rule in stored.rules.values())
        if not count:
            raise RequestError("There are no alerts there.", remedy="/alert add sets one.")
        return count

    async def _greet(self, rule: Rule) -> None:
        text = (
            f"Alert {rule.number} is set: {rule_text(rule)}.\nI will write here when it happens; /alert remove ends it."
        )
        try:
            await insisting(partial(self._post.send, rule.target, text, nonce=f"alert-{rule.number}"))
        except UnreachableError as error:
            await self._store.remove(rule)
            raise RequestError(f"I cannot send you direct messages: {error}.", remedy=_OPEN_YOUR_MESSAGES) from None
        except TransientError as error:
            await self._store.remove(rule)
            raise TransientError(f"The alert was not set: {error}", remedy="Try again in a moment.") from error
        except GexcordError:
            await self._store.remove(rule)
            raise

    def _line(self, rule: Rule, stored: StoredAlerts) -> ListedRule:
        watcher = self._runner.watcher
        state = watcher.state(rule.number) or stored.states.get(rule.number)
        hold = watcher.hold(rule.ticker, self._clock.now())
        paused = stored.why_paused(rule)
        missing = watcher.is_missing(rule.number)
        standing = standing_text(rule, state, hold=hold, missing=missing, paused=paused)
        newest = watcher.newest(rule.ticker)
        caveat = "" if newest is None else KINDS[rule.kind].caveat(newest)
        return ListedRule(rule, rule_text(rule), f"{standing} ({caveat})" if caveat else standing)


def _none_of(number: int) -> RequestError:
    return RequestError(f"You have no alert {number}.", remedy="/alert list shows the numbers.")


def _refuse_twice(asked: Rule, kept: Iterable[Rule]) -> None:
    """RequestError when a rule of the same target watches for the same."""
    twin = next((rule for rule in kept if rule.target == asked.target and same(rule, asked)), None)
    if twin is not None:
        raise RequestError(
            f"Alert {twin.number} already watches for that here.",
            remedy="/alert remove ends it, if it is to be set with another cooldown.",
        )


def _by_number(stored: StoredAlerts) -> list[Rule]:
    return [stored.rules[number] for number in sorted(stored.rules)]
