"""What `run_bot.py --check` says of each source of snapshots: its tickers, and what it lacks."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.settings import BotSettings
from streaming.clock import Clock
from streaming.errors import (
    ConfigurationError,
    ContractError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
    UnavailableError,
)
from streaming.findings import Finding, fail, ok, warn
from streaming.source_choice import SOURCES, SourceName
from streaming.symbols import Ticker


async def check_sources(settings: BotSettings, clock: Clock) -> Sequence[Finding]:
    """One line for each source that a ticker comes from."""
    tickers = settings.tickers
    return [
        await _check(name, own, settings, clock) for name in SOURCES if (own := settings.tickers_from(name, tickers))
    ]


async def _check(source: SourceName, tickers: Sequence[Ticker], settings: BotSettings, clock: Clock) -> Finding:
    from streaming.sources.needs import what_is_missing

    subject = f"source {source}"
    missing: ConfigurationError | None = what_is_missing(source, tickers, settings)
    if missing is not None:
        return fail(subject, missing.sentence, missing.exit_status)
    if source == "gexbot" and (refusal := await _refusal(subject, tickers[0], settings, clock)) is not None:
        return refusal
    if source == "replay" and (refusal := _no_recording(subject, settings)) is not None:
        return refusal
    names = ", ".join(ticker.name for ticker in tickers)
    return ok(subject, f"{names}; {_how(source, settings)}.")


async def _refusal(subject: str, ticker: Ticker, settings: BotSettings, clock: Clock) -> Finding | None:
    """What GEXBot says against one question with this key, or None."""
    from streaming.sources.gexbot import try_key

    assert settings.gexbot_api_key is not None  # noqa: S101  # it was looked for before
    try:
        await try_key(settings, settings.gexbot_api_key, ticker, clock)
    except OperatorError as error:
        return fail(subject, error.sentence, LoginRequiredError.exit_status)
    except TransientError as error:
        return fail(subject, error.sentence, UnavailableError.exit_status)
    except RequestError as error:
        return fail(subject, error.sentence, ConfigurationError.exit_status)
    except ContractError as error:
        return warn(subject, f"{error.sentence} Nothing to show right now.")
    return None


def _no_recording(subject: str, settings: BotSettings) -> Finding | None:
    """Why nothing can be played from the path, or None."""
    from streaming.recording.parts import parts_of
    from streaming.recording.reader import holds_recording

    path = settings.gex_replay_path
    assert path is not None  # noqa: S101  # it was looked for before
    try:
        parts_of(path)
    except RequestError as error:
        return fail(subject, error.sentence, ConfigurationError.exit_status)
    if path.is_file() and not holds_recording(path):
        return fail(subject, f"{path} is no recording. Correct GEX_REPLAY_PATH.", ConfigurationError.exit_status)
    return None


def _how(source: SourceName, settings: BotSettings) -> str:
    match source:
        case "cboe":
            return f"delayed quotes of {_host(settings.cboe_api_url)} every {settings.cboe_poll_seconds:g} s"
        case "gexbot":
            return f"asked of {_host(settings.gexbot_api_url)} every {settings.gexbot_poll_seconds:g} s"
        case "redis":
            return "written by another program"
        case "replay":
            return "played from a recording"
        case "schwab":
            return f"at most {settings.gex_chain_requests_per_minute} chain requests a minute"


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
