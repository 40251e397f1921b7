"""LEVELONE_FUTURES (specs/schwab-wire.md §2.9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streaming.sim.market import Market
from streaming.sim.prices.instruments import FUTURES
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.numbered_rows import Row, number, only

_HOURS: Final = "GLBX(de=1640;0=-17001600;1=r-17001600d-15551640;7=d-16401555)"


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
    return {
        "1": number(tape.bid),
        "2": number(tape.ask),
        "3": number(tape.last),
        "4": tape.bid_size,
        "5": tape.ask_size,
        "8": tape.volume,
        "9": tape.last_size,
        "10": tape.quote_ms,
        "11": tape.trade_ms,
        "12": number(tape.high),
        "13": number(tape.low),
        "18": number(tape.open),
        "19": number(change),
        "20": number(change / tape.close, 6),
        "22": status,
        "24": number(tape.last),
        "37": tape.quote_ms,
        "38": tape.quote_ms,
    }
