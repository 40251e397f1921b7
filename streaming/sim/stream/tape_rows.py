"""What has a tape: shares and indexes, futures, and their finished minutes (specs/schwab-wire.md §2.6, §2.9, §2.13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.sim.prices.candles import MinuteBar
from streaming.sim.prices.instruments import FUTURES, Underlying
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.numbered_rows import Row, number, only
from streaming.sim.world.market import Market

_EQUITY_LIVE: Final = {
    "3": "last", "8": "volume", "10": "high", "11": "low", "17": "open", "29": "last", "33": "last", "35": "trade_ms",
    "36": "trade_ms",
}  # fmt: skip
"""Number on the wire -> what of the tape it tells."""
_QUOTE_LIVE: Final = {
    "1": "bid", "2": "ask", "4": "bid_size", "5": "ask_size", "9": "last_size", "30": "last_size", "37": "quote_ms",
    "38": "quote_ms",
}  # fmt: skip
_FUTURE_LIVE: Final = {
    "1": "bid", "2": "ask", "3": "last", "4": "bid_size", "5": "ask_size", "8": "volume", "9": "last_size",
    "10": "quote_ms", "11": "trade_ms", "12": "high", "13": "low", "18": "open", "24": "last", "37": "quote_ms",
    "38": "quote_ms",
}  # fmt: skip
_VENUES: Final = ("P", "Q", "K", "Z", "J", "T", "U", "X")
_MICS: Final = {
    "P": "ARCX", "Q": "XNAS", "K": "EDGX", "Z": "BATS", "J": "EDGA", "T": "XNAS", "U": "MEMX", "X": "PSX",
}  # fmt: skip
_HOURS: Final = "GLBX(de=1640;0=-17001600;1=r-17001600d-15551640;7=d-16401555)"
ChartService = Literal["CHART_EQUITY", "CHART_FUTURES"]
_DAY_MS: Final = 86_400_000
_FIRST_MINUTE: Final = 7 * 60
"""Field 1 of CHART_EQUITY counts minutes from 07:00 in New York."""


@dataclass(frozen=True, slots=True)
class EquityRows:
    """Rows of LEVELONE_EQUITIES; an index has no bid, ask or sizes."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        item, tape = self._find(key)
        if item is None or tape is None:
            return None
        head: Row = {"delayed": False, "assetMainType": "INDEX" if item.is_index else "EQUITY"}
        if not item.is_index:
            head |= {"assetSubType": item.sub_type, "cusip": item.cusip}
        return head | _fixed_equity(item, tape)

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, self.market.tape(key)) for key in keys)
        shown = ((key, tape) for key, tape in found if tape is not None and tape.kind != "future")
        return {key: only(_live_equity(tape, self.market.status(tape)), fields) for key, tape in shown}

    def _find(self, key: str) -> tuple[Underlying | None, Tape | None]:
        return self.market.listed(key), self.market.tape(key)


def _fixed_equity(item: Underlying, tape: Tape) -> Row:
    row: Row = {
        "12": number(tape.close),
        "13": item.exchange,
        "14": not item.is_index,
        "15": item.description,
        "19": number(tape.close * 1.06, 2),
        "20": number(tape.close * 0.78, 2),
        "21": 0 if item.is_index else 6.39034,
        "22": number(tape.close * item.dividend_yield, 5),
        "23": number(item.dividend_yield * 100.0, 5),
        "24": 0,
        "25": item.exchange_name,
        "46": -1 if item.is_index else 887823,
        "47": 0,
        "48": -1 if item.is_index else 0,
        "49": -1 if item.is_index else 1,
        "50": 0,
        "51": 0,
    }
    return row if item.is_index else row | {"26": "2026-06-22 00:00:00.0"}


def _live_equity(tape: Tape, status: str) -> Row:
    change = tape.last - tape.close
    percent = number(100.0 * change / tape.close, 6)
    moved = dict.fromkeys(("18", "31", "44"), number(change)) | dict.fromkeys(("42", "43", "45"), percent)
    kept = {"27": True, "28": True, "32": status, "34": tape.quote_ms or tape.trade_ms}
    quote = {} if tape.kind == "index" else _equity_quote(tape)
    return _ascending(quote | _numbered(tape, _EQUITY_LIVE) | moved | kept)


