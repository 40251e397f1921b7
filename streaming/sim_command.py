"""`python -m streaming sim`: a local Schwab for other programs to talk to."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Final

from streaming.calendar import NEW_YORK, new_york, next_session, session_on
from streaming.clock import ShiftedClock
from streaming.sim.market import Market
from streaming.sim.server import open_sim

_START: Final = time(10, 30)


def simulated_start(today: datetime) -> datetime:
    """10:30 in New York on the session of that day, or of the next session when there is none."""
    day = new_york(today).date()
    session = session_on(day) or next_session(day)
    return datetime.combine(session.date, _START, NEW_YORK)


async def serve(*, port: int, seed: int, say: Callable[[str], None]) -> int:
    """Serve until interrupted; prints where."""
    clock = ShiftedClock(simulated_start(datetime.now(UTC)))
    market = Market.generate(start_at=clock.now(), seed=seed)
    async with open_sim(market, clock, port=port) as sim:
        say(f"Simulated Schwab: {sim.url} (set SCHWAB_API_URL to it)")
        await asyncio.Event().wait()
    return 0
