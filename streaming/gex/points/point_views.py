"""One set of levels in index, ETF or futures points: by ratio, by basis, or one after the other.

See `specs/gex-method.md` §14.
"""

from typing import Final, Literal

import msgspec

from streaming.errors import RequestError
from streaming.gex.points.basis import Basis, live_basis, live_ratio, shift, shift_levels
from streaming.model import ExpectedMove, GexSnapshot, PointView, ViewName
from streaming.symbols import Ticker, family_of, parse_ticker, points_of_index

Kind = Literal["index", "etf", "future"]
_LEVELS: Final = ("spot", "ladder_split", "major_pos_vol", "major_pos_oi", "major_neg_vol", "major_neg_oi")


class PointViews:
    """Measures how index, ETF and future of a ticker's family stand to one another."""

    def __init__(self, ticker: Ticker) -> None:
        self._family = family_of(ticker)
        self._basis = live_basis()
        self._ratio = live_ratio()
        self._native = _native(ticker)
        self.underlying: Kind = "index" if self._native == "future" else self._native
        """What the chain's own spot is a price of."""

    def on_price(self, kind: Kind, price: float, event_ms: int) -> None:
        """Take a price of a member of the family."""
        if kind == "index":
            self._basis.on_first(price, event_ms)
            self._ratio.on_first(price, event_ms)
        elif kind == "etf":
            self._ratio.on_second(price, event_ms)
        else:
            self._basis.on_second(price, event_ms)

    def basis(self) -> Basis | None:
        """Future minus index, live or held."""
        return self._basis.current

    def current(self) -> dict[str, PointView]:
        """The views of levels in the ticker's own points; those that were never measured are missing."""
        family, index = self._family, self._to_index()
        if family is None or index is None:
            return {}
        found: dict[str, PointView] = {} if self._native == "index" else {"index": index}
        basis, ratio = self._basis.current, self._ratio.current
        if basis is not None and self._native != "future":
            future = {"symbol": family.future, "points": basis.points, "points_ms": basis.measured_ms}
            found["future"] = msgspec.structs.replace(index, **future)
        if ratio is not None and self._native != "etf":
            etf = {"symbol": family.etf, "ratio": ratio.value, "ratio_ms": ratio.measured_ms}
            found["etf"] = msgspec.structs.replace(index, points=index.points * ratio.value, **etf)
        return found

    def _to_index(self) -> PointView | None:
        """From the ticker's own points to the index's; None while that is not known."""
        symbol = "" if self._family is None else self._family.index
        basis, ratio = self._basis.current, self._ratio.current
        if self._native == "index":
            return PointView(symbol=symbol)
        if self._native == "etf" and ratio is not None:
            return PointView(symbol=symbol, ratio=1.0 / ratio.value, ratio_ms=ratio.measured_ms)
        if self._native == "future" and basis is not None:
            return PointView(symbol=symbol, points=-basis.points, points_ms=basis.measured_ms)
        return None


def relatives_of(ticker: Ticker) -> dict[Kind, str]:
    """The other members of a ticker's family, by what they are; Schwab's symbols."""
    family = family_of(ticker)
    if family is None:
        return {}
    members: dict[Kind, str] = {"index": family.index, "etf": family.etf, "future": family.future}
    return {kind: wire for kind, wire in members.items() if wire != ticker.wire}


def _native(ticker: Ticker) -> Kind:
    family = family_of(ticker)
    if ticker.future is not None:
        return "future"
    return "etf" if family is not None and ticker.wire == family.etf else "index"


def native_view(ticker: Ticker) -> ViewName:
    """The view that a ticker's snapshots are in already; `native` for one without a family."""
    return "native" if family_of(ticker) is None else _native(ticker)


def seen_in(snapshot: GexSnapshot, view: ViewName, ticker: Ticker) -> GexSnapshot:
    """The same snapshot with every level in the points of `view`; dollars per 1 % stay.

    RequestError when nothing is known of how the two stand to one another.
    """
    if view in {"native", native_view(ticker)}:
        return snapshot
    found = snapshot.views.get(view)
    if found is None:
        raise _unknown(ticker, view)
    return _mapped(snapshot, found)


def in_index_points(snapshot: GexSnapshot) -> GexSnapshot:
    """The same in points of its market's index: an ETF by its live ratio, a mini by definition.

    RequestError where the ratio is not known, or the ticker belongs to no index.
    """
    ticker = parse_ticker(snapshot.ticker)
    ratio = points_of_index(ticker)
    if ratio is not None:
        return _mapped(snapshot, PointView(symbol="index", ratio=ratio))
    return seen_in(snapshot, "index", ticker)


def _unknown(ticker: Ticker, view: ViewName) -> RequestError:
    family = family_of(ticker)
    if family is None:
        return RequestError(f"{ticker.name} has no {view} to show its levels in.", remedy="Choose the view native.")
    other = {"index": family.index, "etf": family.etf}.get(view, family.future)
    return RequestError(
        f"{other} and the underlying of {ticker.name} have not been quoted together yet.",
        remedy="Choose the view native, or try again when both trade.",
    )


def _mapped(snapshot: GexSnapshot, view: PointView) -> GexSnapshot:
    ratio, points = view.ratio, view.points
    levels = {name: shift(getattr(snapshot, name), points, ratio=ratio) for name in _LEVELS}
    return msgspec.structs.replace(
        snapshot,
        strikes=tuple((strike * ratio + points, vol, oi, priors) for strike, vol, oi, priors in snapshot.strikes),
        max_priors=tuple((shift(strike, points, ratio=ratio), change) for strike, change in snapshot.max_priors),
        scopes={name: shift_levels(figures, points, ratio=ratio) for name, figures in snapshot.scopes.items()},
        expected_move=None if snapshot.expected_move is None else _moved(snapshot.expected_move, points, ratio),
        flow=tuple(
            msgspec.structs.replace(own, strike=shift(own.strike, points, ratio=ratio)) for own in snapshot.flow
        ),
        flow_strikes=tuple((strike * ratio + points, values) for strike, values in snapshot.flow_strikes),
        **levels,
    )


def _moved(move: ExpectedMove, points: float, ratio: float) -> ExpectedMove:
    sigma = None if move.sigma_points is None else move.sigma_points * ratio
    straddle = move.straddle_points * ratio
    strike = move.strike * ratio + points
    return msgspec.structs.replace(move, strike=strike, straddle_points=straddle, sigma_points=sigma)
