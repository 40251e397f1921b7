"""Which day each ticker has come to, so that nobody's older figures stand where newer ones stood. Pure."""

from collections import OrderedDict
from typing import Final

from streaming.bus.snapshots.history_entry import market_day, outranks
from streaming.model import GexSnapshot

_MOST: Final = 256


class NewestDays:
    """Remembers the day last shown of each ticker."""

    def __init__(self) -> None:
        self._days: OrderedDict[str, str] = OrderedDict()

    def admit(self, snapshot: GexSnapshot, *, now_ms: int) -> bool:
        """Whether to show a snapshot; a replay that its operator plays goes through time as it likes."""
        if snapshot.replay is not None and snapshot.replay.rules:
            return True
        day, held = market_day(snapshot.asof_ms), self._days.get(snapshot.ticker)
        if held not in {None, day} and not outranks(day, held or "", now_ms=now_ms, computed_ms=snapshot.computed_ms):
            return False
        self._days[snapshot.ticker] = day
        self._days.move_to_end(snapshot.ticker)
        if len(self._days) > _MOST:
            self._days.popitem(last=False)
        return True
