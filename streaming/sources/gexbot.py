"""GEXBot's classic REST API, polled with the operator's key. One request a ticker brings every figure it has.

The API of today takes the key as a bearer; its older form, at any address that does not end in `/v2`, takes it
in the query. The key is added below the client, so no log of a request shows it.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import httpx
import msgspec
from pydantic import SecretStr

from streaming.bus.mishaps import breaching
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.calendar import new_york, session_on
from streaming.clock import Clock, epoch_ms, instant_ms, instant_of
from streaming.errors import UNREADABLE, ConfigurationError, ContractError
from streaming.gex.results.market_state import State, market_state
from streaming.model import GexSnapshot, ScopeName, is_made_up
from streaming.process.certificates import trusted
from streaming.settings import StreamSettings
from streaming.sources.download import Server, download, open_client
from streaming.sources.polling import Pace, Poller, Surroundings
from streaming.sources.source_book import SourceBook
from streaming.sources.source_kind import Kit, SourceKind
from streaming.status import SourceStatus
from streaming.symbols import Ticker

NAME: Final = "gexbot"
_RESTING_S: Final = 15.0
_MOST_AHEAD_MS: Final = 60_000
_OTHER_SOURCE: Final = "choose another source for it in GEX_SOURCE_MAP"
SERVER: Final = Server(
    who="GEXBot",
    refused_remedy="Correct GEXBOT_API_KEY and restart, or renew the subscription to GEXBot's Classic data.",
    unknown_remedy=f"Correct the ticker, or {_OTHER_SOURCE}, and restart.",
    most_bytes=4_000_000,
    within_s=10.0,
)
GexbotScope = Literal["zero", "one", "full"]


def gexbot_scope(scope: ScopeName) -> GexbotScope:
    """What to ask for: GEXBot's widest scope is `full`."""
    return "full" if scope == "all" else scope


def parse_answer(payload: bytes, *, ticker: str, scope: GexbotScope, received_ms: int) -> GexSnapshot:
    """The snapshot in an answer; what GEXBot does not provide is None.

    ContractError when it is none, holds no figure beyond a spot, does not say when, is of a time to come, or is
    about another ticker.
    """
    snapshot = parse_snapshot(payload, received_ms=received_ms)
    stated_ms = _stated_ms(payload)
    if stated_ms is None:
        raise ContractError(f"GEXBot's answer about {ticker} does not say when it was computed.")
    if stated_ms > received_ms + _MOST_AHEAD_MS:  # taken for news of now, a frozen figure would look alive until then
        ahead_min = (stated_ms - received_ms) / 60_000
        raise ContractError(f"GEXBot's answer about {ticker} is {ahead_min:.0f} min ahead of this machine's clock.")
    if snapshot.ticker != ticker:
        raise ContractError(f"GEXBot's answer about {ticker} is about {snapshot.ticker}.")
    if snapshot.spot is None:
        raise ContractError(f"GEXBot's answer about {ticker} has no spot.")
    source = snapshot.source if is_made_up(snapshot.source) else NAME  # a Gexcord's demo answers at these paths too
    return msgspec.structs.replace(
        snapshot, source=source, scope=scope, state=_state(snapshot.asof_ms), computed_ms=received_ms
    )


class GexbotSource:
    """A `SnapshotSource` of GEXBot's classic figures."""

    name = NAME

    def __init__(
        self,
        tickers: Sequence[Ticker],
        *,
        key: SecretStr | None,
        url: str,
        scope: ScopeName,
        every_s: float,
        around: Surroundings,
    ) -> None:
        self._tickers = tuple(tickers)
        self._key = key
        self._url = url
        self._scope = gexbot_scope(scope)
        self._pace = Pace(every_s=every_s, resting_s=max(every_s, _RESTING_S))
        self._around = around
        self._book = SourceBook(NAME, (ticker.name for ticker in tickers))

    def status(self) -> SourceStatus:
        """One look at it, without waiting for anything."""
        return self._book.status()

    async def run(self, progress: Callable[[], None]) -> None:
        """Poll until cancelled; ConfigurationError without a key."""
        if self._key is None:
            error = missing_key(self._tickers)
            self._book.refused(error)
            raise error
        self._book.begins()
        try:
            async with _client(self._key, self._url) as client:
                asker = _Asker(client, self._url, self._scope, self._around.clock)
                poller = Poller(self._tickers, ask=asker.ask, book=self._book, pace=self._pace, around=self._around)
                await poller.run(progress)
        finally:
            self._book.ends()


