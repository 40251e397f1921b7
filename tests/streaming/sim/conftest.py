"""Simulated markets and a running simulator for the tests beside this file."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import httpx
import pytest

from streaming.clock import ShiftedClock
from streaming.sim.local_schwab import SimServer, open_sim
from streaming.sim.stream.codes import Limits
from streaming.sim.world.market import Market

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)
"""A Thursday in session; the day after is a third Friday."""


@pytest.fixture(scope="module")
def still() -> Market:
    """A market that nobody moves."""
    return Market.generate(start_at=START, seed=5)


@pytest.fixture
def spx() -> Market:
    """A small market of one's own."""
    return Market.generate(("SPX",), start_at=START, seed=5)


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    """A simulator whose stream runs twenty times as fast as real."""
    market = Market.generate(("SPX", "SPY", "QQQ"), start_at=START, seed=5)
    limits = Limits(frame_s=0.05, heartbeat_s=0.2, idle_s=0.6, keys=50)
    async with open_sim(market, ShiftedClock(START), limits=limits, rng=Random(5)) as server:
        yield server


@pytest.fixture
async def http(sim: SimServer) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in HTTP client."""
    token = sim.issue_token()["token"]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=sim.url, headers=headers, trust_env=False) as client:
        yield client
