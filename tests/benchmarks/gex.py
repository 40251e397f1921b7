"""From the bytes of a 21,000-contract chain to a snapshot, and from a tick to the next one, against what people write.

`python -m tests.benchmarks.gex [--rounds N] [--chain FILE]` prints medians of interleaved rounds, wall and CPU (they
part when others use the cores), the least CPU of them (which is nearest to that of an idle machine), and ratios of wall
times to the baseline of the same work. The chain is FILE, else the
captured `spx_20240107` beside the project, else a made one of 21,000 contracts; the first line says which, and the next
one which interpreter.

Baseline "script": one pass over CSV rows in plain Python, gamma by `math`, net by strike, and the profile at 60 levels
within ±20 %, for all expiries under one weight; that is about an eighth of what our snapshot holds (four scopes, two
weights, all roots refined, vanna, charm, delta). Every contract is priced at every level: nothing is extrapolated.
Baseline "pandas": `json.loads`, a data frame, the same figures with vectorised NumPy; only where pandas is installed.

From a tick to the published snapshot, through the whole program: `python -m tests.benchmarks.gex_live`.
"""

import argparse
import csv
import importlib.util
import json
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np

from streaming.chains import osi
from streaming.chains.files.chain_files import parse_any
from streaming.clock import epoch_ms
from streaming.engine.protocol import Load
from streaming.engine.room import EngineRoom
from streaming.gex.engine import GexEngine
from streaming.model import OptionQuote
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker, parse_ticker
from tests.benchmarks.inputs import interpreter, whole_chain