async def try_key(settings: StreamSettings, key: SecretStr, ticker: Ticker, clock: Clock) -> None:
    """One question with that key; raises as a question of the source would."""
    url = settings.gexbot_api_url
    async with _client(key, url) as client:
        await _Asker(client, url, gexbot_scope(settings.gex_scope), clock).ask(ticker)


def _client(key: SecretStr, url: str) -> httpx.AsyncClient:
    return open_client(_KeyTransport(key, in_query=not url.endswith("/v2")))


class _Asker:
    """Asks for one ticker and reads the answer."""

    def __init__(self, client: httpx.AsyncClient, url: str, scope: GexbotScope, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._scope: GexbotScope = scope
        self._clock = clock
        self._seq = 0

    async def ask(self, ticker: Ticker) -> GexSnapshot | None:
        url = f"{self._url}/{ticker.name}/classic/{self._scope}"
        answer = await download(self._client, url, SERVER, about=ticker.name, clock=self._clock)
        if answer is None:
            return None
        received_ms = epoch_ms(self._clock.now())
        with breaching(answer.body):
            snapshot = parse_answer(answer.body, ticker=ticker.name, scope=self._scope, received_ms=received_ms)
        self._seq += 1
        return msgspec.structs.replace(snapshot, seq=self._seq)


class _KeyTransport(httpx.AsyncHTTPTransport):
    """Adds the key to each request on its way out."""

    def __init__(self, key: SecretStr, *, in_query: bool) -> None:
        super().__init__(verify=trusted())
        self._secret = key
        self._in_query = in_query

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = self._secret.get_secret_value()
        url, headers = request.url, request.headers.copy()
        if self._in_query:
            url = url.copy_merge_params({"key": key})
        else:
            headers["Authorization"] = f"Bearer {key}"
        outgoing = httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        return await super().handle_async_request(outgoing)


class _Stated(msgspec.Struct):
    timestamp: float | str | None = None


def _stated_ms(payload: bytes) -> int | None:
    try:
        return instant_ms(msgspec.json.decode(payload, type=_Stated).timestamp, unit="any")
    except UNREADABLE:
        return None


def _state(asof_ms: int) -> State:
    """What the hour means: GEXBot's own figures near the close are unusable (`specs/gex-method.md` §13)."""
    at = instant_of(asof_ms)
    session = session_on(new_york(at).date())
    return market_state(at, None if session is None else session.close_at.timestamp())


def missing_key(tickers: Sequence[Ticker]) -> ConfigurationError:
    """Said where GEXBot is to be asked without a key."""
    names = ", ".join(ticker.name for ticker in tickers)
    return ConfigurationError(
        "GEXBOT_API_KEY is not set.",
        remedy=f"Set it in .env and restart, or choose another source for {names} in GEX_SOURCE_MAP.",
    )


def _lacks(tickers: Sequence[Ticker], settings: StreamSettings) -> ConfigurationError | None:
    return missing_key(tickers) if settings.gexbot_api_key is None else None


def _build(tickers: Sequence[Ticker], kit: Kit) -> GexbotSource:
    settings = kit.settings
    return GexbotSource(
        tickers,
        key=settings.gexbot_api_key,
        url=settings.gexbot_api_url,
        scope=settings.gex_scope,
        every_s=settings.gexbot_poll_seconds,
        around=kit.around(NAME),
    )


KIND: Final = SourceKind(NAME, _build, _lacks)
