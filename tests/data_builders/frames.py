"""Frames of Schwab's streamer, one kind per service: full images, then only what changed; whole books; bars. Seeded."""

import json
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

from tests.support.frames import data_frame

Row = dict[str, Any]
START_MS = 1787232600000
"""Thursday 2026-08-20, 09:30 in New York."""
BOOK_MS = START_MS + 230
DAY_MS = 34_200_000
"""The same from midnight there, as books count."""
OPTION = "SPY   260820C00770000"
FUNDS = ("QQQ", "SPY", "IWM")
CONSOLIDATED = (
    "ARCX", "NYSE", "NSDQ", "EDGX", "BATX", "IEXG", "MEMX", "MIAX", "PHLX", "BATY", "EDGA", "AMEX", "CINN", "MWSE",
    "BOSX", "G",
)  # fmt: skip
NASDAQ = ("NSDQ", "arcx", "batx", "edgx", "iexg", "memx", "nyse", "ETMM", "JPMS", "MAXM")
OPTION_VENUES = (
    "CBOE", "NYSE", "EDGX", "BATS", "MEMX", "BOSX", "S", "ISEX", "PHLX", "GMNI", "AMEX", "MERC", "MIAX",
)  # fmt: skip
MANY = tuple(f"V{number:02d}" for number in range(48))
"""As many venues as a book of a busy share has shown."""


def image_and_changes(service: str, states: Sequence[Sequence[Row]], *, every_ms: int = 1003) -> list[bytes]:
    """The first states whole, then of each later one only the fields that differ, as the server sends them."""
    frames = [data_frame(service, *states[0], timestamp=START_MS + 160)]
    for number, (before, after) in enumerate(pairwise(states), start=1):
        changed = [
            {"key": new["key"]} | {name: new[name] for name in new if new[name] != old[name]}
            for old, new in zip(before, after, strict=True)
        ]
        frames.append(data_frame(service, *changed, timestamp=START_MS + 160 + every_ms * number))
    return frames


def equity_states() -> list[list[Row]]:
    """Three funds at three moments, every field of each."""
    steps = (
        ((712.4, 712.5, 712.45, 280, 400, 4_640_000, 79), (766.8, 766.9, 766.85, 80, 40, 3_754_000, 40),
         (299.7, 299.8, 299.75, 520, 40, 2_123_000, 40)),
        ((712.4, 712.6, 712.55, 40, 400, 4_641_200, 80), (766.8, 767.0, 766.85, 80, 600, 3_755_900, 40),
         (299.7, 299.8, 299.7925, 600, 80, 2_123_900, 143)),
        ((712.3, 712.6, 712.35, 200, 440, 4_641_250, 40), (766.7, 767.0, 766.75, 80, 760, 3_758_100, 80),
         (299.7, 299.8, 299.7925, 360, 80, 2_124_000, 40)),
    )  # fmt: skip
    return [
        [_equity(key, quote, START_MS + 1000 * step) for key, quote in zip(FUNDS, quotes, strict=True)]
        for step, quotes in enumerate(steps)
    ]


def _equity(key: str, quoted: tuple[float, float, float, int, int, int, int], at_ms: int) -> Row:
    bid, ask, last, bid_size, ask_size, volume, last_size = quoted
    listing, name, close = {"QQQ": ("Q", "Nasdaq", 716.0), "SPY": ("P", "NYSE Arca", 769.0)}.get(
        key, ("P", "NYSE Arca", 301.5)
    )
    net = round(last - close, 4)
    percent = round(100 * net / close, 6)
    quote_ms, trade_ms = at_ms + 120, at_ms + 80
    values: Row = dict(
        enumerate(
            (
                bid, ask, last, bid_size, ask_size, "P", "Q", volume, last_size, close + 0.5, close - 5.0, close,
                listing, True, f"{key} fund", "D", close - 4.0, net, close + 40.0, close - 160.0, 6.5, 3.25, 0.5, 0,
                name, "2026-06-22 00:00:00.0", True, True, last, last_size, net, "Normal", last, quote_ms,
                trade_ms, trade_ms, quote_ms, quote_ms - 9, "ARCX", "XNAS", "XADF", percent, percent, net, percent,
                887_823, 0, 0, 1, 0, 0,
            ),
            start=1,
        )
    )  # fmt: skip
    head = {"key": key, "delayed": False, "assetMainType": "EQUITY", "assetSubType": "ETF", "cusip": "000000000"}
    return head | {str(number): value for number, value in values.items()}


