import asyncio

from streaming.errors import TransientError
from streaming.symbols import parse_ticker
from streaming.telemetry.level_metrics import METRICS, level_looks
from streaming.telemetry.prometheus import MetricTable, exposition
from tests.support.clock import ManualClock
from tests.support.host import StoredSnapshots, make_snapshot

TICKERS = (parse_ticker("SPX"), parse_ticker("NDX"))


async def test_levels_are_scraped_by_ticker_and_weight_with_their_age():
    clock = ManualClock()
    stored = StoredSnapshots({"SPX": make_snapshot("SPX")})
    clock.advance(7.0)
    looks = await level_looks(stored.latest, TICKERS, clock)
    text = exposition([MetricTable("levels", METRICS, looks, labels=("ticker",))]).decode()
    assert 'gexcord_levels_zero_gamma{ticker="SPX",weight="oi"} 6390.0\n' in text
    assert 'gexcord_levels_zero_gamma{ticker="SPX",weight="vol"} 6391.0\n' in text
    assert 'gexcord_levels_net_gex_usd_per_1pct{ticker="SPX",weight="oi"} 1.5e+09\n' in text
    assert 'gexcord_levels_spot{ticker="SPX"} 6395.25\n' in text
    assert 'gexcord_levels_age_seconds{ticker="SPX"} 7.0\n' in text
    assert "call_wall{" not in text
    assert "NDX" not in text


async def test_while_redis_is_away_a_scrape_has_no_levels():
    async def away(_ticker):
        raise TransientError("Redis is away.")

    async def stalled(_ticker):
        await asyncio.Event().wait()

    assert await level_looks(away, TICKERS, ManualClock()) == ()
    assert await level_looks(stalled, TICKERS, ManualClock()) == ()