CHAIN = "spx_20240107.csv.gz"
LEVELS = 60
Job = tuple[str, Callable[[], object], str | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--chain", type=Path)
    options = parser.parse_args()
    if options.chain is not None and not options.chain.is_file():
        sys.stderr.write(f"{options.chain} is not there.\n")
        return 65
    source = whole_chain(CHAIN, "SPX", given=options.chain)
    show(source.said)
    show(f"{interpreter()}, NumPy {np.__version__}")
    table = source.payload
    chain = parse_any(table)
    feed = feed_json(chain)
    show(f"{len(chain)} contracts, table {len(table) / 1e6:.1f} MB, JSON {len(feed) / 1e6:.1f} MB")
    found = jobs(table, feed, chain)
    report(found, measure(found, options.rounds))
    return 0


def jobs(table: bytes, feed: bytes, chain: OptionChain) -> list[Job]:
    """Name, work, and the name of the baseline it is compared with."""
    engine = GexEngine(Ticker(chain.ticker, chain.ticker), scope="full")
    engine.on_chain(chain)
    market = Market(engine, chain)
    market.tick()
    polls = Polls(chain)
    found: list[Job] = [
        ("script: table to net and flip", lambda: script(table, chain), None),
        ("script: recompute at a new spot", lambda: profile(contracts(table, chain), chain.spot), None),
        ("table bytes to snapshot", lambda: snapshot(parse_any(table)), "script: table to net and flip"),
        ("the same, a listing never seen", lambda: snapshot(first_read(table)), "script: table to net and flip"),
        ("JSON bytes to snapshot", lambda: snapshot(parse_any(feed)), "script: table to net and flip"),
        ("tick to snapshot", market.tick, "script: recompute at a new spot"),
        ("tick and 200 quotes to snapshot", market.tick_and_quotes, "script: recompute at a new spot"),
        ("poll of one expiry to snapshot", polls.next, "script: table to net and flip"),
        ("tick to snapshot with a full sweep", market.swept, "script: recompute at a new spot"),
        ("map of the rest of the session", market.map_ahead, None),
    ]
    if importlib.util.find_spec("pandas") is not None:
        found.insert(2, ("pandas: JSON to net and flip", lambda: with_pandas(feed, chain), None))
        again = next(work for name, work, _ in found if name == "JSON bytes to snapshot")
        found.append(("JSON bytes to snapshot, again", again, "pandas: JSON to net and flip"))
    return found


def first_read(payload: bytes) -> OptionChain:
    """As nobody has read it before: a feed that lists the same again is read in less."""
    osi._listing.cache_clear()
    return parse_any(payload)


def snapshot(chain: OptionChain) -> object:
    engine = GexEngine(Ticker(chain.ticker, chain.ticker), scope="full")
    engine.on_chain(chain)
    return engine.compute(chain.asof)


class Market:
    """Ticks and quotes a tenth of a second apart, so that a sweep falls due once in a hundred."""

    def __init__(self, engine: GexEngine, chain: OptionChain) -> None:
        self._engine = engine
        self._chain = chain
        rows = {symbol: row for row, symbol in enumerate(chain.symbol.tolist())}
        near = [rows[symbol] for symbol in engine.near_symbols(200)]
        self._near = list(
            zip(chain.symbol[near].tolist(), chain.bid[near].tolist(), chain.ask[near].tolist(), strict=True)
        )
        self._at = chain.asof
        self._rng = np.random.default_rng(1)

    def tick(self) -> None:
        self._at += timedelta(milliseconds=100)
        self._engine.on_spot(self._chain.spot * (1.0 + 1e-4 * self._rng.standard_normal()), epoch_ms(self._at))
        self._engine.compute(self._at)

    def tick_and_quotes(self) -> None:
        at_ms = epoch_ms(self._at)
        moves = self._rng.uniform(0.0, 0.1, len(self._near)).tolist()
        self._engine.on_option(
            [
                OptionQuote(symbol=symbol, iv=0.1 + move, bid=bid + move, ask=ask + move, event_ms=at_ms, recv_ms=at_ms)
                for (symbol, bid, ask), move in zip(self._near, moves, strict=True)
            ]
        )
        self.tick()

    def map_ahead(self) -> None:
        deque(self._engine.map_ahead(newer_than_ms=0), maxlen=0)

    def swept(self) -> None:
        self._at += timedelta(seconds=11)
        self.tick()


class Polls:
    """The chain as Schwab sends it, one expiry after another, through the room of engines: from bytes to a snapshot."""

    def __init__(self, chain: OptionChain) -> None:
        self._ticker = parse_ticker(chain.ticker)
        self._room = EngineRoom([self._ticker], scope="full")
        self._days = [day.item() for day in np.unique(chain.expiry)]
        self._answers = cycle([(day, expiry_json(chain, day)) for day in self._days])
        self._at = chain.asof
        self._required: tuple[date, ...] = ()
        for _ in self._days:
            self.next()
        self._required = tuple(self._days)

    def next(self) -> None:
        """A poll of the next expiry, a second after the one before."""
        self._at += timedelta(seconds=0.1)
        day, answer = next(self._answers)
        planned = tuple(self._days)
        self._room.load(Load(self._ticker.underlying, "schwab", self._at, day, planned, self._required), answer)
        self._room.compute(self._ticker.name, self._at)


def expiry_json(chain: OptionChain, day: date) -> bytes:
    """One expiry as Schwab sends it, with the fields that nobody here reads."""
    idle = {
        "description": "SPXW 01/05/2024 1200.00 C", "exchangeName": "OPR", "last": 1.5, "mark": 1.5, "bidSize": 7,
        "askSize": 7, "bidAskSize": "7X7", "lastSize": 1, "highPrice": 1.5, "lowPrice": 1.5, "openPrice": 0.0,
        "closePrice": 1.5, "tradeTimeInLong": 1704488340000, "quoteTimeInLong": 1704488340000, "netChange": 0.5,
        "delta": 0.512, "gamma": 0.002, "theta": -0.512, "vega": 0.512, "rho": 0.112, "timeValue": 1.0,
        "theoreticalOptionValue": 1.5, "theoreticalVolatility": 29.0, "expirationDate": "2024-01-05T21:00:00.000+00:00",
        "optionDeliverablesList": [{"symbol": "$SPX", "assetType": "STOCK", "deliverableUnits": 100.0}],
        "daysToExpiration": 1, "expirationType": "W", "lastTradingDay": 1704488400000, "multiplier": 100.0,
        "deliverableNote": "100 $SPX", "percentChange": 0.1, "markChange": 0.1, "markPercentChange": 0.1,
        "intrinsicValue": 0.0, "extrinsicValue": 1.0, "exerciseType": "E", "high52Week": 1.5, "low52Week": 1.5,
        "nonStandard": False, "pennyPilot": False, "inTheMoney": False, "mini": False,
    }  # fmt: skip
    rows = np.flatnonzero(chain.expiry == np.datetime64(day, "D")).tolist()
    maps: dict[bool, dict[str, list[dict[str, object]]]] = {True: {}, False: {}}
    for row in rows:
        iv = float(chain.iv[row])
        contract = {
            "symbol": str(chain.symbol[row]), "optionRoot": str(chain.root[row]), "bid": float(chain.bid[row]),
            "ask": float(chain.ask[row]), "strikePrice": float(chain.strike[row]),
            "volatility": 100.0 * iv if iv > 0.0 else -999.0, "openInterest": int(chain.open_interest[row]),
            "totalVolume": int(chain.volume[row]), **idle,
        }  # fmt: skip
        maps[bool(chain.is_call[row])].setdefault(f"{chain.strike[row]:.1f}", []).append(contract)
    key = f"{day}:1"
    head = {"symbol": f"${chain.ticker}", "status": "SUCCESS", "underlyingPrice": chain.spot, "isDelayed": False}
    return json.dumps(head | {"callExpDateMap": {key: maps[True]}, "putExpDateMap": {key: maps[False]}}).encode()


def feed_json(chain: OptionChain) -> bytes:
    """The chain as CBOE's feed would send it, with the fields that nobody here reads."""
    idle = {
        "bid_size": 7.0, "ask_size": 7.0, "delta": 0.9974, "gamma": 0.0001, "theta": -0.0312, "rho": 0.8063,
        "vega": 0.0081, "theo": 812.0703, "change": 0.0, "open": 0.0, "high": 0.0, "low": 0.0, "tick": "no_change",
        "last_trade_price": 860.9, "last_trade_time": "2023-09-14T09:49:31", "percent_change": 0.0,
        "prev_day_close": 833.399993896484,
    }  # fmt: skip
    rows = zip(chain.symbol, chain.bid, chain.ask, chain.iv, chain.open_interest, chain.volume, strict=True)
    options = [
        {"option": str(symbol).replace(" ", ""), "bid": float(bid), "ask": float(ask), "iv": float(iv),
         "open_interest": float(oi), "volume": float(volume), **idle}
        for symbol, bid, ask, iv, oi, volume in rows
    ]  # fmt: skip
    fetched = chain.asof.astimezone(UTC) + timedelta(minutes=15)
    data = {"symbol": f"^{chain.ticker}", "current_price": chain.spot, "options": options}
    return json.dumps({"timestamp": f"{fetched:%Y-%m-%d %H:%M:%S}", "data": data}).encode()


Contract = tuple[float, float, float, float, float]
"""(strike, sign, volatility, years, open interest)."""


def contracts(table: bytes, chain: OptionChain) -> list[Contract]:
    """Row by row, as published scripts read the table."""
    text = table.decode()
    body = text[text.index("Expiration Date") :].splitlines()[1:]
    found: list[Contract] = []
    for row in csv.reader(body):
        expires = datetime.strptime(row[0], "%a %b %d %Y").replace(hour=21, tzinfo=UTC)
        years = max((expires - chain.asof).total_seconds(), 60.0) / (365 * 86_400)
        strike = float(row[11])
        found.append((strike, 1.0, float(row[7]), years, float(row[10])))
        found.append((strike, -1.0, float(row[18]), years, float(row[21])))
    return found


def script_gamma(spot: float, strike: float, iv: float, years: float) -> float:
    if iv <= 0.0:
        return 0.0
    deviation = iv * math.sqrt(years)
    d1 = math.log(spot / strike) / deviation + 0.5 * deviation
    return math.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi) / (spot * deviation)


