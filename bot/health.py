"""Is the process well: the event loop's lag, and systemd's notify protocol."""

import logging
import os
import socket
from collections import deque
from collections.abc import Mapping
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


class Health:
    """Tells systemd once that the bot is up, and keeps the heartbeat of the event loop."""

    def __init__(self, clock: Clock, notifier: ServiceNotifier) -> None:
        self._clock = clock
        self._notifier = notifier
        self._lags_s: deque[float] = deque(maxlen=_KEPT_BEATS)
        self._announced = False

    def mark(self, connected: bool) -> None:
        """Note whether the bot is connected to Discord; systemd hears of the first time."""
        if connected and not self._announced:
            self._announced = True
            log.info("ready: connected to Discord")
            self._notifier.ready()

    def stopping(self) -> None:
        """Note that the process is on its way out."""
        self._notifier.stopping()

    @property
    def worst_lag_ms(self) -> float:
        """How late the event loop was at worst in the last minute."""
        return max(self._lags_s, default=0.0) * 1000

    async def beat(self, progress: Progress) -> None:
        """The background job: every second measure how late the loop is and feed the watchdog."""
        while True:
            began_s = self._clock.monotonic()
            await self._clock.sleep(BEAT_S)
            lag_s = max(self._clock.monotonic() - began_s - BEAT_S, 0.0)
            self._lags_s.append(lag_s)
            if lag_s > _WARN_LAG_S:
                log.warning("the event loop was held for %.1f s", lag_s)
            self._notifier.watchdog()
            progress()
