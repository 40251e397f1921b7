"""One channel's live message: a single writer on a fixed beat, rendering whatever is newest when it sends."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bot.choices import Style
from bot.feed.channel import GoneMessageError
from bot.feed.feed_metrics import BoardCounters, BoardState, BoardStatus
from bot.feed.illustration import Draw, Illustrator
from bot.feed.ledger import LedgerAwayError
from bot.feed.message import LiveMessage
from bot.feed.pacer import Rank
from bot.feed.pacing import AtOnce, Turns, ranked
from bot.feed.schedule import FeedDecision, decide_about, next_mark, posted_s
from bot.feed.timing import Cadence, Deletions, PersonWaits, backoff, woken
from bot.feed.window import Slot
from bot.feed.wording import Beside, LookLoading, UpdatedLine, Wording, not_loading
from streaming.bus.lease import LeaseLostError
from streaming.clock import Clock, date_of
from streaming.errors import GexcordError, OperatorError, TransientError
from streaming.freshness import STALE_AFTER_S, data_age_s, market_now
from streaming.model import GexSnapshot
from streaming.ports import Tell
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_REPLACE_AGAIN_S: Final = 5.0
_RETRY_CAP_S: Final = 2.0
_LOOK_AROUND_S: Final = 300.0
_LOOK_AGAIN_S: Final = 30.0
_LOOK_IN_DOUBT_S: Final = 3.0
_STORED_WAIT: Final = timedelta(seconds=10)
_LONGEST_LOOK_S: Final = 4.0
"""So long a board without news waits before it looks what time has done to its text."""
_LOOK_AFTER_S: Final = 0.01
_HOUR_MIN: Final = 60
_REPLACED_AT_S: Final = 3300.0
_RATIONED_AT_S: Final = 3600.0
_REPOST_AFTER_S: Final = 5.0
_FINISH_S: Final = 2.0
_FAREWELL_S: Final = 4.5
_BOOKS_S: Final = 0.4
"""What a board takes of the process's ten seconds: to finish what is in flight, from then on to say that it stops, in
its turn among all that do (so long some 200 boards take together), and to note it. With a second to give back the lease
this is within the supervisor's six."""

_NOW: Final = datetime.min.replace(tzinfo=UTC)
"""A mark that is always over."""

StillOurs = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPlan:
    """How boards behave, from the settings."""

    update_s: float = 1.0
    refresh_minutes: int = 5
    """Between marks; 0 for none."""
    window_s: float = 60.0
    force: bool = False
    style: Style = "ansi"
    digits: int = 3
    """Significant ones of exposures."""
    source: str = "schwab"
    """Whom an empty board waits for."""
    loading: LookLoading = not_loading
    """How far the first load of its chains is."""
    beside: Sequence[Beside] = ()
    """What else the message shows; marks and hours go by the first ticker."""
    draw: Draw | None = None
    """Draws the picture of a message; None for none."""
    shows_age: bool = False
    """Whether Discord's own growing time stands under the figures."""

    @property
    def replaced_within_s(self) -> float:
        """How long after a mark a message may stand: until the next one, without marks until it is an hour old."""
        return self.refresh_minutes * 60.0 or _RATIONED_AT_S - _REPLACED_AT_S