def profile(lines: list[Contract], spot: float) -> float | None:
    """Total at 60 levels and its first sign change, interpolated."""
    levels = [spot * (0.8 + 0.4 * step / (LEVELS - 1)) for step in range(LEVELS)]
    totals = [
        sum(sign * oi * level * level * script_gamma(level, strike, iv, years) for strike, sign, iv, years, oi in lines)
        for level in levels
    ]
    for step in range(LEVELS - 1):
        if totals[step] * totals[step + 1] < 0.0:
            share = totals[step] / (totals[step] - totals[step + 1])
            return levels[step] + share * (levels[step + 1] - levels[step])
    return None


def script(table: bytes, chain: OptionChain) -> tuple[float, float | None]:
    lines = contracts(table, chain)
    by_strike: dict[float, float] = {}
    for strike, sign, iv, years, oi in lines:
        value = sign * oi * chain.spot * chain.spot * script_gamma(chain.spot, strike, iv, years)
        by_strike[strike] = by_strike.get(strike, 0.0) + value
    return sum(by_strike.values()), profile(lines, chain.spot)


def with_pandas(feed: bytes, chain: OptionChain) -> tuple[float, object]:
    import pandas as pd  # type: ignore[import-not-found,unused-ignore]  # not one of our requirements

    frame = pd.DataFrame(json.loads(feed)["data"]["options"])
    tail = frame["option"].str[-15:]
    strike = tail.str[7:].astype(float) / 1000.0
    sign = np.where(tail.str[6] == "C", 1.0, -1.0)
    expires = pd.to_datetime(tail.str[:6], format="%y%m%d", utc=True) + pd.Timedelta(hours=21)
    years = np.maximum((expires - chain.asof).dt.total_seconds(), 60.0) / (365 * 86_400)
    deviation = frame["iv"].where(frame["iv"] > 0.0) * np.sqrt(years)

    def total(level: float) -> pd.Series:
        d1 = np.log(level / strike) / deviation + 0.5 * deviation
        return sign * frame["open_interest"] * level * np.exp(-0.5 * d1 * d1) / deviation

    net = total(chain.spot).groupby(strike).sum().sum()
    return float(net), [total(level).sum() for level in np.linspace(0.8, 1.2, LEVELS) * chain.spot]


