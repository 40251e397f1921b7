"""One contract of `/chains`, with Schwab's own names, rounding and gaps (specs/schwab-wire.md §3.1)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal

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


class ChainContract(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """One contract as `/chains` shows it."""

    put_call: Side
    symbol: str
    description: str
    exchange_name: str
    bid: float
    ask: float
    last: float
    mark: float
    bid_size: int
    ask_size: int
    bid_ask_size: str
    last_size: int
    high_price: float
    low_price: float
    open_price: float
    close_price: float
    total_volume: int
    trade_time_in_long: int
    quote_time_in_long: int
    net_change: float
    volatility: Number
    delta: Number
    gamma: Number
    theta: Number
    vega: Number
    rho: Number
    open_interest: int
    time_value: float
    theoretical_option_value: Number
    theoretical_volatility: float
    option_deliverables_list: list[dict[str, Any]]
    strike_price: float
    expiration_date: str
    days_to_expiration: int
    expiration_type: str
    last_trading_day: int
    multiplier: float
    settlement_type: str
    deliverable_note: str
    percent_change: float
    mark_change: float
    mark_percent_change: float
    intrinsic_value: float
    extrinsic_value: float
    option_root: str
    exercise_type: str
    high52_week: float
    low52_week: float
    non_standard: bool
    penny_pilot: bool
    in_the_money: bool
    mini: bool


def contracts_of(board: OptionBoard, group: Group, *, today: date) -> Iterable[ChainContract]:
    """The contracts of one root's expiry, calls first, strikes ascending."""
    columns = _columns(board, group, today=today)
    return (ChainContract(*row) for row in zip(*columns, strict=True))


def _columns(board: OptionBoard, group: Group, *, today: date) -> Sequence[Sequence[Any]]:
    """One list per field of ChainContract, in its order."""
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
    return (
        ["CALL" if call else "PUT" for call in calls],
        lines.symbol[group.rows],
        [f"{head} {k:.2f} {'C' if call else 'P'}" for k, call in zip(strikes, calls, strict=True)],
        ["OPR"] * size,
        _round(quotes.bid, 2),
        _round(quotes.ask, 2),
        _round(value.last, 2),
        _round(value.mark, 2),
        bid_sizes,
        ask_sizes,
        [f"{bid}X{ask}" for bid, ask in zip(bid_sizes, ask_sizes, strict=True)],
        trades.last_size[rows].tolist(),
        _round(trades.high[rows], 2),
        _round(trades.low[rows], 2),
        [0.0] * size,
        _round(value.close, 2),
        lines.volume[rows].tolist(),
        trades.trade_ms[rows].tolist(),
        quotes.quote_ms.tolist(),
        _round(value.net_change, 2),
        _model(quotes.iv * 100.0, gone),
        _model(quotes.delta, gone),
        _model(quotes.gamma, gone),
        _model(quotes.theta, gone),
        _model(quotes.vega, gone),
        _model(quotes.rho, gone),
        lines.open_interest[rows].tolist(),
        _round(value.time_value, 2),
        _model(quotes.theoretical, gone),
        [MODEL_VOLATILITY] * size,
        [deliverables] * size,
        strikes,
        [_settles(expiry)] * size,
        [(expiry.day - today).days] * size,
        [expiry.type] * size,
        [expiry.last_trading_ms] * size,
        [100.0] * size,
        ["A" if expiry.am else "P"] * size,
        [f"100 {wire}(Cash)" if board.underlying.is_index else f"100 {wire}"] * size,
        _round(value.net_percent, 2),
        _round(value.mark_change, 2),
        _round(value.mark_percent, 2),
        _round(value.intrinsic, 2),
        _round(value.last - value.intrinsic, 2),
        lines.root[group.rows],
        ["E" if board.underlying.is_index else "A"] * size,
        _round(value.close * 1.8, 2),
        _round(value.close * 0.4, 2),
        [False] * size,
        [not board.underlying.is_index] * size,
        (value.intrinsic > 0.0).tolist(),
        [False] * size,
    )


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
