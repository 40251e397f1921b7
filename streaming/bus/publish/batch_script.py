"""A batch of events as calls of one server-side script, which announces and appends each of them. Pure.

A payload travels once instead of twice, and there is one reply for a run of events instead of two for each. The
script's text goes with every call, which costs less than one event: no restart and no SCRIPT FLUSH can make the
server forget it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from streaming.bus.events import KINDS, EventKind
from streaming.bus.lease import FENCE, LOST, Fence
from streaming.bus.publish.batch import DONE, FIELD, LATER, UNKNOWN, Settlement, pack_words, verdict
from streaming.bus.publish.buffer import Entry

RUN_EVENTS: Final = 32
"""Events a call; the server does nothing else meanwhile, for about a quarter of a millisecond."""
_BODY: Final = b"""
if redis.replicate_commands then redis.replicate_commands() end
local pcall, byte, type = redis.pcall, string.byte, type
local kinds, last, failed = ARGV[%(fence)d + %(kinds_at)d], {}, {}
for place = 1, #kinds do
  last[byte(kinds, place) %% %(kinds)d + 1 + %(fence)d] = place
end
for place = 1, #kinds do
  local kind, payload, answer = byte(kinds, place) + 1 + %(fence)d, ARGV[place + %(kinds_at)d + %(fence)d]
  if kind > %(kinds)d + %(fence)d then
    kind = kind - %(kinds)d
  else
    answer = pcall('PUBLISH', ARGV[kind], payload)
    if type(answer) == 'table' then
      failed[#failed + 1] = 2 * place - 2
      failed[#failed + 1] = answer.err
    end
  end
  if last[kind] == place then
    answer = pcall('XADD', KEYS[kind], 'MAXLEN', '~', ARGV[kind + %(kinds)d], '*', '%(field)b', payload)
  else
    answer = pcall('XADD', KEYS[kind], '*', '%(field)b', payload)
  end
  if type(answer) == 'table' then
    failed[#failed + 1] = 2 * place - 1
    failed[#failed + 1] = answer.err
  end
end
return failed
"""


def script(kinds: int, check: str = "") -> bytes:
    """The text for so many kinds, and for the holder of a lease only if it begins with a check of that.

    Its arguments: the channels, their caps, a byte an event for its kind, the events. An event that is announced
    already has the number of its kind raised by that of all kinds. It answers with the number of each refused command,
    counted from 0 as `BatchPacker` would send them, and its error. The first line is for servers before version 7,
    which let no command follow an XADD with an id of their own choice unless it is replicated by effect. Only the last
    event of each kind trims its stream: to trim with each costs the server a tenth. With a check, the epoch's key goes
    before the streams and the epoch before the channels.
    """
    return check.encode() + _BODY % {
        b"fence": bool(check),
        b"kinds": kinds,
        b"kinds_at": 2 * kinds + 1,
        b"field": FIELD,
    }


SCRIPT: Final = script(len(KINDS))
_END: Final = b"\r\n"
_KIND_OF: Final = itemgetter(1)
_WORDS: Final = 4
"""Of a call besides those that each kind and each event has: command, text, number of keys, kinds of the events."""


class ScriptPacker:
    """Turns events into the bytes of script calls, and the replies into what became of each event."""

    def __init__(
        self,
        caps: Sequence[int],
        fence: Fence | None = None,
        *,
        kinds: Sequence[EventKind] = KINDS,
        check: str = FENCE,
    ) -> None:
        """With a `fence` the server refuses the calls as soon as another process holds the lease, as `check` says."""
        self._channels = tuple(kind.channel.encode() for kind in kinds)
        self._streams = tuple(kind.stream.encode() for kind in kinds)
        self._text = script(len(kinds), "" if fence is None else check)
        self._fence = fence
        self._epoch = -1
        self._fixed = _WORDS + 3 * len(kinds) + (0 if fence is None else 2)
        self.cap(caps)

    def cap(self, caps: Sequence[int]) -> None:
        """Bound the streams by these numbers of entries from now on."""
        self._arguments = (*self._channels, *(b"%d" % cap for cap in caps))
        self._begin()

    def pack(self, entries: Sequence[Entry], announced: Collection[int] = ()) -> bytes:
        """All calls of a batch; events whose place is in `announced` are appended only."""
        if self._fence is not None and self._fence.epoch != self._epoch:
            self._epoch = self._fence.epoch
            self._begin()
        parts: list[bytes] = []
        for run in _runs(entries):
            kinds = bytes(map(_KIND_OF, run)) if not announced else self._kinds(run, announced)
            parts += b"*%d\r\n" % (self._fixed + len(run)), self._before, pack_words((kinds,))
            for _, _, payload in run:
                parts += b"$%d\r\n" % len(payload), payload, _END
        return b"".join(parts)

    def _kinds(self, run: Sequence[Entry], announced: Collection[int]) -> bytes:
        raised = len(self._streams)
        return bytes(kind + raised if place in announced else kind for place, kind, _ in run)

    def _begin(self) -> None:
        """What every call begins with."""
        if self._fence is None:
            words = (b"EVAL", self._text, b"%d" % len(self._streams), *self._streams)
        else:
            keys = (b"%d" % (1 + len(self._streams)), self._fence.epoch_key.encode(), *self._streams)
            words = (b"EVAL", self._text, *keys, b"%d" % self._epoch)
        self._before = pack_words((*words, *self._arguments))

    def replies(self, entries: Sequence[Entry]) -> int:
        """How many replies `pack` of the same events asks for."""
        return -(-len(entries) // RUN_EVENTS)

    def settle(self, entries: Sequence[Entry], replies: Sequence[object]) -> Settlement:
        """What became of every event, from the replies that arrived; `forbidden` when scripts are not let run."""
        if len(replies) == self.replies(entries) and not any(replies):
            return Settlement(delivered=len(entries))
        settlement = Settlement()
        answers = iter(replies)
        for run in _runs(entries):
            _enter_run(settlement, run, next(answers, None))
        return settlement


def _runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[at : at + RUN_EVENTS] for at in range(0, len(entries), RUN_EVENTS))


def _enter_run(settlement: Settlement, run: Sequence[Entry], reply: object) -> None:
    """A run is executed as a whole, or not at all, or nobody knows."""
    if isinstance(reply, list):
        errors = {number: _text(error) for number, error in zip(reply[::2], reply[1::2], strict=True)}
        settlement.error = settlement.error or next(iter(errors.values()), "")
        _enter_executed(settlement, run, errors)
    elif isinstance(reply, Exception) and str(reply).startswith(LOST):
        settlement.fenced += len(run)
        settlement.gone.update(place for place, _, _ in run)
    elif isinstance(reply, Exception):
        settlement.error = settlement.error or str(reply)
        settlement.forbidden = settlement.forbidden or verdict(str(reply)) != LATER
        settlement.again += run
    else:
        for entry in run:
            settlement.enter(entry, UNKNOWN, UNKNOWN)


def _enter_executed(settlement: Settlement, run: Sequence[Entry], errors: Mapping[int, str]) -> None:
    for place, entry in enumerate(run):
        publish, append = (verdict(errors[n]) if n in errors else DONE for n in (2 * place, 2 * place + 1))
        settlement.enter(entry, publish, append)


def _text(error: bytes) -> str:
    """Servers before version 7 leave the mark of an error in some of them."""
    return error.decode(errors="replace").removeprefix("-")
