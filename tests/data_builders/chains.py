"""The made chains by name, each with the traps of one kind of file that people have. Built once per run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.data_builders.market import Market, Series, make_market
from tests.data_builders.shapes import ameritrade_chain, cboe_bare, cboe_feed, cboe_table, schwab_chain


@dataclass(frozen=True)
class MadeChain:
    """A market and the bytes of a file that tells of it."""

    market: Market
    payload: bytes
    decimals: int | None = None
    """Of its gamma and vega; None where it has no vega."""

    def write(self, path: Path) -> Path:
        """The file at `path`."""
        path.write_bytes(self.payload)
        return path


def spx_intraday() -> MadeChain:
    """In a session, 15 minutes after the quotes: a day's last hours, AM and PM on third Fridays, beyond 90 days."""
    listed = [
        Series("SPXW", "2023-06-09", step=5.0), Series("SPXW", "2023-06-12", step=5.0), Series("SPXW", "2023-06-13"),
        Series("SPX", "2023-06-16"), Series("SPXW", "2023-06-16"), Series("SPXW", "2023-06-30", step=25.0),
        Series("SPX", "2023-07-21", step=25.0, reach=0.2), Series("SPXW", "2023-07-21", step=25.0, reach=0.2),
        Series("SPX", "2023-09-15", step=50.0, reach=0.3), Series("SPX", "2023-12-15", step=50.0, reach=0.3),
    ]  # fmt: skip
    market = make_market("SPX", 4301.25, "2023-06-09T13:25", listed, seed=1)
    return MadeChain(
        market,
        cboe_table(
            market,
            name="Standard & Poors 500 Index",
            clock="Date: 9 June 2023, 1:40 PM EDT,Bid: 4300.5,Ask: 4302,Size: 1*1,Volume: 0",
        ),
    )


def spx_weekend() -> MadeChain:
    """Downloaded on a Sunday evening: Friday's settled lines, AM and PM, are still in it."""
    listed = [
        Series("SPX", "2023-08-18", step=5.0), Series("SPXW", "2023-08-18", step=5.0), Series("SPXW", "2023-08-21"),
        Series("SPXW", "2023-08-25"), Series("SPX", "2023-09-15"), Series("SPXW", "2023-09-15"),
        Series("SPX", "2023-12-15", step=50.0, reach=0.2),
    ]  # fmt: skip
    market = make_market("SPX", 4371.5, "2023-08-18T16:00", listed, seed=2)
    clock = '"Date: August 20, 2023 at 10:42 PM EDT",Bid: 4355.5,Ask: 4387,Size: 1*1,Volume: 0'
    return MadeChain(market, cboe_table(market, name="Standard & Poors 500 Index", clock=clock))


def spx_night() -> MadeChain:
    """Downloaded in SPX's night session, quotes 20 minutes old; one month only; the day's own lines have settled."""
    days = ("2025-01-06", "2025-01-07", "2025-01-08", "2025-01-10", "2025-01-17", "2025-01-31")
    listed = [Series("SPXW", day) for day in days] + [Series("SPX", "2025-01-17")]
    market = make_market("SPX", 5975.5, "2025-01-06T21:06", listed, seed=3)
    clock = '"Date: January 6, 2025 at 9:26 PM EST",Bid: 5934.5,Ask: 6032.5,Size: 1*1,Volume: 0'
    return MadeChain(market, cboe_table(market, name="SP 500 INDEX", clock=clock))


def spx_half_day() -> MadeChain:
    """The day after Thanksgiving, half an hour before its early close; another half day among the expiries."""
    listed = [
        Series("SPXW", "2023-11-24", step=5.0), Series("SPXW", "2023-11-27"), Series("SPX", "2023-12-15"),
        Series("SPXW", "2023-12-15"), Series("SPXW", "2024-07-03", step=50.0, reach=0.2),
    ]  # fmt: skip
    market = make_market("SPX", 4559.25, "2023-11-24T12:30", listed, seed=4)
    clock = "Date: 24 November 2023, 12:45 PM EST,Bid: 4558,Ask: 4560,Size: 1*1,Volume: 0"
    return MadeChain(market, cboe_table(market, name="Standard & Poors 500 Index", clock=clock))


def ndx_evening() -> MadeChain:
    """A title line; an evening's marks: no quotes in most series, calls and puts of other volatilities, one crossed."""
    listed = [
        Series("NDXP", "2022-12-12", step=25.0, quotes="none", volatilities="none"),
        Series("NDXP", "2022-12-13", step=25.0, quotes="none", volatilities="split"),
        Series("NDX", "2022-12-16", step=50.0, quotes="none"), Series("NDXP", "2022-12-16", step=50.0, quotes="none"),
        Series("NDXP", "2022-12-30", step=50.0, quotes="crossed"), Series("NDX", "2023-01-20", step=50.0),
        Series("NDX", "2023-03-17", step=100.0, reach=0.2),
    ]  # fmt: skip
    market = make_market("NDX", 11706.5, "2022-12-12T16:00", listed, seed=5)
    clock = '"Date: December 12, 2022 at 8:31 PM EST",Bid: 0,Ask: 0,Size: 0*0,Volume: 0'
    return MadeChain(market, cboe_table(market, name="NASDAQ 100", clock=clock, before="---Example Data---\n"))


