"""All option lines of one underlying as parallel arrays, from a generator or from a real chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import new_york, settle_at
from streaming.option_chain import OptionChain
from streaming.sim.options.surface import open_interest, smile
from streaming.sim.prices.instruments import RATE, YEAR_S, Underlying
from streaming.sim.prices.listing import Expiry, expiries_on, expiry_type, strike_ladder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FLOOR_S: Final = 60.0
_IV_LOW: Final = 0.02
_IV_HIGH: Final = 10.0
_FALLBACK_SIGMA: Final = 0.25
_PARITY_STRIKES: Final = 7
_GAP_LIMIT: Final = 0.02
"""A forward further from spot than this, besides a quarter a year, is a misread quote."""
_HEAD: Final = 12
"""Characters of an option symbol before its side: padded root and date."""


@dataclass(slots=True, eq=False)
class ContractLines:
    """Every listed line; rows of one expiry and root are contiguous, calls before puts, strikes ascending.

    `sigma` prices the line; `iv` is what is reported and may be unusable (NaN, 0, absurd). `carry` is the
    yearly growth of the line's forward. `open_interest` stands for the day, `volume` only grows in it.
    """

    symbol: list[str]
    root: list[str]
    strike: Floats
    is_call: NDArray[np.bool_]
    settle_s: Floats
    sigma: Floats
    iv: Floats
    carry: Floats
    open_interest: Ints
    volume: Ints

    def __len__(self) -> int:
        return int(self.strike.size)


_TEXTS: Final = ("symbol", "root")
_COLUMNS: Final[Mapping[str, type]] = {
    "strike": np.float64, "is_call": np.bool_, "settle_s": np.float64, "sigma": np.float64, "iv": np.float64,
    "carry": np.float64, "open_interest": np.int64, "volume": np.int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """The rows `start:stop` of one root's expiry."""

    expiry: Expiry
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)


def osi_symbol(root: str, expiry: date, *, is_call: bool, strike: float) -> str:
    """The 21-character option symbol."""
    return f"{root:<6}{expiry:%y%m%d}{'C' if is_call else 'P'}{round(strike * 1000):08d}"


def generate_lines(
    underlying: Underlying, *, at: datetime, spot: float, rng: np.random.Generator
) -> tuple[ContractLines, tuple[Group, ...]]:
    """The lines listed at an instant, without any volume yet; what has already settled is left out."""
    today = new_york(at).date()
    expiries = [item for item in expiries_on(underlying, today) if item.settle_at > at]
    parts = [_generate_expiry(underlying, item, at=at, spot=spot, rng=rng) for item in expiries]
    return join_lines(expiries, parts)


def _generate_expiry(
    underlying: Underlying, expiry: Expiry, *, at: datetime, spot: float, rng: np.random.Generator
) -> ContractLines:
    t = max((expiry.settle_at - at).total_seconds(), FLOOR_S) / YEAR_S
    ladder = strike_ladder(underlying, spot, (expiry.day - new_york(at).date()).days)
    strike = np.concatenate((ladder, ladder))
    is_call = np.arange(strike.size) < ladder.size
    forward = spot * float(np.exp(underlying.carry * t))
    sigma = smile(underlying, strike=strike, forward=forward, t=t)
    return ContractLines(
        symbol=_symbols(expiry, strike, is_call),
        root=[expiry.root] * strike.size,
        strike=strike,
        is_call=is_call,
        settle_s=np.full(strike.size, expiry.settle_at.timestamp()),
        sigma=sigma,
        iv=sigma.copy(),
        carry=np.full(strike.size, underlying.carry),
        open_interest=open_interest(
            underlying, strike=strike, is_call=is_call, spot=spot, t=t, kind=expiry.type, rng=rng
        ),
        volume=np.zeros(strike.size, dtype=np.int64),
    )


def _symbols(expiry: Expiry, strike: Floats, is_call: NDArray[np.bool_]) -> list[str]:
    head = osi_symbol(expiry.root, expiry.day, is_call=True, strike=0.0)[:_HEAD]
    pairs = zip(strike.tolist(), is_call.tolist(), strict=True)
    return [f"{head}{'C' if call else 'P'}{round(value * 1000):08d}" for value, call in pairs]


def take_rows(lines: ContractLines, rows: Ints) -> ContractLines:
    """Some lines, copied."""
    taken: dict[str, Any] = {name: [getattr(lines, name)[row] for row in rows.tolist()] for name in _TEXTS}
    return ContractLines(**taken | {name: getattr(lines, name)[rows] for name in _COLUMNS})


