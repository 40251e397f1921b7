"""Which source computes or delivers which ticker. Pure."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from streaming.errors import RequestError
from streaming.symbols import PartOfIndexError, parse_ticker

SourceName = Literal["schwab", "cboe", "gexbot", "redis", "replay"]
SOURCES: Final[tuple[SourceName, ...]] = get_args(SourceName)


def parse_source_map(pairs: Sequence[str]) -> dict[str, SourceName]:
    """Ticker name to source from `SPX:schwab` pairs; ValueError for what is none, or a ticker named twice."""
    chosen: dict[str, SourceName] = {}
    for pair in pairs:
        name, colon, source = pair.rpartition(":")
        found = next((known for known in SOURCES if known == source.strip().lower()), None)
        if not colon or found is None:
            raise ValueError("TICKER:source")
        try:
            ticker = parse_ticker(name).name
        except PartOfIndexError:
            raise
        except RequestError as error:
            raise ValueError(str(error)) from error
        if ticker in chosen:
            raise ValueError("a ticker has one source")
        chosen[ticker] = found
    return chosen
