"""GexEngine: chains, ticks and option quotes in, one `GexSnapshot` out. No I/O and no clock of its own."""

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple

import numpy as np

from streaming.calendar import new_york
from streaming.clock import epoch_ms, instant_of
from streaming.gex.points.basis import Basis
from streaming.gex.points.point_views import Kind, PointViews
from streaming.gex.pricing.formulas import Floats, years_to_expiry
from streaming.gex.pricing.forward import dividend_ahead
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.live_book import Conventions, LiveBook
from streaming.gex.pricing.priced import ForwardMode
from streaming.gex.pricing.selection import Selection
from streaming.gex.pricing.volatility import BadIv
from streaming.gex.results.ahead import Work, map_ahead
from streaming.gex.results.expected_move import expected_move
from streaming.gex.results.flow import Flows, flows
from streaming.gex.results.market_state import Session, market_state, session_key
from streaming.gex.results.max_change import Ladder, LadderHistory
from streaming.gex.results.roots import RootBook
from streaming.gex.results.signed_flow import SignedFlowBook
from streaming.gex.results.snapshot import Ingredients, SnapshotTimes, build_snapshot, ladder_by_volume
from streaming.gex.results.spot_figures import SpotFigures, all_figures, figures_at_spot
from streaming.gex.results.trades import TradeLog
from streaming.model import (
    SCOPES,
    ExpectedMove,
    GexSnapshot,
    OptionQuote,
    OptionTrades,
    ScopeFigures,
    ScopeName,
    SideRow,
    SignedFlow,
    VolatilityRule,
)
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker, is_index

_MORNING: Final = time(9, 30)
_ROOT_WIDTH: Final = 6
Row = dict[str, Any]


_TICK_MAY_LAG_MS: Final = 5_000
_LEAST_PRICE: Final = 1e-9
"""Below it a quotient with a strike may be zero, whose logarithm is nothing."""
_LATER_EXPIRY: Final = 0.01
_NEAR_EXPIRIES: Final = 2


class _Found(NamedTuple):
    """What is known at a moment, and the figures of it; None without a spot."""

    chain: OptionChain
    book: LiveBook
    moment: SnapshotTimes
    selection: Selection
    spot_figures: SpotFigures | None


