"""Every path of the HTTP API, each once: the server and the OpenAPI description are made from `ROUTES`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from streaming.api.answers import (
    History,
    Levels,
    Symbols,
    history_of,
    levels_of,
    symbol_state,
)
from streaming.api.classic_answers import (
    ClassicChain,
    ClassicMajors,
    ClassicMaxChange,
    ClassicTickers,
    chain_of,
    majors_of,
    max_change_of,
)
from streaming.api.live_events import identity_of
from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.errors import RequestError, TransientError
from streaming.export.levels import FORMATS, FormatName, level_sheet
from streaming.freshness import freshness, is_stale
from streaming.model import GexSnapshot, ScopeName, ViewName, WeightName
from streaming.symbols import Ticker, is_index, parse_ticker

JSON: Final = "application/json"
TEXT: Final = "text/plain"
CSV: Final = "text/csv"
EVENTS: Final = "text/event-stream"
EVENTS_ROUTE: Final = "events"
_ENCODE: Final = msgspec.json.encode


class NothingThereError(RequestError):
    """What was asked for is not there now."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in a path and its query; an unknown name is refused, since it would be a misspelt one."""


class OfSymbol(Question, frozen=True, kw_only=True):
    """About one symbol."""

    symbol: Annotated[str, Meta(description="SPX, NDX, SPY, NQ_NDX (or NQ), ES_SPX (or ES) ...", max_length=24)]


class OfLevels(OfSymbol, frozen=True, kw_only=True):
    """About its levels."""

    scope: Annotated[
        ScopeName | None,
        Meta(description="Which expiries: zero, one, full (90 days), all; without it, the source's own."),
    ] = None
    weight: Annotated[WeightName, Meta(description="By open interest or by today's volume.")] = "oi"
    view: Annotated[
        ViewName, Meta(description="In whose points: the symbol's own, its index's, ETF's or future's.")
    ] = "native"


class OfText(OfLevels, frozen=True, kw_only=True):
    """About its levels as text."""

    format: Annotated[FormatName, Meta(description="For which program.")]


class OfHistory(OfSymbol, frozen=True, kw_only=True):
    """About its day so far."""

    scope: ScopeName | None = None
    weight: WeightName = "oi"
    minutes: Annotated[int, Meta(ge=1, le=1440, description="How far back from the newest.")] = 60
    points: Annotated[int, Meta(ge=2, le=500, description="How many at most, evenly spread.")] = 120


class OfEvents(OfLevels, frozen=True, kw_only=True):
    """About what is to come."""

    kind: Annotated[Literal["levels", "snapshot"], Meta(description="What each event holds.")] = "levels"


class OfCategory(Question, frozen=True, kw_only=True):
    """As GEXBot names it."""

    ticker: Annotated[str, Meta(description="SPX, NDX, SPY, NQ_NDX, ES_SPX ...", max_length=24)]
    category: Annotated[
        Literal["zero", "gex_zero", "one", "gex_one", "full", "gex_full"], Meta(description="Which expiries.")
    ]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a path answers."""

    body: bytes
    media: str = JSON
    tag: str | None = None
    """The same for the same figures, whatever their age."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the answers come from."""

    reader: SnapshotStore
    tickers: Sequence[Ticker]
    """What this program follows."""
    clock: Clock

    async def latest(self, symbol: str) -> GexSnapshot:
        """RequestError for what is no symbol, NothingThereError without a snapshot, TransientError without Redis."""
        name = parse_ticker(symbol).name
        found = await self.reader.latest(name)
        if found is None:
            followed = ", ".join(ticker.name for ticker in self.tickers) or "nothing"
            raise NothingThereError(f"There is no current snapshot of {name}. This program follows {followed}.")
        return found

    def tag(self, snapshot: GexSnapshot) -> str:
        """Changes with the figures, and when they turn stale."""
        now = self.clock.now()
        word = "stale" if is_stale(snapshot, now) else ""
        return f"{identity_of(snapshot)}-{freshness(snapshot, now).name.lower()}{word}"


async def _symbols(desk: Desk, _asked: Question) -> Reply:
    now = desk.clock.now()
    found = [(ticker.name, await desk.reader.latest(ticker.name)) for ticker in desk.tickers]
    return Reply(_ENCODE(Symbols(symbols=tuple(symbol_state(name, seen, now) for name, seen in found))))


async def _levels(desk: Desk, asked: OfLevels) -> Reply:
    snapshot = await desk.latest(asked.symbol)
    return Reply(levels_payload(desk, asked, snapshot), tag=desk.tag(snapshot))


def levels_payload(desk: Desk, asked: OfLevels, snapshot: GexSnapshot) -> bytes:
    """The contract as JSON, of this moment; NothingThereError where it cannot be had in those points."""
    try:
        answer = levels_of(snapshot, desk.clock.now(), scope=asked.scope, weight=asked.weight, view=asked.view)
    except RequestError as error:
        raise NothingThereError(error.sentence) from None
    return _ENCODE(answer)


