"""One contract of `/chains`, with Schwab's own names, rounding and gaps (specs/schwab-wire.md §3.1)."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np

from streaming.calendar import new_york
from streaming.sim.options.contract_lines import Group
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.listing import Expiry
from streaming.sim.stream.option_columns import marks

Side = Literal["CALL", "PUT"]
Number = float | str
MODEL_VOLATILITY: Final = 29.0
"""What production sends as the chain's and every line's own volatility."""
_MISSING: Final = -999.0
_NAN_EVERY: Final = 7


class ChainContract(NamedTuple):
    """One contract, and what decides where it stands in a body."""

    side: Side
    strike: float
    shown: msgspec.Struct
    """As `/chains` shows it."""


def contracts_of(board: OptionBoard, group: Group, *, today: date) -> list[ChainContract]:
    """The contracts of one root's expiry, calls first, strikes ascending."""
    columns = _columns(board, group, today=today)
    shown = _record_of(tuple(columns))
    places = (columns[name] for name in ("putCall", "strikePrice"))
    return [
        ChainContract(side, strike, shown(*row))
        for side, strike, row in zip(*places, zip(*columns.values(), strict=True), strict=True)
    ]


@lru_cache(maxsize=1)
def _record_of(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A record with these fields: made and written in half the time of a dictionary."""
    return msgspec.defstruct("Contract", names, frozen=True, gc=False)


def _columns(board: OptionBoard, group: Group, *, today: date) -> dict[str, Sequence[Any]]:
    """One list per field of a contract."""
    rows = np.arange(group.start, group.stop)
    lines, trades, quotes = board.lines, board.trades, board.quotes(rows)
    value = marks(board, quotes)
    expiry, size = group.expiry, rows.size
    calls = lines.is_call[rows].tolist()
    strikes = lines.strike[rows].tolist()
    bid_sizes, ask_sizes = quotes.bid_size.tolist(), quotes.ask_size.tolist()
    head = f"{expiry.root} {expiry.day:%m/%d/%Y}"
    wire = board.underlying.wire
    deliverables = [{"symbol": wire, "assetType": "STOCK", "deliverableUnits": 100.0}]
    gone = np.flatnonzero(quotes.failed).tolist()
    return {
        "putCall": ["CALL" if call else "PUT" for call in calls],
        "symbol": lines.symbol[group.rows],
        "description": [f"{head} {k:.2f} {'C' if call else 'P'}" for k, call in zip(strikes, calls, strict=True)],
        "exchangeName": ["OPR"] * size,
        "bid": _round(quotes.bid, 2),
        "ask": _round(quotes.ask, 2),
        "last": _round(value.last, 2),
        "mark": _round(value.mark, 2),
        "bidSize": bid_sizes,
        "askSize": ask_sizes,
        "bidAskSize": [f"{bid}X{ask}" for bid, ask in zip(bid_sizes, ask_sizes, strict=True)],
        "lastSize": trades.last_size[rows].tolist(),
        "highPrice": _round(trades.high[rows], 2),
        "lowPrice": _round(trades.low[rows], 2),
        "openPrice": [0.0] * size,
        "closePrice": _round(value.close, 2),
        "totalVolume": lines.volume[rows].tolist(),
        "tradeTimeInLong": trades.trade_ms[rows].tolist(),
        "quoteTimeInLong": quotes.quote_ms.tolist(),
        "netChange": _round(value.net_change, 2),
        "volatility": _model(quotes.iv * 100.0, gone),
        "delta": _model(quotes.delta, gone),
        "gamma": _model(quotes.gamma, gone),
        "theta": _model(quotes.theta, gone),
        "vega": _model(quotes.vega, gone),
        "rho": _model(quotes.rho, gone),
        "openInterest": lines.open_interest[rows].tolist(),
        "timeValue": _round(value.time_value, 2),
        "theoreticalOptionValue": _model(quotes.theoretical, gone),
        "theoreticalVolatility": [MODEL_VOLATILITY] * size,
        "optionDeliverablesList": [deliverables] * size,
        "strikePrice": strikes,
        "expirationDate": [_settles(expiry)] * size,
        "daysToExpiration": [(expiry.day - today).days] * size,
        "expirationType": [expiry.type] * size,
        "lastTradingDay": [expiry.last_trading_ms] * size,
        "multiplier": [100.0] * size,
        "settlementType": ["A" if expiry.am else "P"] * size,
        "deliverableNote": [f"100 {wire}(Cash)" if board.underlying.is_index else f"100 {wire}"] * size,
        "percentChange": _round(value.net_percent, 2),
        "markChange": _round(value.mark_change, 2),
        "markPercentChange": _round(value.mark_percent, 2),
        "intrinsicValue": _round(value.intrinsic, 2),
        "extrinsicValue": _round(value.last - value.intrinsic, 2),
        "optionRoot": lines.root[group.rows],
        "exerciseType": ["E" if board.underlying.is_index else "A"] * size,
        "high52Week": _round(value.close * 1.8, 2),
        "low52Week": _round(value.close * 0.4, 2),
        "nonStandard": [False] * size,
        "pennyPilot": [not board.underlying.is_index] * size,
        "inTheMoney": (value.intrinsic > 0.0).tolist(),
        "mini": [False] * size,
    }


def _round(column: Any, digits: int) -> list[float]:
    return list(np.round(column, digits).tolist())


def _model(column: Any, gone: Sequence[int]) -> list[Number]:
    """Three decimals; -999.0 or now and then the text NaN where the model failed."""
    values: list[Number] = list(np.round(column, 3).tolist())
    for row in gone:
        values[row] = "NaN" if row % _NAN_EVERY == 0 else _MISSING
    return values


def _settles(expiry: Expiry) -> str:
    """16:00 in New York of the expiry date, in UTC, as Schwab writes it for AM and PM alike."""
    at = datetime.combine(expiry.day, datetime.min.time(), new_york(expiry.settle_at).tzinfo).replace(hour=16)
    return f"{at.astimezone(expiry.settle_at.tzinfo):%Y-%m-%dT%H:%M:%S.000+00:00}"