def spy_yearless() -> MadeChain:
    """Half-dollar strikes, adjusted lines of another root, commas in numbers, a date without its year."""
    listed = [
        Series("SPY", "2023-06-05", step=0.5), Series("SPY", "2023-06-06", step=1.0),
        Series("SPY1", "2023-06-16", step=5.0, adjusted=True), Series("SPY", "2023-06-16", step=1.0, reach=0.2),
        Series("SPY", "2023-07-21", step=2.5, reach=0.3), Series("SPY", "2023-12-15", step=5.0, reach=0.3),
    ]  # fmt: skip
    market = make_market("SPY", 427.95, "2023-06-02T16:00", listed, seed=6)
    clock = "Date: 4 June 4, 3:15 PM EDT,Bid: 427.96,Ask: 428.03,Size: 1*6,Volume: 91,391,793"
    return MadeChain(market, cboe_table(market, name="SPDR S&P 500 ETF Trust", clock=clock))


def qqq_blind() -> MadeChain:
    """A comma in the name, a quote that never closes; far expiries without any volatility on either side."""
    listed = [
        Series("QQQ", "2024-03-22", step=1.0), Series("QQQ", "2024-03-25", step=1.0),
        Series("QQQ", "2024-04-19", step=2.5, reach=0.2), Series("QQQ", "2024-06-21", step=5.0, reach=0.3),
        Series("QQQ", "2026-01-16", step=10.0, reach=0.5, volatilities="none"),
    ]  # fmt: skip
    market = make_market("QQQ", 445.65, "2024-03-22T16:00", listed, seed=7)
    clock = 'Date: 22 March 2024, 9:46 PM EDT,Bid: 445.65,Ask: 445.73,Size: 18*3,"Volume: 28,253,899'
    return MadeChain(market, cboe_table(market, name='"PowerShares QQQ Trust, Series 1 (ETF)"', clock=clock))


def xsp_untraded() -> MadeChain:
    """No blank line, commas at line ends, whole strikes; nothing has traded yet."""
    listed = [Series("XSP", day, step=1.0) for day in ("2022-07-12", "2022-07-13", "2022-07-15", "2022-08-19")]
    market = make_market("XSP", 385.63, "2022-07-12T11:40", listed, seed=8, traded=False)
    clock = '"Date: July 12, 2022, 11:55 AM EDT",Bid: 385.53,Ask: 385.71,Size: 1*1,Volume: 0'
    table = cboe_table(
        market, name="Mini-SPX Options Index", clock=clock, before="", commas="," * 17, whole_strikes=True
    )
    return MadeChain(market, table)


def rut_feed() -> MadeChain:
    """CBOE's feed in the evening, its clock UTC and a day ahead; AM and PM roots; the day's lines have settled."""
    listed = [
        Series("RUTW", "2023-09-20", step=5.0, volatilities="none"), Series("RUTW", "2023-09-21", step=5.0),
        Series("RUTW", "2023-09-22", step=5.0), Series("RUTW", "2023-09-29", step=5.0),
        Series("RUT", "2023-10-20", step=5.0, reach=0.2), Series("RUTW", "2023-10-20", step=5.0, reach=0.2),
        Series("RUT", "2023-12-15", step=10.0, reach=0.4), Series("RUT", "2024-03-15", step=10.0, reach=0.4),
    ]  # fmt: skip
    market = make_market("RUT", 1806.125, "2023-09-20T16:00", listed, seed=9)
    return MadeChain(market, cboe_feed(market, fetched="2023-09-21 03:17:42"), 4)


def spy_bare() -> MadeChain:
    """CBOE's options alone: no clock (the close of the first expiry counts), no quotes, 0.02 and 26.001."""
    listed = [
        Series("SPY", "2022-04-01", step=1.0, quotes="none", volatilities="none"),
        Series("SPY", "2022-04-04", step=1.0, quotes="none"), Series("SPY", "2022-04-14", step=1.0, quotes="none"),
        Series("SPY", "2022-06-17", step=5.0, reach=0.3, quotes="none"),
        Series("SPY", "2022-12-16", step=5.0, reach=0.3, quotes="none"),
    ]  # fmt: skip
    market = make_market("SPY", 452.925, "2022-04-01T16:00", listed, seed=10)
    return MadeChain(market, cboe_bare(market), 4)


