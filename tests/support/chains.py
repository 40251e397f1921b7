"""Chains as bodies for the engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from streaming.engine.engine_host import ChainDelivery
from tests.support.schwab_chains import chain_document, contract

ASOF = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 8, 20)
TOMORROW = TODAY + timedelta(days=1)
STRIKES = range(5600, 5710, 10)
_HEAD = frozenset({"symbol", "status", "callExpDateMap", "putExpDateMap", "underlyingPrice"})


def chain_of(*expiries: date, sides: str = "CP", root: str = "SPXW", strikes: Any = STRIKES, **more: Any) -> bytes:
    """An answer with eleven strikes around 5660; `more` changes its head or all of its contracts."""
    contracts = [
        contract(
            f"{root:6}{expiry:%y%m%d}{side}{strike * 1000:08d}",
            **{"openInterest": 100 + strike % 7} | {name: value for name, value in more.items() if name not in _HEAD},
        )
        for expiry in expiries
        for strike in strikes
        for side in sides
    ]
    return chain_document(*contracts, **{name: value for name, value in more.items() if name in _HEAD})


def body_of(
    payload: bytes, expiry: date | None = TODAY, *, required: tuple[date, ...] = (), later_s: float = 0.0
) -> ChainDelivery:
    """An answer as one expiry of SPX, or as its whole chain, that came some seconds after ASOF."""
    planned = () if expiry is None else (TODAY, TOMORROW)
    return ChainDelivery(
        underlying="SPX", kind="schwab", payload=payload, asof=ASOF + timedelta(seconds=later_s),
        expiry=expiry, planned=planned, required=required or planned,
    )  # fmt: skip


def expiry_body(expiry: date, *, required: tuple[date, ...] = ()) -> ChainDelivery:
    """One expiry of SPX with eleven strikes around 5660."""
    return body_of(chain_of(expiry), expiry, required=required)
