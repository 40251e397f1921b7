"""What all rooms of the simulator share: the market kept at the clock's time, the authority, faults, counters."""

from collections import Counter
from dataclasses import dataclass, field

from streaming.clock import Clock
from streaming.sim.authority import Authority
from streaming.sim.faults import Faults
from streaming.sim.market import Market


@dataclass(slots=True, eq=False)
class Hall:
    """The shared state of one simulator."""

    market: Market
    clock: Clock
    authority: Authority
    faults: Faults = field(default_factory=Faults)
    counters: Counter[str] = field(default_factory=Counter)
    """Requests by path, stream frames by service, logins, closes."""
    customer_id: str = ""
    correl_ids: set[str] = field(default_factory=set)

    def sync(self) -> Market:
        """The market at the clock's time, unless it is frozen."""
        if not self.faults.frozen:
            self.market.advance(self.clock.now())
        return self.market

    def now_ms(self) -> int:
        """The clock in milliseconds."""
        return int(self.clock.now().timestamp() * 1000)
