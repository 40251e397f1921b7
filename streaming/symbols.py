"""Names of instruments: what people type, what Schwab calls it, what the feed calls it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from streaming.errors import RequestError

_ALIASES: Final = {"NQ": "NQ_NDX", "MNQ": "NQ_NDX", "ES": "ES_SPX", "MES": "ES_SPX"}
_FUTURES_TICKERS: Final = {"NQ_NDX": ("NDX", "/NQ"), "ES_SPX": ("SPX", "/ES")}
_INDEXES: Final = frozenset(
    {
        "SPX", "NDX", "RUT", "VIX", "XSP", "DJX", "XND", "DJI", "COMPX", "TNX", "OEX", "XEO", "MRUT", "MXEA", "MXEF",
        "RUI", "RLG",
    }
)  # fmt: skip
_AM_ROOTS: Final = frozenset({"SPX", "NDX", "RUT", "VIX", "VIXW", "DJX", "MXEA", "MXEF", "RUI", "RLG"})
_SMALL_ROOTS: Final = frozenset({"NANOS"})
"""Contracts on 1 of an index."""
_OSI_LENGTH: Final = 21
WEEKLY_ROOTS: Final = {"SPXW": "SPX", "NDXP": "NDX", "RUTW": "RUT", "VIXW": "VIX", "XSPW": "XSP"}
"""Roots of options that are part of an index's chain and no instruments themselves."""
_CLASS_SHARE: Final = re.compile(r"^([A-Z]{1,5})[./-]([A-Z])$")
_TICKER: Final = re.compile(r"[A-Z][A-Z0-9._]{0,11}")
_CURRENCIES: Final = "USD|EUR|GBP|JPY|AUD|CAD|CHF|NZD|CNH|MXN|SEK|NOK|DKK|PLN|SGD|HKD|ZAR|TRY"
_PAIR: Final = re.compile(rf"(?:{_CURRENCIES})/(?:{_CURRENCIES})")
_OUTSIDE: Final = re.compile(r"[A-Za-z0-9_.:+/^$-]{1,24}|[A-Z0-9 ]{6}[0-9]{6}[CP][0-9]{8}")
_WIRE: Final = re.compile(r"\$[A-Z0-9.]{1,11}|/[A-Z0-9]{1,20}|[A-Z][A-Z0-9./]{0,11}|[A-Z0-9 ]{6}\d{6}[CP]\d{8}")


@dataclass(frozen=True, slots=True)
class Ticker:
    """What a published ticker is made of."""

    name: str
    """SPX, NQ_NDX, SPY ..."""
    underlying: str
    """The chain that is priced: SPX, NDX, SPY ..."""
    future: str | None = None
    """The future whose basis shifts the levels, or None."""

    @property
    def wire(self) -> str:
        """Schwab's symbol of the underlying: `$SPX` for an index, `SPY` for a share, `BRK/B` for one of a class."""
        if self.underlying in _INDEXES:
            return f"${self.underlying}"
        return _CLASS_SHARE.sub(r"\1/\2", self.underlying)

    @property
    def decimals(self) -> int:
        """Decimals that prices of this ticker are shown with."""
        return 2


@dataclass(frozen=True, slots=True)
class Family:
    """Instruments that stand for one another, by wire symbol."""

    index: str
    etf: str
    future: str
    minis: tuple[tuple[str, float], ...] = ()
    """Smaller indexes of the same, and how many of their points one of the index's is."""


_FAMILIES: Final = (
    Family("$SPX", "SPY", "/ES", (("$XSP", 0.1),)),
    Family("$NDX", "QQQ", "/NQ"),
    Family("$RUT", "IWM", "/RTY"),
)


def family_of(ticker: Ticker) -> Family | None:
    """The family of a ticker's underlying; None for one that stands alone."""
    return next((family for family in _FAMILIES if ticker.wire in {family.index, family.etf}), None)


