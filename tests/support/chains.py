"""Chains as bodies for the engines."""

from datetime import UTC, date, datetime, timedelta

from streaming.engine_host import ChainBody
from tests.support.schwab_chains import chain_document, contract

ASOF = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 8, 20)
TOMORROW = TODAY + timedelta(days=1)


def expiry_body(expiry: date, *, required: tuple[date, ...] = (), root: str = "SPXW", interest: int = 100) -> ChainBody:
    """One expiry of SPX with eleven strikes around 5660."""
    contracts = [
        contract(f"{root:6}{expiry:%y%m%d}{side}{strike * 1000:08d}", openInterest=interest + strike % 7)
        for strike in range(5600, 5710, 10)
        for side in "CP"
    ]
    planned = (TODAY, TOMORROW)
    return ChainBody(
        underlying="SPX", kind="schwab", payload=chain_document(*contracts), asof=ASOF,
        expiry=expiry, planned=planned, required=required or planned,
    )  # fmt: skip