class GexEngine:
    """Keeps one underlying's chain current and computes every scope under both weights on demand."""

    def __init__(
        self,
        ticker: Ticker,
        *,
        scope: ScopeName,
        volatility: VolatilityRule = "quotes",
        forward: ForwardMode = "parity",
        bad_iv: BadIv = "mirror",
    ) -> None:
        self._ticker = ticker
        self._scope: ScopeName = scope
        self._conventions = Conventions(forward, volatility, bad_iv)
        self._chain: OptionChain | None = None
        self._ex_dividend: date | None = None
        self._book: LiveBook | None = None
        self._tick: tuple[float, int] | None = None
        self._views = PointViews(ticker)
        self._roots = RootBook()
        self._history = LadderHistory()
        self._trades = TradeLog()
        self._flow = SignedFlowBook()
        self._seq = 0
        self._last: SpotFigures | None = None
        self._last_asof: datetime | None = None
        self._last_basis: Basis | None = None

    def on_chain(self, chain: OptionChain, *, ex_dividend: date | None = None) -> None:
        """Take a poll of the whole chain; it replaces the one before, and so does the next ex-dividend date."""
        self._chain, self._ex_dividend = chain, ex_dividend
        spot = chain.spot if chain.spot > 0.0 else self._spot(chain)
        if self._book is None:
            self._book = LiveBook(chain, spot, self._conventions)
        else:
            self._book.replace(chain, spot)

    def on_spot(self, price: float, event_ms: int) -> None:
        """Take a price of the underlying; one that is not positive or is older than the last is ignored."""
        if _LEAST_PRICE < price < np.inf and (self._tick is None or event_ms >= self._tick[1]):
            self._tick = (price, event_ms)
            self._views.on_price(self._views.underlying, price, event_ms)

    def on_relative(self, kind: Kind, price: float, event_ms: int) -> None:
        """Take a price of the index, ETF or future of the ticker's family, for the views and the basis."""
        self._views.on_price(kind, price, event_ms)

    def on_option(self, quotes: Sequence[OptionQuote]) -> None:
        """Lay live option quotes over the chain; ignored before the first chain."""
        if self._chain is not None and self._book is not None and quotes:
            self._flow.streams(min(quote.event_ms for quote in quotes))
            self._book.apply(quotes, self._spot(self._chain))

    def on_trades(self, trades: Sequence[OptionTrades]) -> None:
        """Take what was traded of streamed options, for the signed flow."""
        self._flow.take(trades)

    def compute(self, now: datetime) -> GexSnapshot | None:
        """All figures from what is known; None before the first chain.

        `now` rules expiry and session for live chains; a delayed chain lives at its own quote time.
        """
        if (found := self._found(now)) is None:
            return None
        moment, spot_figures = found.moment, found.spot_figures
        session = session_key(moment.at)
        priors = self._remember(spot_figures, found.selection, moment, session)
        traded = self._traded(found.book, spot_figures, moment, session)
        self._last, self._last_asof = spot_figures, moment.asof
        self._last_basis = self._basis()
        self._seq += 1
        signed = self._flow.value(spot_figures, found.book.rows_by_symbol, moment.at)
        return build_snapshot(self._ingredients(found, priors=priors, flows=traded, signed_flow=signed))

    def rehearse(self, now: datetime) -> GexSnapshot | None:
        """Go through `compute` shortly before it is due, and remember nothing but the roots.

        What chains and quotes have changed is worked out by then, and the processor has everything at hand again: after
        a fifth of a second with other work the first time takes more than twice as long as the second.
        """
        if (found := self._found(now)) is None:
            return None
        priors = self._history.priors(found.moment.at.timestamp())
        return build_snapshot(self._ingredients(found, priors=priors, flows={}, signed_flow=None))

    def _found(self, now: datetime) -> _Found | None:
        if self._chain is None or self._book is None:
            return None
        moment = self._moment(self._chain, self._book, now)
        selection = self._book.selection(moment.at)
        spot_figures = self._spot_figures(self._chain, self._book, selection, moment)
        return _Found(self._chain, self._book, moment, selection, spot_figures)

    def _basis(self) -> Basis | None:
        return self._views.basis() if self._ticker.future else None

    def _ingredients(
        self, found: _Found, *, priors: tuple[Ladder | None, ...], flows: Flows, signed_flow: SignedFlow | None
    ) -> Ingredients:
        book, moment, selection, spot_figures = found.book, found.moment, found.selection, found.spot_figures
        return Ingredients(
            ticker=self._ticker,
            scope=self._scope,
            chain=found.chain,
            moment=moment,
            state=market_state(moment.at, _next_settle_s(book.lines.settle_s[selection.cut.rows[self._scope]])),
            selection=selection,
            spot_figures=spot_figures,
            scopes=_figures(spot_figures, selection, moment),
            basis=self._basis(),
            views=self._views.current(),
            expected_move=_move(spot_figures, book.nearest_quoted(), moment.asof),
            priors=priors,
            flows=flows,
            signed_flow=signed_flow,
            conventions=self._conventions,
            ex_dividend=self._ex_dividend,
            dividend_ahead=None
            if is_index(self._ticker.wire)
            else dividend_ahead(book.lines, book.ratio, moment.at, declared=self._ex_dividend),
            seq=self._seq,
        )

    def tidy(self) -> bool:
        """Sweep for zeros ahead of time if that is due soon, so that no `compute` waits for it; True when it did."""
        last = self._last
        if last is None or not self._roots.is_aging(last.at_s):
            return False
        self._roots.refresh(last.selection.priced, last.kernel, last.at_s)
        return True

    def ladder(self, scope: ScopeName) -> tuple[tuple[float, float, float], ...]:
        """The scope's whole ladder as of the last `compute`: strike of the chain, net by volume and by open interest.

        In dollars per 1 %; empty before there are figures.
        """
        if self._last is None:
            return ()
        listed = self._last.selection.cut.listed[scope]
        oi, vol = self._last.net_ladders(scope)[:, listed].tolist()
        return tuple(zip(self._last.lines.strikes[listed].tolist(), vol, oi, strict=True))

    def sides(self, scope: ScopeName) -> tuple[SideRow, ...]:
        """The same with calls and puts apart."""
        if self._last is None:
            return ()
        return self._last.sides(scope, np.flatnonzero(self._last.selection.cut.listed[scope]))

    def series(self) -> list[Row]:
        """Settlement and forward of every living series as of the last `compute`; empty before there are figures."""
        if self._last is None or self._chain is None or self._book is None:
            return []
        last, asof = self._last, self._newest(self._chain, self._book)
        return series_rows(last.lines, self._book.ratio, first_row=last.selection.cut.start, asof=asof, spot=last.spot)

    def map_ahead(self, *, newer_than_ms: int) -> Work:
        """The map of the rest of the session as of the last `compute`, piece by piece (`streaming.gex.results.ahead`).

        Nothing without figures, unless their quotes are newer than that, or while a future has no basis.
        """
        last, asof, basis = self._last, self._last_asof, self._last_basis
        if last is None or asof is None or epoch_ms(asof) <= newer_than_ms or (self._ticker.future and basis is None):
            return
        points = 0.0 if basis is None else basis.points
        yield from map_ahead(last.selection.priced, last.kernel, asof, ticker=self._ticker.name, points=points)

    def near_symbols(self, limit: int) -> tuple[str, ...]:
        """The option symbols most worth streaming: nearest to spot in the two nearest expiries.

        Distance is counted from the strike nearest to spot, so that the answer rests while spot only jitters; a strike
        of the later expiry counts as 1 % farther away.
        """
        if self._chain is None or self._book is None:
            return ()
        spot = self._spot(self._chain)
        lines = self._book.lines
        start = int(np.searchsorted(lines.settle_s, self._newest(self._chain, self._book).timestamp(), side="right"))
        if start == len(lines) or not spot > 0.0:
            return ()
        later = lines.date_code[start:] - lines.date_code[start]
        rows = start + np.flatnonzero(later < _NEAR_EXPIRIES)
        center = lines.strike[rows][np.abs(lines.strike[rows] - spot).argmin()]
        distance = np.abs(lines.strike[rows] / center - 1.0) + _LATER_EXPIRY * later[rows - start]
        order = np.argsort(distance, kind="stable")[: max(limit, 0)]
        return tuple(lines.symbol[rows[order]].tolist())

    def _spot(self, chain: OptionChain) -> float:
        """The live price unless the chain's is clearly newer; NaN when neither is known."""
        if self._tick is not None and (
            self._tick[1] >= epoch_ms(chain.asof) - _TICK_MAY_LAG_MS or not 0.0 < chain.spot < np.inf
        ):
            return self._tick[0]
        return chain.spot

    def _newest(self, chain: OptionChain, book: LiveBook) -> datetime:
        tick_ms = 0 if self._tick is None else self._tick[1]
        return max(chain.asof, instant_of(max(tick_ms, book.live_ms)))

    def _moment(self, chain: OptionChain, book: LiveBook, now: datetime) -> SnapshotTimes:
        asof = self._newest(chain, book)
        return SnapshotTimes(at=asof if chain.delayed else max(now, asof), asof=asof, now=now)

    def _spot_figures(
        self, chain: OptionChain, book: LiveBook, selection: Selection, moment: SnapshotTimes
    ) -> SpotFigures | None:
        spot = self._spot(chain)
        if not 0.0 < spot < np.inf:
            return None
        return figures_at_spot(
            book.lines, selection, spot, asof=moment.asof, at_s=moment.at.timestamp(), book=self._roots
        )

    def _remember(
        self, spot_figures: SpotFigures | None, selection: Selection, moment: SnapshotTimes, session: Session
    ) -> tuple[Ladder | None, ...]:
        """The ladders to compare with; then keep this one."""
        self._history.start_epoch((session, selection.cut.expiries[self._scope]))
        priors = self._history.priors(moment.at.timestamp())
        if spot_figures is not None and selection.is_priced(self._scope):
            self._history.add(ladder_by_volume(spot_figures, self._scope, moment.at))
        return priors

    def _traded(
        self, book: LiveBook, spot_figures: SpotFigures | None, moment: SnapshotTimes, session: Session
    ) -> Flows:
        """Keep the volumes; what was traded in the scope, nothing known where none of its lines can be priced."""
        self._trades.start_epoch(session)
        self._trades.note(moment.at.timestamp(), book.lines.symbol, book.volume)
        if spot_figures is None or not spot_figures.selection.is_priced(self._scope):
            return {}
        return flows(spot_figures, self._scope, self._trades)


