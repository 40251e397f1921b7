"""What pictures and tables need of a snapshot that is over: a tenth of it, cheap to decode by the hundred.

The names, units and meanings are those of `streaming.model`. The records hold no cycles and are not followed by the
garbage collector: a day of them must not make it stop the process.
"""

from typing import Annotated, Final

import msgspec

from streaming.clock import LAST_MS
from streaming.errors import UNREADABLE, ContractError
from streaming.model import GexSnapshot, ScopeName, SignedFlow, WeightFigures, WeightName

_LARGEST: Final = 1e18
Number = Annotated[float, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
Price = Annotated[float, msgspec.Meta(ge=1e-6, le=1e9)]
Instant = Annotated[int, msgspec.Meta(gt=0, lt=LAST_MS)]


class PastFigures(msgspec.Struct, frozen=True, gc=False):
    """Of `WeightFigures`."""

    net_gex_usd_per_1pct: Number | None = None
    zero_gamma: Number | None = None
    call_wall: Number | None = msgspec.field(name="major_pos", default=None)
    put_wall: Number | None = msgspec.field(name="major_neg", default=None)


class PastScope(msgspec.Struct, frozen=True, gc=False):
    """Of `ScopeFigures`."""

    oi: PastFigures = PastFigures()
    vol: PastFigures = PastFigures()

    def by(self, weight: WeightName) -> PastFigures:
        """The figures under one weight."""
        return self.oi if weight == "oi" else self.vol


class PastMove(msgspec.Struct, frozen=True, gc=False):
    """Of `ExpectedMove`."""

    expiry: str
    straddle_points: Number


class PastStrike(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The beginning of a `StrikeRow`."""

    strike: Price
    vol: Number | None
    oi: Number | None


class PastFlowSum(msgspec.Struct, frozen=True, gc=False):
    """Of `FlowSum`."""

    delta_usd: Number | None = None


class PastFlow(msgspec.Struct, frozen=True, gc=False):
    """Of `SignedFlow`."""

    since_ms: Instant
    day: PastFlowSum = PastFlowSum()
    minutes: tuple[tuple[Instant, Number, Number], ...] = ()


class PastLevels(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Of `GexSnapshot`, without its strikes."""

    ticker: str
    asof_ms: Instant
    spot: Number | None = None
    ladder_split: Number | None = msgspec.field(name="zero_gamma", default=None)
    major_pos_vol: Number | None = None
    major_pos_oi: Number | None = None
    major_neg_vol: Number | None = None
    major_neg_oi: Number | None = None
    sum_gex_vol: Number | None = None
    sum_gex_oi: Number | None = None
    scope: ScopeName | None = None
    basis: Number | None = None
    expected_move: PastMove | None = None
    scopes: dict[str, PastScope] = {}
    signed_flow: PastFlow | None = None


class PastSnapshot(PastLevels, frozen=True, gc=False, kw_only=True):
    """The same with the strikes."""

    strikes: tuple[PastStrike, ...] = ()


_OF_THEIR_OWN: Final = frozenset({"scopes", "expected_move", "signed_flow"})
_LEVELS: Final = msgspec.json.Decoder(PastLevels)
_WHOLE: Final = msgspec.json.Decoder(PastSnapshot)


def decode_past(payload: bytes, *, strikes: bool) -> PastLevels:
    """What `encode_snapshot` made, as a `PastSnapshot` if its strikes are wanted; ContractError for anything else.

    Other programs can write there too: numbers and instants are held to what can be.
    """
    try:
        return (_WHOLE if strikes else _LEVELS).decode(payload)
    except UNREADABLE as error:
        raise ContractError(f"A snapshot of the history does not have the expected shape: {error}.") from None


def past_of(snapshot: GexSnapshot) -> PastSnapshot:
    """A current snapshot as the last of those that are over."""
    scopes = {name: PastScope(_figures(one.oi), _figures(one.vol)) for name, one in snapshot.scopes.items()}
    strikes = tuple(PastStrike(strike, vol, oi) for strike, vol, oi, _ in snapshot.strikes)
    same = {name: getattr(snapshot, name) for name in PastLevels.__struct_fields__ if name not in _OF_THEIR_OWN}
    found = snapshot.expected_move
    move = None if found is None else PastMove(found.expiry, found.straddle_points)
    return PastSnapshot(
        **same, expected_move=move, scopes=scopes, signed_flow=_flow(snapshot.signed_flow), strikes=strikes
    )


def _flow(whole: SignedFlow | None) -> PastFlow | None:
    return None if whole is None else PastFlow(whole.since_ms, PastFlowSum(whole.day.delta_usd), whole.minutes)


def _figures(whole: WeightFigures) -> PastFigures:
    return PastFigures(*(getattr(whole, name) for name in PastFigures.__struct_fields__))
