"""Two trading days in virtual time: `python -m tests.fuzz.virtual_day`, in under a minute.

A whole one with two bots and three live messages, of which one is ordered with `/feed`: a bot ends and another takes
over, Discord fails for four minutes, Redis for two and hangs for one, the leader stands still for a minute and is
killed, snapshots stop, a moderator deletes, a message is paused for a while. A half day with one bot and one message.
Besides what every storm is judged by (specs/storms.md): each message is replaced at each mark of five minutes, and the
day's last one stays.
"""

import logging
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.feed.schedule import decide, next_mark
from tests.fuzz.virtual_storm import Deed, Verdict, play

WHOLE_DAY: Final = datetime(2026, 8, 20, 13, 34, tzinfo=UTC)
"""A Thursday, 09:34 in New York."""
HALF_DAY: Final = datetime(2026, 11, 27, 14, 34, tzinfo=UTC)
"""The Friday after Thanksgiving, 09:34 in New York; it closes at 13:00."""
MINUTES: Final = 5
REPLACED_S: Final = 5.0
"""After a mark, or after what keeps every message from being replaced has ended."""
_AFTER_S: Final = 10.0
"""In which whoever takes over begins, and what failed is tried again."""
_BEATS_S: Final = 2.0
"""Around a mark: an order at that moment may come before or after it."""
TROUBLE: Final = frozenset({"terminate", "kill", "pause", "fault", "store", "silence", "moderate"})


def _asked(at_s: float, place: str, verb: str, channel_id: int) -> Deed:
    return Deed(at_s, "ask", {"place": place, "verb": verb, "channel_id": channel_id})


_HALF: Final = (
    Deed(900.0, "terminate", {"place": "bot0", "for_s": 3.0}),
    Deed(2700.0, "fault", {"kind": "fails", "for_s": 240.0}),
    Deed(4500.0, "store", {"state": "refuses", "for_s": 120.0}),
    Deed(6300.0, "pause", {"place": "bot0", "for_s": 60.0}),
    Deed(8100.0, "silence", {"for_s": 300.0}),
    Deed(9900.0, "kill", {"place": "bot0", "for_s": 2.0}),
    Deed(11000.0, "moderate", {"channel_id": 1}),
)
_WHOLE: Final = (
    _asked(100.0, "bot1", "feed add", 3),
    Deed(2000.0, "terminate", {"place": "leader", "for_s": 3.0}),
    Deed(3900.0, "fault", {"kind": "fails", "for_s": 240.0}),
    Deed(6100.0, "store", {"state": "refuses", "for_s": 120.0}),
    _asked(8000.0, "bot1", "feed pause", 2),
    _asked(9500.0, "bot0", "feed resume", 2),
    Deed(11000.0, "pause", {"place": "leader", "for_s": 60.0}),
    Deed(13000.0, "silence", {"for_s": 300.0}),
    Deed(15000.0, "kill", {"place": "leader", "for_s": 2.0}),
    Deed(17000.0, "moderate", {"channel_id": 1}),
    Deed(19000.0, "store", {"state": "hangs", "for_s": 60.0}),
    Deed(20500.0, "fault", {"kind": "hangs", "for_s": 45.0}),
    Deed(22000.0, "pause", {"place": "leader", "for_s": 20.0}),
)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """What is played: bots, messages and deeds, from `start` for so long; figures change every `tick_s`."""

    start: datetime
    ends_s: float
    deeds: tuple[Deed, ...] = ()
    bots: int = 1
    channels: tuple[int, ...] = (1,)
    tick_s: float = 1.0

    def play(self) -> Verdict:
        """How it went, with what is judged of a day alone."""
        settings: dict[str, Any] = {"gex_feed_refresh_minutes": MINUTES}
        verdict = play(
            list(self.deeds), seed=1, bots=self.bots, ends_s=self.ends_s, start=self.start, channels=self.channels,
            tick_s=self.tick_s, settings=settings,
        )  # fmt: skip
        return replace(verdict, reasons=(*verdict.reasons, *wrong(self, verdict)))


