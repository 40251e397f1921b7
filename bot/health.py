"""Is the process well: the event loop's lag, and systemd's notify protocol."""

import logging
import socket
from collections import deque
from typing import Final

from bot.supervisor import Progress
from streaming.clock import Clock

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
_WARN_LAG_S: Final = 1.0
_KEPT_BEATS: Final = 60


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


class Health:
    """Tells systemd once that the bot is up, and keeps the heartbeat of the event loop."""

    def __init__(self, clock: Clock, systemd: str | None) -> None:
        self._clock = clock
        self._systemd = systemd
        self._lags_s: deque[float] = deque(maxlen=_KEPT_BEATS)
        self._announced = False

    def mark(self, connected: bool) -> None:
        """Note whether the bot is connected to Discord; systemd hears of the first time."""
        if connected and not self._announced:
            self._announced = True
            log.info("ready: connected to Discord")
            tell_systemd("READY=1", self._systemd)

    def stopping(self) -> None:
        """Note that the process is on its way out."""
        tell_systemd("STOPPING=1", self._systemd)

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
            tell_systemd("WATCHDOG=1", self._systemd)
            progress()
