"""Names that others give to tickers, producers and instruments: what may be shown and stored of them. Pure."""

import re
from typing import Final

from streaming.errors import ContractError, RequestError
from streaming.symbols import parse_ticker

_TICKER: Final = re.compile(r"[A-Za-z0-9_.:+/^$-]{1,24}")
_PRODUCER: Final = re.compile(r"[A-Za-z0-9_.:+/-]{1,24}")
_NOTE: Final = re.compile(r"[A-Za-z0-9 .,:+%-]{0,40}")
_LINK: Final = "//"
"""What Discord makes a link of, though each of its characters may stand in a name."""


def is_ticker(name: str) -> bool:
    """Whether a name from outside may be a ticker's or an instrument's."""
    return _TICKER.fullmatch(name) is not None and _LINK not in name


def is_producer(name: str) -> bool:
    """Whether a name from outside may be a producer's: `cboe`, `simulated`, `file:2024-06-03`."""
    return _PRODUCER.fullmatch(name) is not None and _LINK not in name


def is_note(text: str) -> bool:
    """Whether text from outside may be shown beside a figure: a date, a reason of a few plain words."""
    return _NOTE.fullmatch(text) is not None


def ticker_of(value: object) -> str:
    """Our own name of a ticker from outside, `NQ_NDX` for `nq`; ContractError for what is none."""
    if not isinstance(value, str):
        raise ContractError("A snapshot names no ticker.")
    if not is_ticker(value):
        raise ContractError(f"A snapshot names {value[:20]!r}, which is not a ticker.")
    try:
        return parse_ticker(value).name
    except RequestError:
        return value