def option_states() -> list[list[Row]]:
    """A call on its last day at two moments; volatility in percent."""
    return [
        [_option((1.25, 1.27), 45_000, 16.5125, spot=766.85, at_ms=START_MS + 100)],
        [_option((1.28, 1.31), 45_012, 16.4375, spot=766.9, at_ms=START_MS + 1150)],
    ]


def _option(quote: tuple[float, float], volume: int, iv: float, *, spot: float, at_ms: int) -> Row:
    bid, ask = quote
    mark = round((bid + ask) / 2, 4)
    values = (
        "SPY 08/20/2026 770.00 C", bid, ask, bid, 1.86, 0.98, 3.0868, volume, 2104, iv, round(spot - 770, 4), 2026, 100,
        2, 1.1, 458, 209, 2, round(bid - 3.0868, 4), 770, "C", "SPY", 8, "100 SPY", bid, 20, 0,
        round(spot - 766.4, 4), 0.117, -1.2, 0.08, 0.0025, "Normal", 1.2, spot, "W", mark, at_ms, at_ms - 400, "O",
        "OPR", 1787270400000, "P", -58.5, -1.8, -58.5, 0, True, "SPY", 13.04, 0.98, 0, 0, 0, "A",
    )  # fmt: skip
    head = {"key": OPTION, "delayed": False, "assetMainType": "OPTION"}
    return head | {str(number): value for number, value in enumerate(values, start=1)}


def future_image() -> Row:
    """A root of a future with every field of the full image; `34` names the contract behind it."""
    values = (
        6879.25, 6879.75, 6879.5, 11, 4, "?", "?", 705_408, 1, START_MS + 81, START_MS - 650, 6901.5, 6850.25, 6890.0,
        "E", "E-mini S&P 500 Index Futures,Sep-2026,ETH", "?", 6885.0, -10.5, -0.0015, "XCME", "Unknown", 430_469,
        6879.5, 0.25, 12.5, "/ES", "D,D", "GLBX(de=1640)", True, 50, True, 6890.0, "/ESU26", 1789743600000,
    )  # fmt: skip
    head = {"key": "/ES", "delayed": False, "assetMainType": "FUTURE"}
    return head | {str(number): value for number, value in enumerate(values, start=1)}


def book(key: str, mid: float, venues: Sequence[str], *, seed: int, tick: float = 0.01, unit: int = 40) -> Row:
    """A whole book: each venue once a side, levels from the best, the largest venue of a level first."""
    rng = Random(seed)
    at_ms = START_MS + 137
    sides = {side: _levels(mid, sign * tick, venues, unit, rng) for side, sign in (("2", -1), ("3", 1))}
    return {"key": key, "1": at_ms} | sides


def _levels(mid: float, step: float, venues: Sequence[str], unit: int, rng: Random) -> list[Row]:
    waiting = rng.sample(venues, len(venues))
    levels, away = [], 1
    while waiting:
        here = [waiting.pop() for _ in range(min(rng.randint(1, 7), len(waiting)))]
        entries = [{"0": venue, "1": unit * rng.randint(1, 30), "2": DAY_MS - rng.randint(0, 900)} for venue in here]
        entries.sort(key=lambda entry: -entry["1"])
        total = sum(entry["1"] for entry in entries)
        levels.append({"0": round(mid + step * away, 2), "1": total, "2": len(entries), "3": entries})
        away += rng.randint(1, 4)
    return levels


def equities() -> list[bytes]:
    """A full image of three funds, then two frames of changes, a second apart."""
    return image_and_changes("LEVELONE_EQUITIES", equity_states())


