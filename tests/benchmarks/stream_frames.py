"""Frames for the stream's benchmarks: as Schwab frames them, and one row a frame as a laboratory mixes them.

Every row carries its server's stamp as a number that survives decoding, merging and encoding: the volume of level one,
the size of a book's best bid. It is the monotonic time in microseconds plus `STAMP_BASE`, so it has sixteen digits and
no other number of an event looks like it.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

STAMP_BASE = 7_000_000_000_000_000
_PLACE = b"7777777777777777"
_AT_MS = 1_787_233_770_967
_LAB_FRAMES = 1_000
_LAB_SYMBOLS = (
    *("AAPL", "MSFT", "NVDA", "AMZN", "META", "GOOGL", "AVGO", "TSLA", "COST", "NFLX"),
    *("AMD", "PEP", "ADBE", "CSCO", "QCOM", "INTU", "TXN", "AMGN", "HON", "SBUX"),
)
_DIFFERENT_BURSTS = 8
_EQUITIES, _OPTIONS, _FUTURES, _BOOKS = "LEVELONE_EQUITIES", "LEVELONE_OPTIONS", "LEVELONE_FUTURES", "NASDAQ_BOOK"
_SHARES = {_EQUITIES: 0.36, _OPTIONS: 0.56, _FUTURES: 0.04, _BOOKS: 0.04}
"""Of a burst's rows."""
_NUMBERS = {
    _EQUITIES: ("1", "2", "3", "4", "5", "9", "34"),
    _OPTIONS: ("2", "3", "4", "16", "17", "18", "38"),
    _FUTURES: ("1", "2", "3", "4", "5", "9", "10"),
}
"""Bid, ask, last, their three sizes and the time of the quote; the volume is 8 everywhere."""
_HEAD = {"delayed": False, "cusip": "000000000"}
Row = dict[str, object]


@dataclass(frozen=True)
class Unit:
    """What is sent together: WebSocket frames whose stamps are still to be written."""

    frames: bytes
    rows: int
    events: int
    """What we make of them: futures have a book of one level besides."""

    def stamped(self, stamp: bytes) -> bytes:
        """The same, sent now."""
        return self.frames.replace(_PLACE, stamp)


@dataclass(frozen=True)
class Mix:
    """A market: its symbols by service, the first image of each, and what is sent over and over."""

    symbols: Mapping[str, Sequence[str]]
    units: Sequence[Unit]
    between: Sequence[Unit] = ()
    """What comes in the middle between two units, as many as these."""

    @property
    def images(self) -> int:
        """Rows that come with the subscriptions."""
        return sum(map(len, self.symbols.values()))

    def image_frame(self, service: str, keys: Iterable[str]) -> bytes:
        """A full image of each of these symbols."""
        prices: Row = dict.fromkeys(_NUMBERS[service][:3], 230.12) | {"8": 1_000, _NUMBERS[service][-1]: _AT_MS}
        listing: Row = {"13": "Q", "assetMainType": "EQUITY"} if service == _EQUITIES else {}
        return websocket_frame(_data(service, [{"key": key} | _HEAD | prices | listing for key in keys]))


