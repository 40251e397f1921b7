"""What a source lacks to serve its tickers, known from the settings alone. Pure."""

from collections.abc import Sequence

from streaming.errors import ConfigurationError
from streaming.replay.source import missing_path
from streaming.settings import StreamSettings
from streaming.source_choice import SourceName
from streaming.symbols import Ticker


def what_is_missing(
    source: SourceName, tickers: Sequence[Ticker], settings: StreamSettings
) -> ConfigurationError | None:
    """What a person must set, or None; what the source `schwab` needs is a login, which is checked elsewhere."""
    if source == "gexbot" and settings.gexbot_api_key is None:
        return missing_key(tickers)
    if source == "replay":
        return missing_path(settings)
    return unserved(tickers) if source == "cboe" else None


def stream_is_needed(settings: StreamSettings, tickers: Sequence[Ticker]) -> bool:
    """Whether `python -m streaming start` streams: without a Schwab app only where a ticker comes from Schwab.

    With nothing to do at all it is needed too: somebody has to say that the app is missing.
    """
    configured = settings.schwab_client_id is not None and settings.schwab_client_secret is not None
    return configured or not tickers or bool(settings.tickers_from("schwab", tickers))


def missing_key(tickers: Sequence[Ticker]) -> ConfigurationError:
    """Said where GEXBot is to be asked without a key."""
    return ConfigurationError(
        "GEXBOT_API_KEY is not set.",
        remedy=f"Set it in .env and restart, or choose another source for {_names(tickers)} in GEX_SOURCE_MAP.",
    )


def unserved(tickers: Sequence[Ticker]) -> ConfigurationError | None:
    """Said of futures tickers at CBOE, which quotes no futures: there is no live basis (`specs/gex-method.md` §14)."""
    futures = [ticker for ticker in tickers if ticker.future is not None]
    if not futures:
        return None
    pairs = ",".join(f"{ticker.name}:schwab" for ticker in futures)
    plain = ", ".join(ticker.underlying for ticker in futures)
    return ConfigurationError(
        f"{_names(futures)} cannot come from cboe, which quotes no futures.",
        remedy=f"Show {plain} instead, or choose another source in GEX_SOURCE_MAP, such as {pairs}.",
    )


def _names(tickers: Sequence[Ticker]) -> str:
    return ", ".join(ticker.name for ticker in tickers)
