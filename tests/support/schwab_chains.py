"""Schwab chain documents for tests."""

import json
from typing import Any


def contract(symbol: str, **more: Any) -> dict[str, Any]:
    """One contract in production's names; anything may be replaced."""
    return {
        "putCall": "CALL" if symbol[12] == "C" else "PUT",
        "symbol": symbol,
        "bid": 1.0,
        "ask": 1.2,
        "volatility": 16.5,
        "openInterest": 100,
        "totalVolume": 10,
        "strikePrice": int(symbol[13:]) / 1000,
        "multiplier": 100.0,
        "settlementType": "P",
        "optionRoot": symbol[:6].strip(),
        "nonStandard": False,
        "mini": False,
        "quoteTimeInLong": 1746824397889,
    } | more


def chain_document(*contracts: dict[str, Any], **more: Any) -> bytes:
    """A `/chains` answer with these contracts, filed under their own dates and strikes."""
    sides: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {"callExpDateMap": {}, "putExpDateMap": {}}
    for item in contracts:
        symbol = item["symbol"]
        side = sides["callExpDateMap" if symbol[12] == "C" else "putExpDateMap"]
        expiry = f"20{symbol[6:8]}-{symbol[8:10]}-{symbol[10:12]}:9"
        side.setdefault(expiry, {}).setdefault(str(int(symbol[13:]) / 1000), []).append(item)
    head = {"symbol": "$SPX", "status": "SUCCESS", "isDelayed": False, "underlyingPrice": 5659.91}
    return json.dumps(head | sides | more).encode()