def stamp() -> bytes:
    """Now, as the digits that take the place of a stamp."""
    return b"%d" % (STAMP_BASE + time.monotonic_ns() // 1000)


def websocket_frame(text: bytes) -> bytes:
    """One unmasked text frame, as servers send them."""
    size = len(text)
    if size < 126:
        return b"\x81" + bytes([size]) + text
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


def mix_named(name: str) -> Mix:
    """`lab`, or the number of rows in one of Schwab's bursts."""
    return lab_mix() if name == "lab" else schwab_mix(int(name))


def texts(name: str, stamped: bytes) -> list[bytes]:
    """What is inside the frames of a mix, with one stamp."""
    rng = random.Random(1)
    made = _lab_texts(rng) if name == "lab" else [text for one in _bursts(_symbols(int(name)), rng) for text in one]
    return [text.replace(_PLACE, stamped) for text in made]


def lab_mix() -> Mix:
    """One row a frame: 80 % level-one deltas of 3 to 8 fields, 20 % books of 20 levels a side and 48 venues."""
    units = [Unit(websocket_frame(text), 1, 1) for text in _lab_texts(random.Random(1))]
    return Mix({_EQUITIES: _LAB_SYMBOLS}, units)


def schwab_mix(rows: int) -> Mix:
    """All that changed within a second at once, a frame for each service; books twice a second, as captured.

    36 % shares, 56 % options, 4 % futures and 4 % books of 12 levels a side, each symbol at most once.
    """
    rng, symbols = random.Random(1), _symbols(rows)
    bursts = [_unit(burst, symbols) for burst in _bursts(symbols, rng)]
    books = symbols[_BOOKS]
    between = [
        Unit(websocket_frame(_data(_BOOKS, [_book(rng, key, 12) for key in books])), len(books), len(books))
        for _ in bursts
    ]
    return Mix({name: keys for name, keys in symbols.items() if name != _BOOKS}, bursts, between)


def _symbols(rows: int) -> dict[str, list[str]]:
    named: dict[str, Callable[[int], str]] = {
        _EQUITIES: lambda n: "Q" + "".join(chr(65 + n // 26**place % 26) for place in range(3)),
        _OPTIONS: lambda n: f"SPXW  261130{'CP'[n % 2]}{5_000 + 5 * (n // 2):05d}000",
        _FUTURES: lambda n: f"/Q{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}Z26",
    }
    counts = {service: max(1, round(rows * share)) for service, share in _SHARES.items()}
    counts[_OPTIONS] += rows - sum(counts.values())
    symbols = {service: [name(n) for n in range(counts[service])] for service, name in named.items()}
    return symbols | {_BOOKS: symbols[_EQUITIES][: counts[_BOOKS]]}


def _bursts(symbols: Mapping[str, Sequence[str]], rng: random.Random) -> list[list[bytes]]:
    return [[_frame(service, keys, rng) for service, keys in symbols.items()] for _ in range(_DIFFERENT_BURSTS)]


def _frame(service: str, keys: Sequence[str], rng: random.Random) -> bytes:
    rows = [_book(rng, key, 12) if service == _BOOKS else _delta(rng, service, key) for key in keys]
    return _data(service, rows)


def _unit(frames: Sequence[bytes], symbols: Mapping[str, Sequence[str]]) -> Unit:
    rows = sum(map(len, symbols.values()))
    events = rows + len(symbols[_FUTURES])
    return Unit(b"".join(map(websocket_frame, frames)), rows, events)


def _lab_texts(rng: random.Random) -> list[bytes]:
    return [
        _data(_BOOKS, [_book(rng, rng.choice(_LAB_SYMBOLS), 20, every_second=5)])
        if n % 5 == 4
        else _data(_EQUITIES, [_delta(rng, _EQUITIES, rng.choice(_LAB_SYMBOLS))])
        for n in range(_LAB_FRAMES)
    ]


def _data(service: str, rows: Sequence[Row]) -> bytes:
    block = {"service": service, "timestamp": _AT_MS, "command": "SUBS", "content": rows}
    return json.dumps({"data": [block]}, separators=(",", ":")).encode().replace(b'"' + _PLACE + b'"', _PLACE)


def _price(rng: random.Random) -> float:
    return round(230 + rng.random(), 2)


def _delta(rng: random.Random, service: str, key: str) -> Row:
    """The volume, the quote's time and one to six more; of a future always the bid, which changes its book."""
    *names, quoted = _NUMBERS[service]
    row: Row = {"key": key, names[0]: _price(rng)} if service == _FUTURES else {"key": key}
    for name in sorted(rng.sample(names, rng.randint(1, 6)), key=int):
        row[name] = _price(rng) if name in names[:3] else rng.randint(1, 9_000)
    return row | {"8": _PLACE.decode(), quoted: _AT_MS + rng.randint(0, 900)}


def _book(rng: random.Random, key: str, levels: int, *, every_second: int = 3) -> Row:
    """One venue a level, and a second one at some."""
    sides = {side: [_level(rng, n, side == "2", 1 + (n % every_second == 0)) for n in range(levels)] for side in "23"}
    return {"key": key, "1": _AT_MS} | sides


def _level(rng: random.Random, place: int, bid: bool, count: int) -> Row:
    venues = [
        {
            "0": rng.choice(("NSDQ", "ARCX", "BATS", "EDGX")),
            "1": rng.randint(1, 900),
            "2": 35_360_000 + rng.randint(1, 9_999),
        }
        for _ in range(count)
    ]
    size: object = _PLACE.decode() if bid and place == 0 else sum(int(str(venue["1"])) for venue in venues)
    step = -place if bid else place + 2
    return {"0": round(230 + step * 0.01, 2), "1": size, "2": count, "3": venues}
