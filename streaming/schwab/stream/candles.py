"""Schwab's one-minute bars as candles (specs/schwab-wire.md §2.13). Pure."""

from streaming.clock import instant_of
from streaming.model import Candle
from streaming.schwab.wire.rows import EquityBarRow, FutureBarRow
from streaming.schwab.wire.values import count, instant_ms, signed_price


def candle_from(
    row: EquityBarRow | FutureBarRow, *, recv_ms: int, source: str, contract: str | None, seq: int
) -> Candle | None:
    """The candle of a bar; None without a start or with a price missing: half a bar is no bar."""
    start_ms = instant_ms(row.bar_ms)
    prices = [signed_price(value) for value in (row.open, row.high, row.low, row.close)]
    if not start_ms or None in prices:
        return None
    opened, high, low, closed = (price for price in prices if price is not None)
    return Candle(
        symbol=row.key,
        timestamp=instant_of(start_ms),
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=count(row.volume),
        event_ms=start_ms,
        recv_ms=recv_ms,
        source=source,
        contract=contract,
        source_seq=count(row.seq),
        seq=seq,
    )