def books() -> dict[str, tuple[str, ...]]:
    """The tickers that price one market by the index's name: the index first, its ETF, its minis."""
    wires = ((family.index, family.etf, *(mini for mini, _ in family.minis)) for family in _FAMILIES)
    return {index.removeprefix("$"): tuple(wire.removeprefix("$") for wire in (index, *rest)) for index, *rest in wires}


def points_of_index(ticker: Ticker) -> float | None:
    """Points of the index for one of a mini's, by definition; None for what is no mini."""
    minis = (mini for family in _FAMILIES for mini in family.minis)
    return next((1.0 / points for wire, points in minis if wire == ticker.wire), None)


class NotServedError(RequestError, ValueError):
    """A name of something that is not served under it or not at all; a validator of settings may raise it as it is."""


def _part_of_index(root: str, symbol: str) -> NotServedError:
    return NotServedError(f"{root} names weekly options that are part of {symbol}.", remedy=f"Use {symbol}.")


def parse_ticker(text: str) -> Ticker:
    """What a person meant by `nq`, `$SPX`, `SPX.X`, `BRK/B` or `ES_SPX`; RequestError when it is no ticker."""
    name = text.strip().upper().removeprefix("$").removeprefix("/").removesuffix(".X")
    name = _ALIASES.get(name, name)
    if name in WEEKLY_ROOTS:
        raise _part_of_index(name, WEEKLY_ROOTS[name])
    if share := _CLASS_SHARE.fullmatch(name):
        name = ".".join(share.groups())
    if name in _FUTURES_TICKERS:
        underlying, future = _FUTURES_TICKERS[name]
        return Ticker(name, underlying, future)
    if not _TICKER.fullmatch(name):
        raise RequestError(
            f"{text.strip()[:20]!r} is not a ticker.", remedy="Use a name such as SPX, NDX, SPY or NQ_NDX."
        )
    return Ticker(name, name)


def parse_wire_symbol(text: str) -> str:
    """Schwab's form of a configured symbol: upper case, no exchange suffix (`/MNQ:XCME` -> `/MNQ`).

    Raises RequestError when the text cannot be a symbol.
    """
    symbol = text.upper().strip()
    if symbol.startswith("./") or _PAIR.fullmatch(symbol):
        raise NotServedError(
            "Options on futures and pairs of currencies are not streamed.",
            remedy="Use shares, indexes, futures such as /ES, or 21-character option symbols.",
        )
    if symbol.startswith("/"):
        symbol = symbol.partition(":")[0]
    symbol = symbol.removesuffix(".X") if symbol.startswith("$") else symbol
    if symbol.removeprefix("$") in WEEKLY_ROOTS:
        raise _part_of_index(symbol, f"${WEEKLY_ROOTS[symbol.removeprefix('$')]}")
    if symbol in _INDEXES:
        symbol = f"${symbol}"
    if share := _CLASS_SHARE.fullmatch(symbol):
        symbol = "/".join(share.groups())
    if not _WIRE.fullmatch(symbol):
        raise RequestError(
            f"{text.strip()[:24]!r} is not a symbol.",
            remedy="Use SPY, $SPX, /MNQ or /MNQ:XCME, or a 21-character option symbol.",
        )
    return symbol


def may_be_symbol(text: str) -> bool:
    """Whether a name from outside can be an instrument's: up to 24 plain characters, or an option's 21."""
    return _OUTSIDE.fullmatch(text) is not None


def has_standard_size(root: str) -> bool:
    """Whether a root's contracts are on 100 of the underlying, where the feed does not say their multiplier."""
    return root not in _SMALL_ROOTS


def is_am_settled(root: str) -> bool:
    """Whether a root settles at the opening print of its expiry date when no flag says otherwise."""
    return root in _AM_ROOTS


def is_index(symbol: str) -> bool:
    """Whether a wire symbol is an index (no bid, no ask, no book)."""
    return symbol.startswith("$")


def is_future(symbol: str) -> bool:
    """Whether a wire symbol is a future."""
    return symbol.startswith("/")


def is_option(symbol: str) -> bool:
    """Whether a wire symbol is a 21-character equity or index option."""
    return len(symbol) == _OSI_LENGTH and symbol[12] in "CP"
