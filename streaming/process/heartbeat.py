"""Whether the event loop turns: measured every second, told to systemd, and asked for by `/health`."""

import logging
import socket
from collections import deque
from typing import Final

from streaming.clock import Clock
from streaming.ports import Progress

log = logging.getLogger(__name__)
BEAT_S: Final = 1.0
_WARN_LAG_S: Final = 1.0
_KEPT_BEATS: Final = 60
_DEAD_AFTER_S: Final = 15.0


def tell_systemd(message: str, address: str | None) -> None:
    """How the service is doing (sd_notify(3)), to the address in `NOTIFY_SOCKET`; without one nobody listens."""
    if not address:
        return
    address = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as datagram:
            datagram.sendto(message.encode(), address)
    except OSError as error:
        log.warning("NOTIFY_SOCKET does not take %s (%s)", message, error.strerror)


class Heartbeat:
    """The beat of one process; tells systemd once that it is up."""

    def __init__(self, clock: Clock, systemd: str | None) -> None:
        self._clock = clock
        self._systemd = systemd
        self._lags_s: deque[float] = deque(maxlen=_KEPT_BEATS)
        self._beat_s = clock.monotonic()
        self._announced = False

    def mark(self, up: bool) -> None:
        """Note whether the process does its work (the bot: whether Discord is there); the first time counts."""
        if up and not self._announced:
            self._announced = True
            log.info("ready")
            tell_systemd("READY=1", self._systemd)

    def stopping(self) -> None:
        """Note that the process is on its way out."""
        tell_systemd("STOPPING=1", self._systemd)

    @property
    def worst_lag_ms(self) -> float:
        """How late the event loop was at worst in the last minute."""
        return max(self._lags_s, default=0.0) * 1000

    @property
    def beats(self) -> bool:
        """Whether it has beaten in the last 15 s."""
        return self._clock.monotonic() - self._beat_s < _DEAD_AFTER_S

    async def beat(self, progress: Progress) -> None:
        """The background job: every second measure how late the loop is and feed the watchdog."""
        while True:
            began_s = self._clock.monotonic()
            await self._clock.sleep(BEAT_S)
            self._beat_s = self._clock.monotonic()
            lag_s = max(self._beat_s - began_s - BEAT_S, 0.0)
            self._lags_s.append(lag_s)
            if lag_s > _WARN_LAG_S:
                log.warning("the event loop was held for %.1f s", lag_s)
            tell_systemd("WATCHDOG=1", self._systemd)
            progress()
