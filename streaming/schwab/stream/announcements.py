"""What a session tells beside its data: counted, kept for the status, and told to whoever should know."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.session_events import (
    BadFrame,
    KeysRefused,
    LoggedIn,
    Oddity,
    ServiceUnavailable,
    SessionEvent,
    Subscribed,
    SymbolLimit,
    Tolerated,
)
from streaming.schwab.stream.stream_status import StreamCounters
from streaming.schwab.stream.watch import DataWatch
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import LEVEL_ONE

_LOG: Final = logging.getLogger(__name__)
_SELDOM_S: Final = 60.0


class ConnectionOwner(Protocol):
    """Who is told what a connection goes through, and says what it should bring."""

    def wanted_symbols(self) -> tuple[str, ...]:
        """The symbols whose data is watched."""
        ...

    def logged_in(self) -> None:
        """LOGIN was accepted."""
        ...

    def live(self) -> None:
        """The first data has arrived."""
        ...

    def settled(self) -> None:
        """Data has flowed for a while."""
        ...

    def refused(self, event: KeysRefused) -> None:
        """Keys were refused, and are left out for now."""
        ...

    def served(self, service: Service) -> None:
        """A service has taken keys."""
        ...

    def tell(self, about: str, sentence: str) -> None:
        """Something a person should know, under a name that tells it from others."""
        ...

    def tell_of(self, symbols: Iterable[str], about: str, say: Callable[[str], str]) -> None:
        """The same of many symbols in one sentence, which `say` makes of their names."""
        ...


class Announcements:
    """The listening side of one connection."""

    def __init__(
        self, owner: ConnectionOwner, counters: StreamCounters, watch: DataWatch, merger: Merger, clock: Clock
    ) -> None:
        self._owner = owner
        self._counters = counters
        self._watch = watch
        self._merger = merger
        self._clock = clock
        self._silent_until_s: dict[type, float] = {}
        self._unsaid: Counter[type] = Counter()

    def heard(self, event: SessionEvent) -> None:
        """Anything but rows and endings."""
        counters = self._counters
        if isinstance(event, BadFrame):
            counters.bad_frames += 1
            self._note_seldom(event, event.what)
        elif isinstance(event, Tolerated):
            counters.tolerant_frames += 1
            counters.dropped_rows += event.dropped
        elif isinstance(event, Subscribed):
            self._subscribed(event)
        elif isinstance(event, LoggedIn):
            counters.last_login_at = self._clock.now()
            counters.unavailable.clear()
            self._owner.logged_in()
        elif isinstance(event, Oddity):
            self._note_seldom(event, event.what)
        else:
            self._refused(event)

    def _subscribed(self, event: Subscribed) -> None:
        is_level_one = event.service in LEVEL_ONE
        if event.command == "UNSUBS":
            self._merger.forget(event.service, event.keys)
            if is_level_one:
                self._watch.unsubscribed(event.keys)
                self._counters.forget(event.keys)
            return
        self._counters.unavailable.pop(event.service, None)
        self._owner.served(event.service)
        if is_level_one:
            self._watch.subscribed(event.keys, self._clock.monotonic())

    def _refused(self, event: SessionEvent) -> None:
        """What the server would not do: shown, told once, and the stream goes on without it."""
        if isinstance(event, ServiceUnavailable):
            self._counters.unavailable[event.service] = event.message
            sentence = f"Schwab does not serve {event.service} now: {event.message}"
            self._owner.tell(f"unavailable {event.service}", sentence)
            self.note(sentence)
        elif isinstance(event, SymbolLimit):
            sentence = (
                f"Schwab accepts no more symbols: {len(event.keys):,} of {event.service} are left out "
                f"({', '.join(event.keys[:5])}{', …' if len(event.keys) > 5 else ''})."  # noqa: PLR2004 - a taste of them
            )
            advice = "Stream fewer symbols or lower GEX_LIVE_OPTIONS; `/stream status` counts all that is left out."
            self._owner.tell("limit", f"{sentence} {advice}")
            self.note(sentence)
        elif isinstance(event, KeysRefused):
            self._owner.refused(event)
            self.note(f"{event.command} {event.service} was refused with code {event.code}: {event.message}")

    def _note_seldom(self, event: SessionEvent, problem: str) -> None:
        """Keep one of a kind a minute; a server gone mad must not fill the log."""
        kind, now_s = type(event), self._clock.monotonic()
        if now_s < self._silent_until_s.get(kind, now_s):
            self._unsaid[kind] += 1
            return
        self._silent_until_s[kind] = now_s + _SELDOM_S
        unsaid = self._unsaid.pop(kind, 0)
        self.note(f"{problem} (and {unsaid} more before it)" if unsaid else problem)

    def note(self, problem: str) -> None:
        """Keep it for the status and the log."""
        self._counters.problems.append(problem)
        _LOG.warning("Stream: %s", problem)