class Board:
    """Keeps one message in one channel current until it is cancelled."""

    def __init__(
        self,
        channel_id: int,
        ticker: Ticker,
        *,
        slot: Slot,
        message: LiveMessage,
        plan: BoardPlan,
        clock: Clock,
        rng: random.Random,
        tell: Tell,
        still_ours: StillOurs | None = None,
        wall_s: Callable[[], float] = time.time,
        turns: Turns | None = None,
    ) -> None:
        """`tell` takes note of a sentence for operators at once; `still_ours` tells at the end whether no other process
        writes this channel by now. `wall_s` is the hour of readers' devices, whatever hour the market has. `turns` is
        where boards of one bot wait for one another.
        """
        self._channel_id = channel_id
        self._ticker = ticker
        self._slot = slot
        self._message = message
        self._plan = plan
        self._clock = clock
        self._tell = tell
        self._still_ours = still_ours
        self._turns = turns or AtOnce()
        self._news = asyncio.Event()
        self._illustrator = Illustrator(plan.draw, clock, self._news.set)
        self._retry = backoff(rng, cap_s=_RETRY_CAP_S)
        self._replace_retry = backoff(rng, cap_s=_REPLACE_AGAIN_S)
        self._person_waits = PersonWaits()
        self._deletions = Deletions()
        self._told_deletions = False
        self._untidy = asyncio.Event()
        self._counters = BoardCounters()
        self._since = clock.now()
        self._words = Wording(
            ticker,
            slot,
            source=plan.source,
            loading=plan.loading,
            style=plan.style,
            digits=plan.digits,
            window_s=plan.window_s,
            since=self._since,
            beside=plan.beside,
        )
        self._slots = (slot, *(one.slot for one in plan.beside))
        self._wall_s = wall_s
        self._updated_line = UpdatedLine(wall_s) if plan.shows_age else None
        self._lived: date | None = None
        """The replayed session whose own hours this board has shown."""
        self._adopted = self._waits = False
        self._ending_s = 0.0
        """How much of the time to say goodbye the last beat took."""
        self._mark: datetime | None = None
        self._hands_over = False
        self._reposted_s = -math.inf
        self._replace_at_s = -math.inf
        self._unreplaced = False
        self._look_at_s = self._looked_s = -math.inf
        self._quiet_until_s = clock.monotonic()
        self._woken_s = -math.inf
        self._next_look_s = clock.monotonic() + plan.update_s / 2
        self._look_every_s = plan.update_s
        self._replaces = True
        """Whether the turn that it has allows to replace the message."""
        self._state: BoardState = "starting"
        self._state_since = clock.now()
        self._reason = "starting"
        self._until: datetime | None = None
        self._open_trouble: str | None = None
        self._seen: tuple[GexSnapshot | None, ...] = tuple(None for _ in self._slots)
        """The newest snapshots at the last beat, and the last one that was shown, of the first ticker:"""
        self._rendered: GexSnapshot | None = None

    def status(self, *, ticker: str | None = None, origin: str = "the settings") -> BoardStatus:
        """What this board is doing now; `ticker` and `origin` as its order says them."""
        return BoardStatus(
            channel_id=self._channel_id,
            ticker=ticker or self._ticker.name,
            origin=origin,
            state=self._state,
            reason=self._reason,
            until=self._until,
            since_at=self._state_since,
            message_id=self._message.message_id,
            without_picture=self._illustrator.trouble,
            counters=self._counters,
        )

    async def run(self) -> None:
        """Beat until cancelled; then finish what is in flight, say that the feed stops, and end.

        Raises LeaseLostError when another process has the feed by now.
        """
        cadence = Cadence(self._clock.monotonic(), self._plan.update_s)
        tidying = asyncio.create_task(self._keep_tidy(), name=f"tidying of channel {self._channel_id}")
        try:
            with ExitStack() as watched, ranked(Rank.EDIT):
                for slot in self._slots:
                    watched.enter_context(slot.watched(self._news))
                while True:
                    await self._until_something_is_to_do(cadence)
                    if await self._take_turn(cadence.due_s):
                        self._counters.missed += cadence.advance(self._clock.monotonic())
                    self._untidy.set()
                    if tidying.done():
                        tidying.result()
        except asyncio.CancelledError:
            await self._farewell()
            raise
        finally:
            tidying.cancel()
            await asyncio.wait({tidying})
            await self._illustrator.close()
            await self._last_note()

    async def beat(self, due_s: float) -> None:
        """One look at the clock and the slot, and at most one change to the message; errors become waits."""
        if self._clock.monotonic() < self._quiet_until_s:
            return
        began_s = self._clock.monotonic()
        try:
            await self._update(due_s)
        except LeaseLostError:
            self._message.abandon()
            raise
        except GoneMessageError as error:
            self._deleted(error)
        except OperatorError as error:
            self._pause(error, began_s)
        except GexcordError as error:
            self._back_off(error)
        else:
            self._settle()

    def wake(self) -> None:
        """Something changed that may mend what the board waits for a person to mend: look at the next beat."""
        self._replace_at_s = -math.inf
        self._woken_s = self._clock.monotonic()
        if self._state == "paused":
            self._quiet_until_s = self._next_look_s = self._clock.monotonic()
        self._news.set()

    def doubt(self) -> None:
        """Another process wrote in the channel after it had lost the feed: say again what the message is to say."""
        self._message.doubt()
        self._next_look_s = self._clock.monotonic()
        self._untidy.set()
        self._news.set()

    def repost(self) -> None:
        """Somebody wants the message at the bottom of the channel: replace it at the next beat, if the feed is open."""
        self._mark = _NOW
        self.wake()

    async def rest(self, *, again: bool, noted: bool) -> bool:
        """Say on the message of a paused channel that nothing updates it; False when it is known to say so.

        Whoever should have said it may have been killed, or Discord failed. `again`: somebody came late and wrote over
        it; `noted`: nobody can any more. Raises as the ledger and the channel do.
        """
        await self._message.adopt()
        text = self._words.stopped(self._clock.now())
        session = date_of(self._message.session)
        if self._message.pending and session is not None:
            await self._message.replace(text, session)
        is_due = self._message.message_id is not None and (again or not self._message.stopped)
        if is_due:
            await self._message.leave(text, noted=noted)
        await self._message.keep_books()
        return is_due

    def hand_over(self) -> None:
        """Another board goes on with this message, or it is to be removed: say no goodbye on it."""
        self._hands_over = True

    async def tidy(self) -> None:
        """Bring the ledger up to date; at first, after doubt and every few minutes also look for lost messages.

        Never a reason to post, and never waited for by a reader. Raises LeaseLostError.
        """
        if not self._adopted:
            return
        try:
            await self._message.keep_books()
            if self._is_to_look_around():
                await self._look_around()
                await self._message.keep_books()
        except LeaseLostError:
            raise
        except GexcordError as error:
            _LOG.debug("Board %s in channel %s stays untidy: %s", self._ticker.name, self._channel_id, error.sentence)

    def _is_to_look_around(self) -> bool:
        now_s = self._clock.monotonic()
        in_doubt = self._message.doubtful and now_s >= self._looked_s + _LOOK_IN_DOUBT_S
        return self._state != "paused" and (in_doubt or now_s >= self._look_at_s)

    async def _look_around(self) -> None:
        self._looked_s = self._clock.monotonic()
        self._look_at_s = self._looked_s + _LOOK_AGAIN_S
        async with self._turns.turn(self._channel_id, method="GET", replaces=False):
            is_done = await self._message.look_around()
        if is_done:
            self._look_at_s = self._clock.monotonic() + _LOOK_AROUND_S

    async def _keep_tidy(self) -> None:
        """Tidy whenever a beat is over; what fails is tried again after the next one."""
        while True:
            await self._untidy.wait()
            self._untidy.clear()
            try:
                await self.tidy()
            except LeaseLostError:
                return

    async def _until_something_is_to_do(self, cadence: Cadence) -> None:
        """Wait for the beat, and then for a snapshot not yet shown, for the mark, or for a look at what time does.

        A board without news costs nothing meanwhile. First figures, where a reader has only been told to wait, need no
        beat. A beat that had nothing to wait for but news counts from when it is made.
        """
        while True:
            self._news.clear()
            now_s = self._clock.monotonic()
            at_s = self._acts_at_s(cadence.due_s)
            if at_s <= now_s:
                break
            await woken(self._news, self._clock, at_s - now_s)
        if at_s != cadence.due_s:
            cadence.begin_at(now_s)

    def _acts_at_s(self, due_s: float) -> float:
        """When there is something to do, as it looks now; `due_s` is the next beat."""
        at_s = due_s
        if self._waits and self._slot.latest is not None:
            at_s = -math.inf
        elif self._state in {"open", "closed", "starting"} and not self._has_news:
            at_s = max(due_s, min(self._next_look_s, self._mark_s()))
        return max(at_s, self._quiet_until_s)

    @property
    def _has_news(self) -> bool:
        """Whether there is something that readers were not shown; at first only what is stored."""
        new = any(slot.latest is not seen for slot, seen in zip(self._slots, self._seen, strict=True))
        new |= self._illustrator.ready_for(self._message.message_id) is not None
        return new or (not self._adopted and self._slot.warm)

    def _mark_s(self) -> float:
        """When the message is to be replaced, if nothing else happens."""
        if self._mark is None or not self._message.message_id:
            return math.inf
        left_s = (self._mark - self._market_now()).total_seconds()
        return max(self._clock.monotonic() + left_s, self._reposted_s + _REPOST_AFTER_S, self._replace_at_s)

    def _market_now(self) -> datetime:
        """The hour that rules the marks: of a forced replay the replayed one."""
        now = self._clock.now()
        return market_now(self._slot.latest, now) if self._plan.force else now

    async def _take_turn(self, due_s: float) -> bool:
        """One beat in this board's turn; a look that finds the message saying what it should takes none.

        Whether the beat is over: what comes after a look need not wait for another.
        """
        had_news, edits = self._has_news, self._counters.edits
        if not self._adopted:
            with suppress(LedgerAwayError):  # then it is tried again in the turn; what there is decides which turn
                await self._adopt()
        marked = self._wants_to_replace()
        if not had_news and not marked and self._stands():
            self._counters.updates += 1
            self._counters.skips += 1
        else:
            method = "PATCH" if self._message.message_id else "POST"
            within_s = self._plan.replaced_within_s
            async with self._turns.turn(self._channel_id, method=method, replaces=marked, within_s=within_s) as turn:
                self._replaces = turn.replaces
                await self._finishing(self.beat(due_s))
        still = not had_news and edits == self._counters.edits
        self._look_again(still=still)
        return not still or marked or self._state not in {"open", "closed"}

    def _look_again(self, *, still: bool) -> None:
        """Look ever more rarely while time changes nothing, and at once when live figures turn old."""
        latest, every_s = self._slot.latest, self._plan.update_s
        left_s = -math.inf if latest is None else STALE_AFTER_S - data_age_s(latest, self._clock.now())
        ages = latest is not None and left_s < 0 and not latest.delayed and self._state == "open"
        grows = still and not ages and not self._waits and self._plan.loading() is None
        self._look_every_s = min(self._look_every_s * 2, max(_LONGEST_LOOK_S, every_s)) if grows else every_s
        wait_s = min(self._look_every_s, left_s + _LOOK_AFTER_S) if left_s >= 0 else self._look_every_s
        self._next_look_s = self._clock.monotonic() + wait_s

    def _next_mark(self, at: datetime) -> datetime:
        """When to replace the message; without marks shortly before Discord rations its edits, at an hour's age."""
        minutes = self._plan.refresh_minutes
        if minutes:
            return next_mark(at, minutes)
        left_s = _REPLACED_AT_S - (self._wall_s() - posted_s(self._message.message_id, self._wall_s()))
        return at + timedelta(seconds=max(left_s, 0.0))

    def _wants_to_replace(self) -> bool:
        return self._mark is not None and self._market_now() >= self._mark and self._may_repost

    def _stands(self) -> bool:
        """Whether a look would find nothing to do."""
        now, latest = self._clock.now(), self._slot.latest
        decision = decide_about(latest, now, force=self._plan.force, lived=self._lived)
        if not self._adopted or self._state != ("open" if decision.is_open else "closed"):
            return False
        if not decision.is_open:
            return self._message.message_id is None
        same = decision.session is not None and self._message.session == decision.session.isoformat()
        return same and not self._message.pending and self._message.says(self._live_text())

    def _live_text(self) -> str:
        text = self._words.live(self._clock.now())
        return text if self._updated_line is None else self._updated_line.under(text)

    async def _update(self, due_s: float) -> None:
        now, latest = self._clock.now(), self._slot.latest
        self._waits, self._seen = latest is None, tuple(slot.latest for slot in self._slots)
        decision = decide_about(latest, now, force=self._plan.force, lived=self._lived)
        at = self._market_now()
        if not self._adopted:
            await self._adopt()
        self._enter("open" if decision.is_open else "closed", decision.reason, decision.until)
        if decision.is_open:
            self._lived = decision.session if decision.since is not None else self._lived
            await self._open_beat(decision, at, due_s)
        else:
            self._mark = None
            if not self._may_still_learn(now):
                await self._close(decision.since or at)

    async def _adopt(self) -> None:
        await self._message.adopt()
        self._adopted = True

    async def _open_beat(self, decision: FeedDecision, at: datetime, due_s: float) -> None:
        """`at` is the hour that rules the marks: of a forced replay the replayed one."""
        assert decision.session is not None  # noqa: S101  # an open feed has a session
        self._counters.updates += 1
        if self._message.session not in {None, decision.session.isoformat()}:
            await self._close(at)
        if self._mark is None or self._mark > at + timedelta(minutes=self._plan.refresh_minutes or _HOUR_MIN):
            self._mark = self._next_mark(at)
        self._rendered = self._slot.latest
        text = self._live_text()
        if (self._message.pending or (at >= self._mark and self._replaces)) and self._may_repost:
            changed = await self._refresh(text, decision, at)
        else:
            changed = await self._show(text, decision)
        self._illustrator.begin(self._message.message_id)
        self._tally(changed=changed, due_s=due_s)

    @property
    def _may_repost(self) -> bool:
        """A replay may pass its marks faster than Discord takes new messages."""
        now_s = self._clock.monotonic()
        rested = now_s >= max(self._reposted_s + _REPOST_AFTER_S, self._replace_at_s)
        return rested and self._message.message_id is not None

    async def _refresh(self, text: str, decision: FeedDecision, at: datetime) -> bool:
        """Replace the message on its mark; where that fails keep editing and try again shortly."""
        assert decision.session is not None  # noqa: S101  # as above
        now = self._clock.now()
        try:
            await self._message.replace(text, decision.session)
        except LeaseLostError:
            raise
        except (TransientError, OperatorError) as error:
            self._replace_later(error)
            return await self._show(text, decision)
        self._replace_retry.reset()
        self._unreplaced = False
        self._mark = self._next_mark(at)
        self._reposted_s = self._clock.monotonic()
        self._counters.reposts += 1
        self._counters.last_repost_at = now
        return True

    def _replace_later(self, error: TransientError | OperatorError) -> None:
        """A message that cannot be posted is no reason to leave the old one frozen under its last figures."""
        now = self._clock.now()
        self._unreplaced = True
        self._counters.failed(now, error.sentence)
        if isinstance(error, OperatorError):
            delay_s = self._person_waits.delay_s()
            self._tell_once(error)
        else:
            delay_s = self._replace_retry.next_s(least_s=error.retry_after_s)
        self._replace_at_s = self._clock.monotonic() + delay_s

    async def _show(self, text: str, decision: FeedDecision) -> bool:
        assert decision.session is not None  # noqa: S101  # as above
        before = self._message.message_id
        changed = await self._illustrated(text, decision.session) or await self._message.show(text, decision.session)
        if self._message.message_id != before:
            self._counters.posts += 1
            self._unreplaced = False
        elif changed:
            self._counters.edits += 1
        return changed

    async def _illustrated(self, text: str, session: date) -> bool:
        """Give the message its picture with this edit, if one is ready; one that Discord refuses costs no edit."""
        picture = self._illustrator.ready_for(self._message.message_id)
        if picture is None:
            return False
        try:
            changed = await self._message.show(text, session, picture)
        except (LeaseLostError, GoneMessageError):
            raise
        except GexcordError as error:
            passes = isinstance(error, TransientError)
            self._illustrator.failed(error, passes=passes)
            if passes:
                raise
            return False
        self._illustrator.attached()
        return changed

    async def _close(self, at: datetime) -> None:
        """Leave the session's last figures standing, marked as closed; a goodbye of an earlier run stays."""
        text, self._mark, now = None, None, self._clock.now()
        if self._message.shown:
            text = self._words.closed(self._rendered, now, at=at)
        elif not self._message.stopped:
            text = self._words.left_over(self._message.session, now)
        await self._message.close(text)

    def _may_still_learn(self, now: datetime) -> bool:
        """Whether the stored snapshot, which a left message is closed with, may only not have been read yet."""
        left = self._message.message_id is not None and not self._message.shown
        return left and self._slot.latest is None and now - self._since < _STORED_WAIT

    def _tally(self, *, changed: bool, due_s: float) -> None:
        if changed:
            self._counters.sent(self._clock.now(), self._clock.monotonic() - due_s)
        else:
            self._counters.skips += 1

    def _settle(self) -> None:
        if self._retry.failures:
            _LOG.info("Board %s in channel %s is back.", self._ticker.name, self._channel_id)
        self._retry.reset()
        if self._unreplaced:
            return
        self._person_waits.over()
        if self._open_trouble is not None:
            self._open_trouble = None
            self._tell(f"The board {self._ticker.name} in channel {self._channel_id} works again.")

    def _pause(self, error: OperatorError, began_s: float) -> None:
        """Wait for a person, unless what the call met may have been mended while it was under way."""
        mended = self._woken_s >= began_s
        self._trouble(error, "paused", 0.0 if mended else self._person_waits.delay_s())
        self._tell_once(error)

    def _tell_once(self, error: OperatorError) -> None:
        if error.sentence != self._open_trouble:
            self._open_trouble = error.sentence
            _LOG.warning("Board %s is paused: %s", self._ticker.name, error.sentence)
            self._tell(error.sentence)

    def _deleted(self, error: GoneMessageError) -> None:
        self._wait(error, "retrying", self._deletions.delay_s(self._clock.monotonic()))
        if not self._deletions.again_and_again:
            self._told_deletions = False
        elif not self._told_deletions:
            self._told_deletions = True
            self._tell(
                f"Somebody keeps deleting the message of {self._ticker.name} in channel {self._channel_id}. "
                "It is posted again more and more slowly; take the channel out of the feed, or stop whoever deletes it."
            )

    def _back_off(self, error: GexcordError) -> None:
        least_s = error.retry_after_s if isinstance(error, TransientError) else None
        level = logging.DEBUG if self._retry.failures else logging.WARNING
        self._trouble(error, "retrying", self._retry.next_s(least_s=least_s))
        _LOG.log(level, "Board %s in channel %s: %s", self._ticker.name, self._channel_id, error.sentence)

    def _trouble(self, error: GexcordError, state: BoardState, delay_s: float) -> None:
        self._counters.failed(self._clock.now(), error.sentence)
        self._wait(error, state, delay_s)

    def _wait(self, error: GexcordError, state: BoardState, delay_s: float) -> None:
        self._enter(state, error.sentence, self._clock.now() + timedelta(seconds=delay_s))
        self._quiet_until_s = self._clock.monotonic() + delay_s

    def _enter(self, state: BoardState, reason: str, until: datetime | None) -> None:
        if state != self._state:
            self._state_since = self._clock.now()
        self._state, self._reason, self._until = state, reason, until

    async def _finishing(self, work: Coroutine[None, None, None]) -> None:
        """Await `work`; when cancelled meanwhile, let it finish for a moment before giving way."""
        task = asyncio.create_task(work, name=f"beat of channel {self._channel_id}")
        task.add_done_callback(_heard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            asked_s = asyncio.get_running_loop().time()
            await asyncio.wait({task}, timeout=_FINISH_S)
            await _given_up(task)
            self._ending_s = asyncio.get_running_loop().time() - asked_s
            raise
        finally:
            await _given_up(task)

    async def _farewell(self) -> None:
        """Say on the message that nothing updates it any more: a frozen figure must not look alive.

        Not when another process took over: the message is its to write.
        """
        healthy = self._state in {"open", "retrying"}
        self._enter("stopped", "stopped", None)
        if self._hands_over or not healthy or not self._message.shown or self._slot.latest is None:
            return
        now = self._clock.now()
        try:
            async with asyncio.timeout(max(_FAREWELL_S - self._ending_s, 0.0)):
                if self._still_ours is not None and not await self._still_ours():
                    return
                with ranked(Rank.GOODBYE):
                    await self._message.leave(self._words.stopped(now))
        except (GexcordError, TimeoutError) as error:
            _LOG.info("Board %s could not say goodbye: %s", self._ticker.name, error)

    async def _last_note(self) -> None:
        """What a beat left unsaved; without the ledger, the next start finds out by the nonce."""
        try:
            async with asyncio.timeout(_BOOKS_S):
                await self._message.keep_books()
        except (GexcordError, TimeoutError) as error:
            _LOG.debug("Board %s left the ledger as it was: %s", self._ticker.name, error)


async def _given_up(task: asyncio.Task[None]) -> None:
    """End it; an edit that is cut off asks Redis for up to two seconds whether it came too late."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})


def _heard(task: asyncio.Task[None]) -> None:
    """However often whoever waits for it is cancelled, nobody is told that its error was never looked at."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.debug("The %s: %s", task.get_name(), error)