def join_lines(expiries: Sequence[Expiry], parts: Sequence[ContractLines]) -> tuple[ContractLines, tuple[Group, ...]]:
    """The lines of several expiries, one after the other, and where each is."""
    stops = np.cumsum([len(part) for part in parts], dtype=np.int64).tolist()
    starts = [0, *stops[:-1]]
    groups = tuple(Group(item, a, b) for item, a, b in zip(expiries, starts, stops, strict=True))
    joined: dict[str, Any] = {name: [text for part in parts for text in getattr(part, name)] for name in _TEXTS}
    joined |= {name: _stack([getattr(part, name) for part in parts], kind) for name, kind in _COLUMNS.items()}
    return ContractLines(**joined), groups


def _stack(columns: Sequence[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype=kind), *columns])


def lines_from_chain(chain: OptionChain) -> tuple[ContractLines, tuple[Group, ...]]:
    """The chain's own strikes, roots, expiries, volatilities, open interest and volume.

    Lines settled at the chain's quote time are left out. Volatilities are reported as they came;
    strikes are priced with the better side's, or their expiry's median. The forward of each root and
    expiry comes from put-call parity where the chain has two-sided quotes (specs/gex-method.md §6).
    """
    asof_s = chain.asof.timestamp()
    keys = sorted(
        set(
            zip(
                chain.settle_s.tolist(), chain.root.tolist(), chain.expiry.astype("datetime64[D]").tolist(), strict=True
            )
        )
    )
    expiries, parts = [], []
    for settle_s, root, day in keys:
        if settle_s <= asof_s:
            continue
        rows = np.flatnonzero((chain.settle_s == settle_s) & (chain.root == root))
        rows = rows[np.lexsort((chain.strike[rows], ~chain.is_call[rows]))]
        expiry = Expiry(root, day, am=_is_am(day, settle_s), type=expiry_type(day))
        expiries.append(expiry)
        parts.append(_take(chain, rows, expiry, t=(settle_s - asof_s) / YEAR_S))
    return join_lines(expiries, parts)


def _is_am(day: date, settle_s: float) -> bool:
    return datetime.fromtimestamp(settle_s, UTC) == settle_at(day, am=True)


def _take(chain: OptionChain, rows: NDArray[np.intp], expiry: Expiry, *, t: float) -> ContractLines:
    strike, is_call, iv = chain.strike[rows], chain.is_call[rows], chain.iv[rows]
    carry = _parity_carry(chain, rows, t=max(t, FLOOR_S / YEAR_S))
    return ContractLines(
        symbol=_symbols(expiry, strike, is_call),
        root=[expiry.root] * rows.size,
        strike=strike.astype(np.float64),
        is_call=is_call,
        settle_s=chain.settle_s[rows].astype(np.float64),
        sigma=pricing_sigma(strike=strike, is_call=is_call, iv=iv, spot=chain.spot),
        iv=iv.astype(np.float64),
        carry=np.full(rows.size, carry),
        open_interest=np.nan_to_num(chain.open_interest[rows]).astype(np.int64),
        volume=np.nan_to_num(chain.volume[rows]).astype(np.int64),
    )


def usable(iv: Floats) -> NDArray[np.bool_]:
    """Which volatilities can be priced with (specs/gex-method.md §7)."""
    return np.asarray(np.isfinite(iv) & (iv > _IV_LOW) & (iv < _IV_HIGH))


def pricing_sigma(*, strike: Floats, is_call: NDArray[np.bool_], iv: Floats, spot: float) -> Floats:
    """One volatility per strike, so that parity holds: the out-of-the-money side's where it is usable.

    Else the other side's, else the median of all usable ones.
    """
    good = usable(iv)
    outside = is_call == (strike >= spot)
    of_strike: dict[float, float] = {}
    for side in (~outside & good, outside & good):
        of_strike |= dict(zip(strike[side].tolist(), iv[side].tolist(), strict=True))
    middle = float(np.median(iv[good])) if good.any() else _FALLBACK_SIGMA
    return np.array([of_strike.get(k, middle) for k in strike.tolist()], dtype=np.float64)


def _parity_carry(chain: OptionChain, rows: NDArray[np.intp], *, t: float) -> float:
    """Yearly growth of the forward by parity; none without two-sided quotes (specs/gex-method.md §6)."""
    two_sided = rows[(chain.bid[rows] > 0.0) & (chain.ask[rows] > 0.0)]
    mid = dict(
        zip(
            zip(chain.strike[two_sided].tolist(), chain.is_call[two_sided].tolist(), strict=True),
            ((chain.bid[two_sided] + chain.ask[two_sided]) / 2.0).tolist(),
            strict=True,
        )
    )
    strikes = [k for k, call in mid if call and (k, False) in mid]
    nearest = sorted(strikes, key=lambda k: abs(k - chain.spot))[:_PARITY_STRIKES]
    if not nearest:
        return 0.0
    forward = float(np.median([k + (mid[k, True] - mid[k, False]) * np.exp(RATE * t) for k in nearest]))
    limit = _GAP_LIMIT + 0.25 * t
    return float(np.clip(np.log(max(forward, 1e-9) / chain.spot), -limit, limit)) / t
