"""Chains that cannot be true, from the local Schwab through the real client, poller and engines: nothing moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from streaming.clock import ShiftedClock
from streaming.engine.engine_host import EngineHost
from streaming.model import GexSnapshot, WeightFigures
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.sim.local_schwab import SimServer, open_sim
from streaming.sim.world.market import Market
from streaming.sources.chain_polling import ChainPoller
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.stream_rig import START, write_token

STEP_S = 0.5
"""Of the poller's time, for every hundredth of a second of ours."""


class QuickClock(ManualClock):
    """Its time moves when the test moves it; sleepers wait for that."""

    async def sleep(self, seconds: float) -> None:
        wake_s = self.monotonic() + seconds
        while self.monotonic() < wake_s:
            await asyncio.sleep(0.005)


@dataclass
class Rig:
    sim: SimServer
    clock: QuickClock
    engines: EngineHost
    poller: ChainPoller

    async def snapshot(self) -> GexSnapshot:
        found = await self.engines.compute("SPX", START + timedelta(seconds=1))
        assert found is not None
        return found

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20.0):
            while not condition():
                await asyncio.sleep(0.01)
                self.clock.advance(STEP_S)

    async def whole(self) -> None:
        """Every planned expiry is loaded, and nothing is refused."""

        def done() -> bool:
            ages_s = self.poller.expiry_age_s()["SPX"].values()
            return bool(ages_s) and None not in ages_s and not self.poller.refusals()

        await self.until(done)


@asynccontextmanager
async def polling(tmp_path: Path) -> AsyncIterator[Rig]:
    """The real client, poller and engines on a local Schwab whose market stands still."""
    clock = QuickClock(START)
    market = Market.generate(("SPX",), start_at=START, seed=7)
    tickers = [parse_ticker("SPX")]
    store = TokenStore(tmp_path / "tokens" / "token.json")
    async with (
        open_sim(market, ShiftedClock(START), client_id="id", client_secret="secret") as sim,
        httpx.AsyncClient(trust_env=False) as http,
        EngineHost(tickers, scope="zero") as engines,
    ):
        sim.faults.frozen = True
        write_token(store.path, sim)
        auth = SchwabAuthClient(
            http,
            store,
            client_id=SecretStr("id"),
            client_secret=SecretStr("secret"),
            api_url=sim.url,
            callback_url="https://127.0.0.1:8182",
            clock=ShiftedClock(START),
        )
        rest = SchwabRestClient(http, auth, api_url=sim.url, budget=RequestBudget(100_000, clock), clock=clock)
        poller = ChainPoller(
            rest, tickers, load=engines.load, requests_per_minute=10_000, days=3, clock=clock, strikes=40
        )
        task = asyncio.create_task(poller.run())
        try:
            yield Rig(sim, clock, engines, poller)
        finally:
            task.cancel()
            await asyncio.wait({task})


def figures(snapshot: GexSnapshot) -> WeightFigures:
    return snapshot.scopes["zero"].oi


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("empty", "lacks the map"),
        ("errors", "lacks the map"),
        ("no_maps", "lacks the map"),
        ("failed", "FAILED"),
        ("calls_only", "only calls"),
        ("puts_only", "only puts"),
        ("few_strikes", "of 80 calls"),
        ("another_expiry", "not 2026-08-20"),
    ],
)
async def test_an_odd_answer_moves_no_figure_is_counted_and_over_by_itself(tmp_path: Path, kind: str, why: str):
    async with polling(tmp_path) as rig:
        await rig.whole()
        before = await rig.snapshot()
        rig.sim.faults.chains = kind
        await rig.until(lambda: "SPX 2026-08-20" in rig.poller.refusals())
        assert why in rig.poller.refusals()["SPX 2026-08-20"]
        during = await rig.snapshot()
        assert figures(during).net_gex_usd_per_1pct == pytest.approx(figures(before).net_gex_usd_per_1pct, rel=0.03)
        assert during.scopes["zero"].contracts == before.scopes["zero"].contracts
        assert rig.poller.refused >= 1
        refused_s = rig.poller.expiry_age_s()["SPX"]["2026-08-20"]
        rig.clock.advance(3.0)
        assert rig.poller.expiry_age_s()["SPX"]["2026-08-20"] >= refused_s + 3.0
        rig.sim.faults.clear()
        rig.sim.faults.frozen = True
        await rig.whole()


async def test_open_interest_that_is_not_sent_stays_what_it_was(tmp_path: Path):
    async with polling(tmp_path) as rig:
        await rig.whole()
        before = await rig.snapshot()
        rig.sim.faults.no_open_interest = True
        await rig.until(lambda: "open interest" in rig.poller.remarks().get("SPX 2026-08-20", ""))
        during = await rig.snapshot()
        assert figures(during).net_gex_usd_per_1pct == pytest.approx(figures(before).net_gex_usd_per_1pct, rel=0.03)
        assert rig.poller.refused == 0


async def test_open_interest_that_was_never_sent_is_unknown(tmp_path: Path):
    async with polling(tmp_path) as rig:
        rig.sim.faults.no_open_interest = True
        await rig.whole()
        snapshot = await rig.snapshot()
        assert figures(snapshot) == WeightFigures()
        assert snapshot.sum_gex_oi is None
        assert snapshot.sum_gex_vol is not None


async def test_odd_rows_cost_themselves_and_are_counted(tmp_path: Path):
    async with polling(tmp_path) as rig:
        await rig.whole()
        before = await rig.snapshot()
        rig.sim.faults.chains = "odd_rows"
        await rig.until(lambda: rig.poller.odd_rows > 0)
        during = await rig.snapshot()
        assert during.scopes["zero"].contracts == before.scopes["zero"].contracts
        assert rig.poller.refused == 0
        assert "rows unreadable" in rig.poller.remarks()["SPX 2026-08-20"]


@pytest.mark.parametrize("kind", ["empty", "one", "errors"])
async def test_an_odd_list_of_expirations_keeps_the_plan_and_the_chains_go_on(tmp_path: Path, kind: str):
    async with polling(tmp_path) as rig:
        await rig.whole()
        planned = rig.poller.expiry_age_s()["SPX"].keys()
        rig.sim.faults.expirations = kind
        rig.clock.advance(900.0)
        await rig.until(lambda: "SPX" in rig.poller.refusals())
        assert rig.poller.expiry_age_s()["SPX"].keys() == planned
        rig.sim.faults.expirations = ""
        await rig.whole()
        assert rig.poller.expiry_age_s()["SPX"].keys() == planned


async def test_a_shrinkage_that_lasts_for_more_than_a_minute_is_believed(tmp_path: Path):
    async with polling(tmp_path) as rig:
        await rig.whole()
        rig.sim.faults.chains = "few_strikes"
        refused_from = rig.clock.now()
        await rig.until(lambda: rig.poller.refusals())
        await rig.whole()
        assert rig.clock.now() - refused_from >= timedelta(minutes=1)
        assert (await rig.snapshot()).scopes["zero"].contracts == 6