def _numbered(tape: Tape, table: Mapping[str, str]) -> Row:
    return {field: number(getattr(tape, name)) for field, name in table.items()}


def _ascending(row: Row) -> Row:
    return {name: row[name] for name in sorted(row, key=int)}


def _equity_quote(tape: Tape) -> Row:
    ask_id, bid_id, last_id = (
        _VENUES[(tape.ask_size + k) * (tape.bid_size + 3) // 40 % len(_VENUES)] for k in range(3)
    )
    venues = {"6": ask_id, "7": bid_id, "16": last_id, "39": _MICS[ask_id], "40": _MICS[bid_id], "41": _MICS[last_id]}
    return _numbered(tape, _QUOTE_LIVE) | venues


@dataclass(frozen=True, slots=True)
class FutureRows:
    """Rows of LEVELONE_FUTURES. `/ES` means the active contract; an unknown key gets a row that says so."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        tape = self.market.tape(key)
        if tape is None or tape.kind != "future":
            return {"delayed": False, "assetMainType": "FUTURE", "16": "Symbol not found", "22": "Unknown"}
        return {"delayed": False, "assetMainType": "FUTURE"} | self._traits(tape)

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        return {key: only(self._live(key), fields) for key in keys}

    def _live(self, key: str) -> Row:
        tape = self.market.tape(key)
        return _live_future(tape, self.market.status(tape)) if tape is not None and tape.kind == "future" else {}

    def _traits(self, tape: Tape) -> Row:
        future, contract = FUTURES[tape.symbol], self.market.contract(tape.symbol)
        return {
            "6": "?",
            "7": "?",
            "14": number(tape.close),
            "15": "?",
            "16": contract.description,
            "17": "?",
            "21": "XCME",
            "23": 2_100_000 if future.multiplier > 10.0 else 180_000,  # noqa: PLR2004 - minis against micros
            "25": future.tick,
            "26": number(future.tick * future.multiplier),
            "27": future.root,
            "28": "D,D",
            "29": _HOURS,
            "30": True,
            "31": number(future.multiplier),
            "32": True,
            "33": number(tape.close),
            "34": contract.symbol,
            "35": int(contract.expires_at.timestamp() * 1000),
            "39": True,
        }


def _live_future(tape: Tape, status: str) -> Row:
    change = tape.last - tape.close
    moved = {"19": number(change), "20": number(change / tape.close, 6), "22": status}
    return _ascending(_numbered(tape, _FUTURE_LIVE) | moved)


@dataclass(frozen=True, slots=True)
class ChartRows:
    """One chart service."""

    market: Market
    service: ChartService

    def fixed(self, key: str) -> Row | None:
        """Charts have no other fields than the candle's."""
        return {} if self._candle(key) is not None else None

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, self._candle(key)) for key in keys)
        return {key: only(self._row(candle), fields | {"seq"}) for key, candle in found if candle is not None}

    def _candle(self, key: str) -> MinuteBar | None:
        tape = self.market.tape(key)
        if tape is None or (tape.kind == "future") is (self.service == "CHART_EQUITY"):
            return None
        done = self.market.candles(tape.symbol)
        return done[-1] if done else None

    def _row(self, candle: MinuteBar) -> Row:
        prices = [number(value) for value in (candle.open, candle.high, candle.low, candle.close)]
        if self.service == "CHART_FUTURES":
            values = [candle.start_ms, *prices, candle.volume]
        else:
            at = new_york(instant_of(candle.start_ms))
            minute = at.hour * 60 + at.minute - _FIRST_MINUTE
            values = [minute, *prices, candle.volume, candle.start_ms, candle.start_ms // _DAY_MS]
        return {str(i): value for i, value in enumerate(values, start=1)} | {"seq": candle.seq}
