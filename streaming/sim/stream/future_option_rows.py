"""LEVELONE_FUTURES_OPTIONS: options on the simulated futures, priced when asked for.

See specs/schwab-wire.md §2.10, §2.16.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

import numpy as np

from streaming.calendar import NEW_YORK
from streaming.sim.market import Market
from streaming.sim.options.black_scholes import price
from streaming.sim.options.surface import smile
from streaming.sim.prices.instruments import FUTURES, RATE, UNDERLYINGS, YEAR_S, Future
from streaming.sim.prices.listing import third_friday
from streaming.sim.prices.tape import Tape, to_tick
from streaming.sim.stream.book_rows import hash_of
from streaming.sim.stream.numbered_rows import Row, number, only

_KEY: Final = re.compile(r"\./([A-Z]{2,3})([FGHJKMNQUVXZ])(\d\d)([CP])(\d+(?:\.\d+)?)")
_MONTHS: Final = "FGHJKMNQUVXZ"
_TICK: Final = 0.05
_FARTHEST: Final = 0.6
"""How far from the future's price, relatively, strikes are listed."""


@dataclass(frozen=True, slots=True)
class FutureOption:
    """One option on a future."""

    future: Future
    expires_at: datetime
    is_call: bool
    strike: float


def parse_future_option(key: str) -> FutureOption | None:
    """The option that `./ESZ26C6900` names, or None when its future is not simulated."""
    match = _KEY.fullmatch(key)
    future = FUTURES.get(f"/{match[1]}") if match else None
    if match is None or future is None:
        return None
    day = third_friday(2000 + int(match[3]), _MONTHS.index(match[2]) + 1)
    expires_at = datetime.combine(day, time(9, 30), NEW_YORK).astimezone(UTC)
    return FutureOption(future, expires_at, match[4] == "C", float(match[5]))


@dataclass(frozen=True, slots=True)
class FutureOptionRows:
    """Rows of LEVELONE_FUTURES_OPTIONS; the day's prices follow from the future's."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        found = self._find(key)
        return None if found is None else self._traits(key, *found)

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, self._find(key)) for key in keys)
        return {key: only(self._live(key, *pair), fields) for key, pair in found if pair is not None}

    def _find(self, key: str) -> tuple[FutureOption, Tape] | None:
        option = parse_future_option(key)
        tape = self.market.tape(option.future.root) if option else None
        if option is None or tape is None or option.expires_at <= self.market.now:
            return None
        return (option, tape) if abs(option.strike / tape.last - 1.0) < _FARTHEST else None

    def _traits(self, key: str, option: FutureOption, tape: Tape) -> Row:
        future, contract = option.future, self.market.contract(option.future.root)
        return {
            "delayed": False,
            "assetMainType": "FUTURE_OPTION",
            "6": "?",
            "7": "?",
            "14": number(self._value(option, tape.close)),
            "15": "?",
            "16": f"{future.description} {'Call' if option.is_call else 'Put'} {option.strike:g}",
            "18": 40 + hash_of(key) % 4000,
            "20": _TICK,
            "21": number(_TICK * future.multiplier),
            "22": number(future.multiplier),
            "23": number(self._value(option, tape.close)),
            "24": contract.symbol,
            "25": number(option.strike),
            "26": int(option.expires_at.timestamp() * 1000),
            "27": "European",
            "28": "C" if option.is_call else "P",
            "30": "?",
            "31": "XCME",
        }

    def _live(self, key: str, option: FutureOption, tape: Tape) -> Row:
        last = self._value(option, tape.last)
        day = [self._value(option, price) for price in (tape.open, tape.high, tape.low)]
        second = self.market.now_ms // 1000
        sizes = [1 + (hash_of(key) + second * salt) % 40 for salt in (7, 11)]
        return {
            "1": number(max(last - _TICK, 0.0)),
            "2": number(last + _TICK),
            "3": number(last),
            "4": sizes[0],
            "5": sizes[1],
            "8": tape.volume // 500,
            "9": 1,
            "10": tape.quote_ms,
            "11": tape.trade_ms,
            "12": number(max(day[1:])),
            "13": number(min(day[1:])),
            "17": number(day[0]),
            "19": number(last),
            "29": self.market.status(tape),
        }

    def _value(self, option: FutureOption, forward: float) -> float:
        years = (option.expires_at - self.market.now).total_seconds() / YEAR_S
        strike, at = np.array([option.strike]), np.array([forward])
        sigma = smile(UNDERLYINGS[option.future.leader], strike=strike, forward=forward, t=years)
        is_call = np.array([option.is_call])
        value = price(forward=at, strike=strike, t=np.array([years]), sigma=sigma, rate=RATE, is_call=is_call)
        return to_tick(float(value[0]), _TICK)
