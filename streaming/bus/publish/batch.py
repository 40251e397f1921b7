"""A batch of events as Redis commands, and what the replies say became of each event. Pure.

Every event is a PUBLISH followed by a capped XADD, so an event found in its stream has been announced too. With
streams, `batch_script` has the server do the same; these commands are for what it may not or need not do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import hiredis

from streaming.bus.events import KINDS, EventKind
from streaming.bus.publish.buffer import Entry

FIELD: Final = b"data"
_END: Final = b"\r\n"
PASSING_ERRORS: Final = frozenset(
    {
        *("LOADING", "OOM", "READONLY", "MISCONF", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS"),
        *("NOAUTH", "MOVED", "ASK"),
    }
)
"""First words of refusals that end by themselves or by the operator's hand; others would refuse for ever."""


def pack(*words: bytes) -> bytes:
    """One command in the Redis protocol."""
    return b"*%d\r\n" % len(words) + pack_words(words)


def pack_words(words: Sequence[bytes]) -> bytes:
    """Arguments of a command in the Redis protocol."""
    return b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _opening(words: Sequence[bytes]) -> bytes:
    """A command up to the length of its last argument, the payload."""
    return b"*%d\r\n" % (len(words) + 1) + pack_words(words) + b"$"


class BatchPacker:
    """Turns events of some kinds into the bytes of their commands; `caps` None leaves the streams out."""

    def __init__(self, caps: Sequence[int] | None, kinds: Sequence[EventKind] = KINDS) -> None:
        self._kinds = kinds
        self._publish = tuple(_opening((b"PUBLISH", kind.channel.encode())) for kind in kinds)
        self._append: tuple[bytes, ...] | None = None
        if caps is not None:
            self.cap(caps)

    def cap(self, caps: Sequence[int]) -> None:
        """Bound the streams by these numbers of entries from now on."""
        self._append = tuple(
            _opening((b"XADD", kind.stream.encode(), b"MAXLEN", b"~", b"%d" % cap, b"*", FIELD))
            for kind, cap in zip(self._kinds, caps, strict=True)
        )

    @property
    def streams(self) -> bool:
        """Whether every event is also appended to its stream."""
        return self._append is not None

    def pack(self, entries: Sequence[Entry], announced: Collection[int]) -> bytes:
        """All commands of a batch; the PUBLISH of an event whose place is in `announced` is left out."""
        publish, append = self._publish, self._append
        parts: list[bytes] = []
        if append is None:
            for _, kind, payload in entries:
                parts += publish[kind], b"%d\r\n" % len(payload), payload, _END
        else:
            for place, kind, payload in entries:
                size = b"%d\r\n" % len(payload)
                if place not in announced:
                    parts += publish[kind], size, payload, _END
                parts += append[kind], size, payload, _END
        return b"".join(parts)

    def replies(self, entries: Sequence[Entry], announced: Collection[int]) -> int:
        """How many replies `pack` of the same arguments asks for."""
        per_event = 2 if self.streams else 1
        return len(entries) * per_event - len(announced)

    def settle(self, entries: Sequence[Entry], announced: Collection[int], replies: Sequence[object]) -> "Settlement":
        """What became of every event, from the replies that arrived (all, or the first ones of a lost batch)."""
        if len(replies) == self.replies(entries, announced) and hiredis.ReplyError not in set(map(type, replies)):
            return Settlement(delivered=len(entries))
        settlement = Settlement()
        answers = iter(replies)
        for entry in entries:
            publish = DONE if entry[0] in announced else _verdict_on(next(answers, None))
            append = _verdict_on(next(answers, None)) if self.streams else DONE
            settlement.enter(entry, publish, append)
        settlement.error = next((str(reply) for reply in replies if isinstance(reply, Exception)), "")
        return settlement


DONE: Final = "done"
_REFUSED: Final = "refused"
LATER: Final = "later"
UNKNOWN: Final = "unknown"


def _verdict_on(reply: object) -> str:
    if reply is None:
        return UNKNOWN
    return verdict(str(reply)) if isinstance(reply, Exception) else DONE


def verdict(error: str) -> str:
    """Whether a refusal is for now or for good."""
    return LATER if error.partition(" ")[0] in PASSING_ERRORS else _REFUSED


@dataclass(slots=True)
class Settlement:
    """The outcome of one batch."""

    delivered: int = 0
    rejected: int = 0
    """Refused for good by the channel or by the stream."""
    gone: set[int] = field(default_factory=set)
    """Places of what is refused for good, or fenced."""
    again: list[Entry] = field(default_factory=list)
    """Refused for now, or not answered; in order."""
    announced: set[int] = field(default_factory=set)
    """Places of events in `again` whose PUBLISH needs no repeating."""
    doubtful: bool = False
    """Some events were not answered: they may have been executed all the same."""
    forbidden: bool = False
    """The server does not let us run scripts; what it would have run is in `again`."""
    fenced: int = 0
    """Refused because another process now holds the lease."""
    error: str = ""
    """The first refusal."""

    def enter(self, entry: Entry, publish: str, append: str) -> None:
        """Count one event by the verdicts on its two commands."""
        if LATER in (publish, append) or UNKNOWN in (publish, append):
            self.again.append(entry)
            self.doubtful = self.doubtful or UNKNOWN in (publish, append)
            if publish in (DONE, _REFUSED):
                self.announced.add(entry[0])
        elif _REFUSED in (publish, append):
            self.rejected += 1
            self.gone.add(entry[0])
        else:
            self.delivered += 1

    def executed(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of the batch that are neither refused nor to be sent again."""
        if self.delivered == len(entries):
            return entries
        others = self.gone | {place for place, _, _ in self.again}
        return [entry for entry in entries if entry[0] not in others]