def spy_ameritrade() -> MadeChain:
    """TD Ameritrade's delayed chain: a dozen strikes a side of each date, some volatilities -999."""
    listed = [
        Series("SPY", day, step=1.0, reach=0.03)
        for day in ("2022-05-23", "2022-05-25", "2022-05-27", "2022-06-17", "2022-07-15", "2022-09-16", "2023-01-20")
    ]
    listed[2] = Series("SPY", "2022-05-27", step=1.0, reach=0.03, volatilities="none")
    market = make_market("SPY", 390.655, "2022-05-20T16:00", listed, seed=11)
    return MadeChain(market, ameritrade_chain(market), 3)


def spx_schwab() -> MadeChain:
    """Schwab's answer in a session: both roots on a third Friday, sentinels, minis, adjusted lines, a half day."""
    listed = [
        Series("SPXW", "2026-08-20", step=5.0), Series("SPX", "2026-08-21", step=5.0),
        Series("SPXW", "2026-08-21", step=5.0), Series("SPX1", "2026-08-21", step=50.0, adjusted=True),
        Series("SPXW", "2026-08-24", step=25.0, mini=True), Series("SPXW", "2026-08-31", step=25.0),
        Series("SPXW", "2026-11-27", step=50.0, reach=0.2), Series("SPX", "2027-01-15", step=50.0, reach=0.3),
        Series("SPXW", "2026-09-30", step=50.0, volatilities="none"),
    ]  # fmt: skip
    market = make_market("SPX", 6881.25, "2026-08-20T10:30", listed, seed=12)
    return MadeChain(market, schwab_chain(market), 3)


def ndx_schwab() -> MadeChain:
    """The same shape with delayed marks, an hour old, after the close of a half day."""
    listed = [
        Series("NDXP", "2026-11-27", step=50.0), Series("NDXP", "2026-11-30", step=50.0),
        Series("NDX", "2026-12-18", step=50.0), Series("NDXP", "2026-12-18", step=50.0, quotes="none"),
        Series("NDX", "2027-03-19", step=100.0, reach=0.2),
    ]  # fmt: skip
    market = make_market("NDX", 25010.5, "2026-11-27T13:00", listed, seed=13)
    return MadeChain(market, schwab_chain(market, delayed=True, quoted=market.asof.replace(hour=14)), 3)


WHOLE = 21_000
"""Contracts of a whole index chain."""
_WHOLE_DAYS = (
    *("01-05", "01-08", "01-09", "01-10", "01-11", "01-12", "01-16", "01-17", "01-18", "01-19", "01-22", "01-23"),
    *("01-24", "01-25", "01-26", "01-29", "01-30", "01-31", "02-01", "02-02", "02-09", "02-16", "02-23", "02-29"),
    *("03-15", "03-28", "04-19", "04-30", "05-17", "06-21", "06-28", "07-19", "09-20", "09-30", "12-20", "12-31"),
)
_AM_TOO = frozenset({"01-19", "02-16", "03-15", "04-19", "05-17", "06-21", "07-19", "09-20", "12-20"})


@cache
def whole_market(ticker: str = "SPX", spot: float = 4697.25) -> Market:
    """21,000 contracts over 45 series, as an index has them; quoted on the Friday 2024-01-05 at the close."""
    weekly = {"SPX": "SPXW", "NDX": "NDXP"}[ticker]
    roots = [(day, root) for day in _WHOLE_DAYS for root in ((weekly, ticker) if day in _AM_TOO else (weekly,))]
    step = 5.0 * round(spot / 2350)
    listed = [Series(root, f"2024-{day}", step=step, reach=0.252) for day, root in roots]
    market = make_market(ticker, spot, "2024-01-05T16:00", listed, seed=14)
    return Market(ticker, spot, market.asof, market.lines[:WHOLE])


@cache
def spx_whole() -> MadeChain:
    """The whole chain as CBOE's table."""
    clock = '"Date: January 7, 2024 at 10:52 AM EST",Bid: 4645.25,Ask: 4753.75,Size: 1*1,Volume: 0'
    return MadeChain(whole_market(), cboe_table(whole_market(), name="S&P 500 INDEX", clock=clock))


RECIPES: dict[str, Callable[[], MadeChain]] = {
    "spx_intraday.csv": spx_intraday, "spx_weekend.csv": spx_weekend, "spx_night.csv": spx_night,
    "spx_half_day.csv": spx_half_day, "ndx_evening.csv": ndx_evening, "spy_yearless.csv": spy_yearless,
    "qqq_blind.csv": qqq_blind, "xsp_untraded.csv": xsp_untraded, "rut_feed.json": rut_feed,
    "spy_bare.json": spy_bare, "spy_ameritrade.json": spy_ameritrade, "spx_schwab.json": spx_schwab,
    "ndx_schwab.json": ndx_schwab,
}  # fmt: skip


@cache
def made(name: str) -> MadeChain:
    """A chain by the name of its file."""
    return RECIPES[name]()
