"""The real chains read by the standard library alone, for comparison with what `streaming.sources` reads."""

import csv
import gzip
import json
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.slow_gex import Contract

STANDARD = {"SPX": {"SPX", "SPXW"}, "NDX": {"NDX", "NDXP"}, "RUT": {"RUT", "RUTW"}, "XSP": {"XSP", "XSPW"}}


def read_slowly(path: Path, ticker: str) -> tuple[float, list[Contract]]:
    """Spot and the standard contracts of a file."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    spot, contracts = _json(text) if text.lstrip().startswith("{") else _table(text)
    roots = STANDARD.get(ticker, {ticker})
    return spot, [contract for contract in contracts if contract.root in roots]


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return float("nan")


def _amount(text: object) -> float:
    number = _number(text)
    return number if math.isfinite(number) and number > 0.0 else 0.0


def _contract(symbol: str, iv: object, weight: tuple[object, object], *numbers: object) -> Contract:
    """`numbers` are bid, ask and, where there are any, gamma and vega."""
    root, day, side, strike = symbol[:-15], symbol[-15:-9], symbol[-9], symbol[-8:]
    expiry = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    amounts = (_amount(weight[0]), _amount(weight[1]))
    return Contract(root, expiry, side == "C", int(strike) / 1000, _number(iv), amounts, *map(_number, numbers))


def _table(text: str) -> tuple[float, list[Contract]]:
    lines = text.replace("\r", "").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Expiration Date"))
    spot = next(float(line.split("Last:")[1].split(",")[0]) for line in lines[:start] if "Last:" in line)
    found = []
    for cells in csv.reader(lines[start + 1 :]):
        for at in (1, 12):
            if len(cells) > at + 9 and cells[at].strip():
                last, _net, bid, ask, volume, iv, _delta, _gamma, interest = cells[at + 1 : at + 10]
                found.append(_contract(cells[at], iv, (interest, volume), bid, ask))
                assert last is not None
    return spot, found


def _json(text: str) -> tuple[float, list[Contract]]:
    body = json.loads(text)
    if "callExpDateMap" in body:
        return _ameritrade(body)
    data = body.get("data", body)
    rows = data["options"]
    return data["current_price"], [
        _contract(
            row["option"],
            row.get("iv"),
            (row.get("open_interest"), row.get("volume")),
            row.get("bid"),
            row.get("ask"),
            row.get("gamma"),
            row.get("vega"),
        )
        for row in rows
    ]


def _ameritrade(body: dict[str, Any]) -> tuple[float, list[Contract]]:
    spot = body.get("underlyingPrice") or body["underlying"]["last"]
    return spot, list(_ameritrade_rows(body))


def _ameritrade_rows(body: dict[str, Any]) -> Iterator[Contract]:
    for side in ("callExpDateMap", "putExpDateMap"):
        for day, strikes in body[side].items():
            for rows in strikes.values():
                for row in rows:
                    iv = _number(row["volatility"]) / 100.0
                    weight = (_amount(row["openInterest"]), _amount(row["totalVolume"]))
                    expiry = date.fromisoformat(day.partition(":")[0])
                    numbers = (row["bid"], row["ask"], _number(row["gamma"]), _number(row["vega"]))
                    yield Contract("SPY", expiry, side[0] == "c", row["strikePrice"], iv, weight, *numbers)