def options() -> list[bytes]:
    """A full image of a contract, then a frame of changes."""
    return image_and_changes("LEVELONE_OPTIONS", option_states())


def nyse_book() -> list[bytes]:
    """Two funds of other exchanges in one frame."""
    spy, iwm = book("SPY", 766.85, CONSOLIDATED, seed=1), book("IWM", 299.75, CONSOLIDATED, seed=2)
    return [data_frame("NYSE_BOOK", spy, iwm, timestamp=BOOK_MS)]


def nasdaq_book() -> list[bytes]:
    """A fund of the exchange's own, with its venues in small letters, and one listed elsewhere."""
    return [
        data_frame(
            "NASDAQ_BOOK",
            book("QQQ", 712.45, NASDAQ, seed=3),
            book("SPY", 766.85, NASDAQ[-3:], seed=4),
            timestamp=BOOK_MS,
        )
    ]


def options_book() -> list[bytes]:
    """One contract on thirteen exchanges."""
    return [data_frame("OPTIONS_BOOK", book(OPTION, 1.29, OPTION_VENUES, seed=5, unit=1), timestamp=BOOK_MS)]


def wide_book() -> list[bytes]:
    """A share on 48 venues."""
    return [data_frame("NYSE_BOOK", book("F", 13.125, MANY, seed=6), timestamp=BOOK_MS)]


def bars() -> list[bytes]:
    """A finished minute of a share and of a future, each service with its own order of fields."""
    minute_ms = START_MS - 60_000
    share = {"seq": 202, "key": "AMD", "1": 210, "2": 221.125, "3": 221.25, "4": 221.0, "5": 221.0625, "6": 11_730,
             "7": minute_ms, "8": minute_ms // 86_400_000}  # fmt: skip
    future = {"seq": 2224, "key": "/ES", "1": minute_ms, "2": 6858.25, "3": 6858.75, "4": 6857.75, "5": 6858.5,
              "6": 897}  # fmt: skip
    return [
        data_frame("CHART_EQUITY", share, timestamp=START_MS + 900),
        data_frame("CHART_FUTURES", future, timestamp=START_MS + 1500),
    ]


def narrow(service: str, key: str, kind: str, *values: object) -> bytes:
    """An image that holds only the first fields, because no others were asked for."""
    row = {str(number): value for number, value in enumerate(values, start=1)}
    return data_frame(service, row | {"key": key, "delayed": False, "assetMainType": kind}, timestamp=START_MS)


def one_per_service() -> list[bytes]:
    """A frame of each of the eight services, minutes apart, and one whose time the publisher took out."""
    frames = [
        narrow("LEVELONE_EQUITIES", "AMD", "EQUITY", 217.75, 217.95, 217.9, 200, 100, "P", "P", 33_292_400),
        narrow("LEVELONE_OPTIONS", "SPXW  260820C06880000", "OPTION", "SPXW 08/20/2026 6880.00 C", 10.2, 10.6, 10.6),
        data_frame("LEVELONE_FUTURES", future_image(), timestamp=START_MS),
        *nyse_book(), *nasdaq_book(), *options_book(), *bars(),
    ]  # fmt: skip
    return [_at(raw, START_MS + 75_000 * number) for number, raw in enumerate(frames)] + [_at(frames[-1], 0)]


def _at(raw: bytes, timestamp: int) -> bytes:
    tree = json.loads(raw)
    tree["data"][0]["timestamp"] = timestamp
    return json.dumps(tree, separators=(",", ":")).encode()


FILES = {
    "equities.jsonl": equities, "options.jsonl": options, "nyse_book.jsonl": nyse_book,
    "nasdaq_book.jsonl": nasdaq_book, "options_book.jsonl": options_book, "wide_book.jsonl": wide_book,
    "one_per_service.jsonl": one_per_service,
}  # fmt: skip
"""Every kind of recording by the name of its file, one frame a line."""


def every_frame() -> list[bytes]:
    """All of them."""
    return [raw for make in FILES.values() for raw in make()]


def as_file(frames: Sequence[bytes]) -> bytes:
    """Frames as a recording of lines."""
    return b"\n".join(frames) + b"\n"
