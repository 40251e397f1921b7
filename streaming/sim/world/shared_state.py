"""What all rooms of the simulator share: the market kept at the clock's time, the authority, faults, counters."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streaming.clock import Clock
from streaming.sim.world.authority import Authority
from streaming.sim.world.faults import Faults
from streaming.sim.world.market import Market


@dataclass(slots=True, eq=False)
class SharedState:
    """The shared state of one simulator."""

    market: Market
    clock: Clock
    authority: Authority
    faults: Faults = field(default_factory=Faults)
    counters: Counter[str] = field(default_factory=Counter)
    """Requests by path, stream frames by service, logins, closes."""
    customer_id: str = ""
    correl_ids: set[str] = field(default_factory=set)
    ahead: timedelta = timedelta(0)

    def holds_back(self) -> bool:
        """Whether a row has to wait for the next frame, as it happens under load."""
        return self.faults.partial > 0.0 and self.authority.rng.random() < self.faults.partial

    def now(self) -> datetime:
        """The market's time: the clock's, and what was jumped over."""
        return self.clock.now() + self.ahead

    def now_ms(self) -> int:
        """The same in milliseconds."""
        return int(self.now().timestamp() * 1000)

    def sync(self) -> Market:
        """The market at its time, unless it is frozen."""
        if not self.faults.frozen:
            self.market.advance(self.now())
        return self.market

    def jump(self, ahead: timedelta) -> datetime:
        """Move the market's time ahead; nothing trades in what is jumped over."""
        self.ahead += ahead
        self.market.leap(self.now())
        return self.market.now