WHOLE: Final = TradingDay(WHOLE_DAY, 6 * 3600 + 28 * 60.0, _WHOLE, bots=2, channels=(1, 2), tick_s=2.5)
HALF: Final = TradingDay(HALF_DAY, 3 * 3600 + 28 * 60.0, _HALF, tick_s=2.0)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the trace about a message."""

    at_s: float
    deed: str
    channel_id: int
    message_id: int


def changes(trace: Iterable[str]) -> Iterator[Change]:
    """What happened to messages."""
    for line in trace:
        at_s, deed, *rest = line.split(" ")
        if deed in {"post", "edit", "delete"}:
            channel_id, _, message_id = rest[0].partition("/")
            yield Change(float(at_s), deed, int(channel_id), int(message_id))


def lags_s(day: TradingDay, verdict: Verdict) -> Mapping[int, Sequence[tuple[float, float]]]:
    """By channel, how long after each mark its message was replaced: (when the mark was, or what kept it up had ended,
    seconds); infinite where it was not.
    """
    posts: dict[int, list[float]] = defaultdict(list)
    for change in changes(verdict.trace):
        if change.deed == "post":
            posts[change.channel_id].append(change.at_s)
    return {
        channel_id: [
            (mark_s, min((at_s - _due_s(day, mark_s) for at_s in posted if at_s >= mark_s), default=float("inf")))
            for mark_s in _marks_s(verdict.began_at, day.ends_s)
            if posted[0] + _BEATS_S < mark_s and not _rests(day, channel_id, mark_s)
        ]
        for channel_id, posted in posts.items()
    }


def _marks_s(began_at: datetime, ends_s: float) -> Iterator[float]:
    """Of a day's feed while it is open, counted from the beginning."""
    at = began_at
    while (at := next_mark(at, MINUTES)) < began_at + timedelta(seconds=ends_s):
        if decide(at).is_open and decide(at + timedelta(seconds=_BEATS_S)).is_open:
            yield (at - began_at).total_seconds()


def _due_s(day: TradingDay, mark_s: float) -> float:
    """The mark, or the end of what happens around it."""
    ends_s = [
        deed.at_s + deed.options.get("for_s", 0.0) + _AFTER_S
        for deed in day.deeds
        if deed.kind in TROUBLE and deed.at_s <= mark_s
    ]
    return max([mark_s, *ends_s])


def _rests(day: TradingDay, channel_id: int, mark_s: float) -> bool:
    """Whether the last order says that nothing is to be replaced there."""
    verbs = [
        deed.options["verb"]
        for deed in day.deeds
        if deed.kind == "ask" and deed.options["channel_id"] == channel_id and deed.at_s <= mark_s + _BEATS_S
    ]
    return bool(verbs) and verbs[-1] == "feed pause"


def wrong(day: TradingDay, verdict: Verdict) -> Iterator[str]:
    """What was not as it must be of a day."""
    yield from _late_marks(day, verdict)
    yield from _last_ones(verdict)


def _late_marks(day: TradingDay, verdict: Verdict) -> Iterator[str]:
    for channel_id, lags in lags_s(day, verdict).items():
        for mark_s, lag_s in lags:
            if lag_s > REPLACED_S:
                at = verdict.began_at + timedelta(seconds=mark_s)
                yield f"the message of {channel_id} was not replaced at {at:%H:%M} UTC, but {lag_s:.1f} s later"


def _last_ones(verdict: Verdict) -> Iterator[str]:
    """One message stays in each channel, and it is the one that was posted last."""
    standing: dict[int, list[int]] = defaultdict(list)
    last: dict[int, int] = {}
    for change in changes(verdict.trace):
        if change.deed == "post":
            standing[change.channel_id].append(change.message_id)
            last[change.channel_id] = change.message_id
        elif change.deed == "delete":
            standing[change.channel_id].remove(change.message_id)
    for channel_id, left in standing.items():
        if left != [last[channel_id]]:
            yield f"{channel_id} is left with the messages {left}, and the last was {last[channel_id]}"


def _told(day: TradingDay) -> str:
    """Play it; a line of figures, and what was not as it must be."""
    began_s, verdict = time.perf_counter(), day.play()
    lags = [lag_s for each in lags_s(day, verdict).values() for _, lag_s in each]
    posts = sum(change.deed == "post" for change in changes(verdict.trace))
    return (
        f"{day.start:%A %d %B}, {day.bots} bots: {time.perf_counter() - began_s:.1f} s; {len(verdict.trace)} changes "
        f"and deeds, {posts} messages; {len(lags)} marks, each message replaced within {max(lags):.2f} s; at most "
        f"{verdict.recovery_s:.2f} s without current figures while all worked; {verdict.inherited} inherited 429s\n"
        f"{'; '.join(verdict.reasons) or 'clean'}\n"
    )


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    lines = [_told(day) for day in (WHOLE, HALF)]
    sys.stdout.writelines(lines)
    sys.exit(not all(line.endswith("\nclean\n") for line in lines))
