"""LEVELONE_FOREX (specs/schwab-wire.md §2.11)."""

from collections.abc import Sequence
from dataclasses import dataclass

from streaming.sim.market import Market
from streaming.sim.prices.forex_desk import PAIRS
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.numbered_rows import Row, number, only

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class ForexRows:
    """Rows of LEVELONE_FOREX; the change is a fraction, sizes are units of the base currency."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        tape = self.market.forex.get(key)
        return None if tape is None else _fixed(tape)

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, self.market.forex.get(key)) for key in keys)
        return {key: only(_live(tape, self.market.status(tape)), fields) for key, tape in found if tape is not None}


def _fixed(tape: Tape) -> Row:
    pair = PAIRS[tape.symbol]
    base, quote = tape.symbol.split("/")
    return {
        "delayed": False,
        "assetMainType": "FOREX",
        "12": number(tape.close, _DIGITS),
        "13": "T",
        "14": f"{base}/{quote} Spot",
        "18": "GFT",
        "19": pair.digits,
        "21": pair.tick,
        "22": number(pair.tick * 100_000, _DIGITS),
        "23": "",
        "24": "",
        "25": True,
        "26": "",
        "27": number(tape.close * 1.07, _DIGITS),
        "28": number(tape.close * 0.91, _DIGITS),
    }


def _live(tape: Tape, status: str) -> Row:
    change = tape.last - tape.close
    return {
        "1": number(tape.bid, _DIGITS),
        "2": number(tape.ask, _DIGITS),
        "3": number(tape.last, _DIGITS),
        "4": tape.bid_size,
        "5": tape.ask_size,
        "6": tape.volume,
        "7": tape.last_size,
        "8": tape.quote_ms,
        "9": tape.trade_ms,
        "10": number(tape.high, _DIGITS),
        "11": number(tape.low, _DIGITS),
        "15": number(tape.open, _DIGITS),
        "16": number(change, _DIGITS),
        "17": number(change / tape.close, _DIGITS),
        "20": status,
        "29": number((tape.bid + tape.ask) / 2.0, _DIGITS),
    }