def _figures(spot_figures: SpotFigures | None, selection: Selection, moment: SnapshotTimes) -> dict[str, ScopeFigures]:
    if spot_figures is None:
        return {name: selection.quality[name] for name in SCOPES}
    return all_figures(spot_figures, moment.asof)


def _next_settle_s(settle_s: Floats) -> float | None:
    """Of the lines of a cut: all settle later, the first of them first."""
    return float(settle_s[0]) if settle_s.size else None


def _move(spot_figures: SpotFigures | None, pairs: Ints, asof: datetime) -> ExpectedMove | None:
    if spot_figures is None:
        return None
    return expected_move(spot_figures.lines, pairs, spot_figures.selection, spot_figures.spot, asof.timestamp())


def series_rows(lines: Lines, ratio: Floats, *, first_row: int, asof: datetime, spot: float | None) -> list[Row]:
    """One row for every series that has not settled: when it does, and with which forward it is priced.

    `ratio` is forward over spot, NaN where spot is the forward (`specs/gex-method.md` §5, §6).
    """
    if not len(lines):
        return []
    ends = np.append(lines.series_start[1:], len(lines)).tolist()
    spans = list(zip(lines.series_start.tolist(), ends, ratio.tolist(), strict=True))
    return [_series_row(lines, slice(low, high), own, asof, spot) for low, high, own in spans if low >= first_row]


def _series_row(lines: Lines, rows: slice, ratio: float, asof: datetime, spot: float | None) -> Row:
    settle_s = float(lines.settle_s[rows.start])
    settles_at = new_york(instant_of(settle_s * 1000))
    has_parity = not math.isnan(ratio)
    return {
        "root": str(lines.symbol[rows.start])[:_ROOT_WIDTH].rstrip(),
        "expiry": str(lines.dates[lines.date_code[rows.start]]),
        "settlement": "AM" if settles_at.time() == _MORNING else "PM",
        "settles_at": settles_at.isoformat(),
        "years": float(years_to_expiry(settle_s, asof.timestamp())),
        "contracts": rows.stop - rows.start,
        "forward": None if spot is None else spot * (ratio if has_parity else 1.0),
        "forward_mode": "parity" if has_parity else "spot",
    }
