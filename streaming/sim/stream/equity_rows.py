"""LEVELONE_EQUITIES: shares and indexes (specs/schwab-wire.md §2.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streaming.sim.market import Market
from streaming.sim.prices.instruments import Underlying
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.numbered_rows import Row, number, only

_VENUES: Final = ("P", "Q", "K", "Z", "J", "T", "U", "X")
_MICS: Final = {
    "P": "ARCX", "Q": "XNAS", "K": "EDGX", "Z": "BATS", "J": "EDGA", "T": "XNAS", "U": "MEMX", "X": "PSX",
}  # fmt: skip


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
        item = next((item for item in self.market.underlyings if item.wire == key), None)
        return item, self.market.tape(key)


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
    quote = {} if tape.kind == "index" else _equity_quote(tape)
    return _ascending(
        quote
        | {
            "3": number(tape.last),
            "8": tape.volume,
            "10": number(tape.high),
            "11": number(tape.low),
            "17": number(tape.open),
            "18": number(change),
            "27": True,
            "28": True,
            "29": number(tape.last),
            "31": number(change),
            "32": status,
            "33": number(tape.last),
            "34": tape.quote_ms or tape.trade_ms,
            "35": tape.trade_ms,
            "36": tape.trade_ms,
            "42": percent,
            "43": percent,
            "44": number(change),
            "45": percent,
        }
    )


def _ascending(row: Row) -> Row:
    return {name: row[name] for name in sorted(row, key=int)}


def _equity_quote(tape: Tape) -> Row:
    ask_id, bid_id, last_id = (
        _VENUES[(tape.ask_size + k) * (tape.bid_size + 3) // 40 % len(_VENUES)] for k in range(3)
    )
    return {
        "1": number(tape.bid),
        "2": number(tape.ask),
        "4": tape.bid_size,
        "5": tape.ask_size,
        "6": ask_id,
        "7": bid_id,
        "9": tape.last_size,
        "16": last_id,
        "30": tape.last_size,
        "37": tape.quote_ms,
        "38": tape.quote_ms,
        "39": _MICS[ask_id],
        "40": _MICS[bid_id],
        "41": _MICS[last_id],
    }