class Took(NamedTuple):
    """Milliseconds of interleaved rounds: medians of wall and CPU time, and the least CPU time."""

    wall: float
    cpu: float
    least: float


def measure(found: list[Job], rounds: int) -> dict[str, Took]:
    """Of every job; baselines, being slow, run in every fifth round."""
    wall: dict[str, list[float]] = {name: [] for name, _, _ in found}
    cpu: dict[str, list[float]] = {name: [] for name, _, _ in found}
    for number in range(rounds):
        for name, work, baseline in found:
            if baseline is None and number % 5:
                continue
            repeats = 1 if baseline is None else 5
            for _ in range(repeats):
                began, used = time.perf_counter(), time.process_time()
                work()
                wall[name].append(1000.0 * (time.perf_counter() - began))
                cpu[name].append(1000.0 * (time.process_time() - used))
    median = statistics.median
    return {name: Took(median(wall[name]), median(cpu[name]), min(cpu[name])) for name, _, _ in found}


def report(found: list[Job], times: dict[str, Took]) -> None:
    for name, _, baseline in found:
        took = times[name]
        ratio = "" if baseline is None else f"  {times[baseline].wall / took.wall:6.0f} x  {baseline}"
        show(f"{name:<36}{took.wall:10.2f} ms{took.cpu:10.2f} ms CPU, least {took.least:8.2f}{ratio}")


def show(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