async def _text(desk: Desk, asked: OfText) -> Reply:
    snapshot = await desk.latest(asked.symbol)
    try:
        sheet = level_sheet(snapshot, scope=asked.scope, weight=asked.weight, view=asked.view)
    except (RequestError, TransientError) as error:
        raise NothingThereError(error.sentence) from None
    text = f"{FORMATS[asked.format].write(sheet)}\n"
    return Reply(text.encode(), CSV if asked.format == "csv" else TEXT, desk.tag(snapshot))


async def _snapshot(desk: Desk, asked: OfSymbol) -> Reply:
    snapshot = await desk.latest(asked.symbol)
    return Reply(encode_snapshot(snapshot), tag=desk.tag(snapshot))


async def _history(desk: Desk, asked: OfHistory) -> Reply:
    latest = await desk.latest(asked.symbol)
    past = await desk.reader.past(latest, minutes=asked.minutes, most=asked.points, strikes=False)
    return Reply(_ENCODE(history_of(latest, past, scope=asked.scope, weight=asked.weight)))


async def _tickers(desk: Desk, _asked: Question) -> Reply:
    futures = tuple(ticker.name for ticker in desk.tickers if ticker.future is not None)
    indexes = tuple(one.name for one in desk.tickers if is_index(one.wire) and one.name not in futures)
    stocks = tuple(one.name for one in desk.tickers if one.name not in {*futures, *indexes})
    return Reply(_ENCODE(ClassicTickers(stocks=stocks, indexes=indexes, futures=futures)))


Respond = Callable[[Desk, Any], Awaitable[Reply]]


def _classic(read: Callable[[GexSnapshot, str], msgspec.Struct]) -> Respond:
    async def respond(desk: Desk, asked: OfCategory) -> Reply:
        snapshot = await desk.latest(asked.ticker)
        try:
            return Reply(_ENCODE(read(snapshot, asked.category)), tag=desk.tag(snapshot))
        except TransientError as error:
            raise NothingThereError(error.sentence) from None

    return respond


@dataclass(frozen=True, slots=True)
class ApiPath:
    """One path."""

    name: str
    """Of its counter."""
    path: str
    words: str
    question: type[Question]
    answer: type | None
    """The record of its JSON; None for text."""
    respond: Respond | None
    """None for a stream, which the server keeps open."""
    media: str = JSON
    cost: int = 1
    """Requests that one of it counts as."""
    also: tuple[str, ...] = ()
    """Other paths of the same."""

    @property
    def is_ours(self) -> bool:
        """Whether an unknown name in the query is refused; programs made for another API send what they like."""
        return self.path.startswith("/v1/")


ROUTES: Final = (
    ApiPath("symbols", "/v1/symbols", "What this program follows, and how old it is.", Question, Symbols, _symbols),
    ApiPath("levels", "/v1/levels/{symbol}", "The levels to draw: the contract.", OfLevels, Levels, _levels),
    ApiPath("text", "/v1/levels/{symbol}/{format}", "The same as text to paste into a charting program.", OfText, None,
            _text, TEXT),
    ApiPath("snapshot", "/v1/snapshot/{symbol}", "Everything known, as the Redis contract has it.", OfSymbol,
            GexSnapshot, _snapshot),
    ApiPath("history", "/v1/history/{symbol}", "The levels of the newest day so far.", OfHistory, History, _history,
            cost=10),
    ApiPath(EVENTS_ROUTE, "/v1/events/{symbol}", "Each new snapshot as a server-sent event, its levels or all of it; "
            "without a new one the last again every 3 s.", OfEvents, None, None, EVENTS),
    ApiPath("classic", "/{ticker}/classic/{category}", "As GEXBot answers it.", OfCategory, ClassicChain,
            _classic(chain_of), also=("/v2/{ticker}/classic/{category}",)),
    ApiPath("classic_majors", "/{ticker}/classic/{category}/majors", "As GEXBot answers it.", OfCategory, ClassicMajors,
            _classic(majors_of), also=("/v2/{ticker}/classic/{category}/majors",)),
    ApiPath("classic_maxchange", "/{ticker}/classic/{category}/maxchange", "As GEXBot answers it.", OfCategory,
            ClassicMaxChange, _classic(max_change_of), also=("/v2/{ticker}/classic/{category}/maxchange",)),
    ApiPath("classic_tickers", "/tickers", "As GEXBot answers it.", Question, ClassicTickers, _tickers,
            also=("/v2/tickers",)),
)  # fmt: skip


def understood(route: ApiPath, path: dict[str, str], query: dict[str, str]) -> Question:
    """The question in a path and its query; RequestError for what is none."""
    wanted = query if route.is_ours else {name: value for name, value in query.items() if name in _names(route)}
    try:
        return msgspec.convert({**wanted, **path}, type=route.question, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request is not understood: {_plain(error)}.") from None


def _names(route: ApiPath) -> tuple[str, ...]:
    return route.question.__struct_fields__


def _plain(error: msgspec.ValidationError) -> str:
    said = str(error).replace(" - at `$.", " at `").replace("Object contains", "it contains")
    return said[0].lower() + said[1:]
