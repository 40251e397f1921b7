"""What must be true of the feed after a storm. Pure: a protocol of what was seen, and the reasons it is not right."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

LOOK_BACK_S: Final = 10.0
LEAST_CHANGES: Final = 6
"""Of ten in the last ten seconds; a busy machine and a message that was just replaced cost some."""
FRESH_S: Final = 4.0
_FIGURE: Final = re.compile(r"GEX: \S+\s+([\d,]+\.\d+)")
_STAMP: Final = re.compile(r"^\S+Z\s+(\w+)\s+([\w.-]+): (.*)$")
_RAISED: Final = re.compile(r"⏎ ([\w.]+(?:Error|Exception|Closed\w*|HTTPException|NotFound|Forbidden|Exit)\w*)\b")
_ENDED: Final = re.compile(r"job (\S+) ended")
_ONCE: Final = frozenset({"stream-resume", "command-sync", "opening", "alert-notice"})
"""Jobs that have one thing to do."""
_LOUD: Final = frozenset({"ERROR", "CRITICAL"})


@dataclass(frozen=True)
class Seen:
    """One change of a feed channel: `deed` is post, edit or delete."""

    at_s: float
    channel: str
    deed: str
    message_id: int
    text: str = ""


@dataclass
class Protocol:
    """What a storm saw: changes in order, what stands in each channel at the end, when each figure was published."""

    ended_s: float = 0.0
    changes: list[Seen] = field(default_factory=list)
    standing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    published_s: dict[float, float] = field(default_factory=dict)
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    """What the processes did that nobody asked of them."""


def reasons(seen: Protocol) -> list[str]:
    """Everything that is not as it must be, one sentence each."""
    return [
        *seen.incidents,
        *(reason for channel, texts in seen.standing.items() for reason in _of_channel(seen, channel, texts)),
        *(f"{count} × {complaint}" for complaint, count in Counter(complaints(seen)).items()),
    ]


def live_among(texts: Sequence[str]) -> list[str]:
    """Those that are not a day's last message, which stays: at midnight in New York each channel gets one."""
    return [text for text in texts if "closed" not in text]


def _of_channel(seen: Protocol, channel: str, texts: Sequence[str]) -> Iterator[str]:
    live = live_among(texts)
    if len(live) != 1:
        yield f"{channel} has {len(live)} messages"
    late_s = seen.ended_s - LOOK_BACK_S
    changes = sum(
        change.channel == channel and change.deed != "delete" for change in seen.changes if change.at_s > late_s
    )
    if changes < LEAST_CHANGES:
        yield f"{channel} changed {changes} times in the last {LOOK_BACK_S:g} s"
    ages = [seen.ended_s - seen.published_s.get(figure_of(text) or 0.0, 0.0) for text in live]
    if ages and min(ages) > FRESH_S:
        yield f"{channel} shows a figure {min(ages):.0f} s old"


def figure_of(text: str) -> float | None:
    """The price in a board's first line."""
    found = _FIGURE.search(text)
    return None if found is None else float(found[1].replace(",", ""))


def complaints(seen: Protocol) -> Iterator[str]:
    """What the logs say that only a bug or an ended job says, without what differs from time to time."""
    for lines in seen.logs.values():
        for line in lines:
            found = _STAMP.match(line)
            level, name, said = found.groups() if found else ("", "", line)
            if "Traceback" in line:
                raised = _RAISED.findall(line)
                yield f"traceback in {name or 'the output'}: {raised[-1] if raised else said[:80]}"
            elif level in _LOUD:
                yield f"{level} of {name}: {re.sub(r'[0-9]+', 'N', said)[:100]}"
            elif (job := _ENDED.fullmatch(said)) and job[1] not in _ONCE:
                yield said
            elif "was never retrieved" in line:
                yield f"output: {line[:100]}"
