"""Maps of the rest of a session, made by hand."""

import math
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from streaming.clock import epoch_ms, instant_of
from streaming.day_map import DayMap, MapPart
from streaming.model import GexSnapshot
from tests.support.charts import NOON

CLOSE = NOON + timedelta(hours=4)


def made_map(
    at: datetime = NOON,
    *,
    ticker: str = "NQ_NDX",
    prices: Sequence[float] = (24900.0, 25000.0, 25100.0),
    times: int = 2,
    **changes: object,
) -> DayMap:
    """From `at` to 16:00; two parts: gamma falls through 0 with rising price, flow grows with time."""
    begins, ends = epoch_ms(at), epoch_ms(CLOSE)
    fields: dict[str, object] = {
        "ticker": ticker,
        "asof_ms": begins,
        "spot": 25061.25,
        "prices": tuple(prices),
        "times_ms": tuple(begins + (ends - begins) * n // times for n in range(times)),
        "ends_ms": ends,
        "parts": tuple(_part(len(prices), times, size) for size in (1.0, 0.25)),
        "scopes": {"zero": (0,), "one": (1,), "full": (0, 1), "all": (0, 1)},
    }
    return DayMap(**(fields | changes))  # type: ignore[arg-type]  # a test's own fields


def map_of(seen: GexSnapshot) -> DayMap:
    """A whole map around a snapshot's spot, its figures in step with the snapshot's."""
    ladder = seen.scopes["full"].ladder if "full" in seen.scopes else ()
    size = ladder[0][1] / 6e7 if ladder else 1.0
    spot = seen.spot or 25_000.0
    at = instant_of(seen.asof_ms)
    prices = [spot * (1.0 + 0.0003 * n) for n in range(-30, 31)]
    whole = made_map(at, ticker=seen.ticker, prices=prices, times=27, spot=spot)
    return replace(whole, parts=tuple(_part(61, 27, size * share) for share in (1.0, 0.25)))


def _part(prices: int, times: int, size: float) -> MapPart:
    def cells(each: float) -> bytes:
        rows = [(n - prices / 2.0 + 0.25) / prices for n in range(prices)]
        return array("f", [size * each * row * (1.0 + t) for row in rows for t in range(times)]).tobytes()

    def traded(each: float) -> bytes:
        waves = [math.cos(6.0 * n / prices) for n in range(prices)]
        return array("f", [size * each * wave * t for wave in waves for t in range(times)]).tobytes()

    return MapPart(gamma_oi=cells(-9e9), gamma_vol=cells(6e9), flow_oi=traded(2e8), flow_vol=traded(-3e8))
