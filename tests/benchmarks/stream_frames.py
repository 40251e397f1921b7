"""Frames as the laboratory mixed them: 80 % level-one deltas of 3 to 8 fields, 20 % books of 20 levels a side.

Every frame carries its server's stamp as a number that survives decoding, merging and encoding: the volume of a delta,
the size of a book's best bid. It is the monotonic time in microseconds plus `STAMP_BASE`, so it has sixteen digits and
no other number of an event looks like it.
"""

import json
import random
import time

STAMP_BASE = 7_000_000_000_000_000
SYMBOLS = (
    *("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "AVGO", "TSLA", "COST", "NFLX"),
    *("AMD", "PEP", "ADBE", "CSCO", "QCOM", "INTU", "TXN", "AMGN", "HON", "SBUX"),
)
TEMPLATES = 1_000
_PLACE = 7_777_777_777_777_777
_AT_MS = 1_787_233_770_967
_OPTIONAL = ("1", "2", "3", "4", "5", "9")
Template = tuple[bytes, bytes]
"""A whole WebSocket frame before and after its stamp."""


def stamp() -> bytes:
    """Now, as the digits that go between the halves of a template."""
    return b"%d" % (STAMP_BASE + time.monotonic_ns() // 1000)


def websocket_frame(text: bytes) -> bytes:
    """One unmasked text frame, as servers send them."""
    size = len(text)
    if size < 126:
        return b"\x81" + bytes([size]) + text
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


def templates(seed: int = 1) -> list[Template]:
    """A thousand frames to send over and over."""
    return [_halves(websocket_frame(text)) for text in _texts(seed)]


def texts(stamped: bytes, seed: int = 1) -> list[bytes]:
    """What is inside the same frames, with one stamp."""
    return [stamped.join(_halves(text)) for text in _texts(seed)]


def _texts(seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [_book(rng) if n % 5 == 4 else _delta(rng) for n in range(TEMPLATES)]


def images() -> list[bytes]:
    """The first frame of every symbol, with everything level one knows of it."""
    full = {"delayed": False, "assetMainType": "EQUITY", "cusip": "000000000", "13": "Q"}
    prices = {
        "1": 230.11,
        "2": 230.13,
        "3": 230.12,
        "4": 300,
        "5": 400,
        "8": 1_000,
        "9": 100,
        "34": _AT_MS,
        "35": _AT_MS,
    }
    return [websocket_frame(_data("LEVELONE_EQUITIES", {"key": symbol} | full | prices)) for symbol in SYMBOLS]


def _data(service: str, row: dict[str, object]) -> bytes:
    block = {"service": service, "timestamp": _AT_MS, "command": "SUBS", "content": [row]}
    return json.dumps({"data": [block]}, separators=(",", ":")).encode()


def _halves(frame: bytes) -> Template:
    before, found, after = frame.partition(b"%d" % _PLACE)
    assert found, "the frame has no place for a stamp"
    return before, after


def _price(rng: random.Random, level: int = 0) -> float:
    return round(230 + rng.random() + level * 0.01, 2)


def _delta(rng: random.Random) -> bytes:
    """The volume, the quote's time and one to six more."""
    row: dict[str, object] = {"key": rng.choice(SYMBOLS)}
    for field in sorted(rng.sample(_OPTIONAL, rng.randint(1, 6))):
        row[field] = _price(rng) if field in "123" else rng.randint(1, 9_000)
    return _data("LEVELONE_EQUITIES", row | {"8": _PLACE, "34": _AT_MS + rng.randint(0, 900)})


def _book(rng: random.Random) -> bytes:
    sides: dict[str, object] = {side: [_level(rng, n, side == "2") for n in range(20)] for side in "23"}
    return _data("NASDAQ_BOOK", {"key": rng.choice(SYMBOLS), "1": _AT_MS} | sides)


def _level(rng: random.Random, place: int, bid: bool) -> dict[str, object]:
    venues = [
        {
            "0": rng.choice(("NSDQ", "ARCX", "BATS", "EDGX")),
            "1": rng.randint(1, 900),
            "2": 35_370_000 - rng.randint(0, 9_999),
        }
        for _ in range(1 + (place % 5 == 0))
    ]
    size = _PLACE if bid and place == 0 else sum(int(str(venue["1"])) for venue in venues)
    step = -place if bid else place + 2
    return {"0": round(230 + step * 0.01, 2), "1": size, "2": len(venues), "3": venues}
