"""Is the process well: readiness by named conditions, the event loop's lag, and systemd's notify protocol."""

import logging
import os
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.supervisor import Progress
from streaming.clock import Clock

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
_WARN_LAG_S: Final = 1.0
_KEPT_BEATS: Final = 60


class ServiceNotifier:
    """Tells systemd how the service is doing (sd_notify(3)); does nothing where nobody listens."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ServiceNotifier":
        """Listening is whatever `NOTIFY_SOCKET` names."""
        return cls(environment.get("NOTIFY_SOCKET"))

    def ready(self) -> None:
        """The service has started."""
        self._send("READY=1")

    def watchdog(self) -> None:
        """The service is alive."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as datagram:
                datagram.sendto(message.encode(), address)
        except OSError as error:
            log.warning("NOTIFY_SOCKET does not take %s (%s)", message, error.strerror)


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """One look at the process; lags in milliseconds."""

    ready: bool
    waiting_for: tuple[str, ...]
    started_at: datetime
    beat_at: datetime | None
    loop_lag_ms: float
    worst_lag_ms: float
    """Of the last minute."""


class Health:
    """Collects the conditions of readiness and the heartbeat of the event loop."""

    def __init__(self, clock: Clock, notifier: ServiceNotifier, *, conditions: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._notifier = notifier
        self._conditions = dict.fromkeys(conditions, False)
        self._started_at = clock.now()
        self._beat_at: datetime | None = None
        self._lags_s: deque[float] = deque(maxlen=_KEPT_BEATS)
        self._announced = False

    def mark(self, condition: str, met: bool = True) -> None:
        """Note that a condition of readiness is met or is not any more; systemd hears of the first time all are."""
        self._conditions[condition] = met
        if all(self._conditions.values()) and not self._announced:
            self._announced = True
            log.info("ready: %s", ", ".join(self._conditions))
            self._notifier.ready()

    def stopping(self) -> None:
        """Note that the process is on its way out."""
        self._notifier.stopping()

    def record(self) -> HealthRecord:
        """The state of this moment."""
        waiting = tuple(name for name, met in self._conditions.items() if not met)
        return HealthRecord(
            ready=not waiting,
            waiting_for=waiting,
            started_at=self._started_at,
            beat_at=self._beat_at,
            loop_lag_ms=self._lags_s[-1] * 1000 if self._lags_s else 0.0,
            worst_lag_ms=max(self._lags_s, default=0.0) * 1000,
        )

    async def beat(self, progress: Progress) -> None:
        """The background job: every second measure how late the loop is and feed the watchdog."""
        while True:
            began_s = self._clock.monotonic()
            await self._clock.sleep(BEAT_S)
            lag_s = max(self._clock.monotonic() - began_s - BEAT_S, 0.0)
            self._lags_s.append(lag_s)
            self._beat_at = self._clock.now()
            if lag_s > _WARN_LAG_S:
                log.warning("the event loop was held for %.1f s", lag_s)
            self._notifier.watchdog()
            progress()
