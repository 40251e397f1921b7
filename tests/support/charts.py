"""Snapshots with everything a picture can show, and a day of them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from streaming.clock import epoch_ms
from streaming.model import ExpectedMove, FlowSum, GexSnapshot, ScopeFigures, SignedFlow, WeightFigures
from streaming.past import PastSnapshot, past_of
from tests.support.feed import snapshot

NOON = datetime(2026, 8, 20, 16, tzinfo=UTC)
"""12:00 in New York, on the day of the feed's tests."""
OPEN = datetime(2026, 8, 20, 13, 30, tzinfo=UTC)
EXPIRIES = (*(f"2026-08-{day}" for day in range(20, 32)), "2026-09-18", "2027-12-17")


def full_snapshot(at: datetime = NOON, *, spot: float = 25061.25, **changes: object) -> GexSnapshot:
    """A snapshot of our own engine's shape: `full` and `zero` differ in their figures."""
    usual = {"spot": spot, "strikes": classic_strikes(), "scopes": scopes(spot), "signed_flow": flow_at(at)}
    return snapshot(at, **usual | changes)  # type: ignore[arg-type]


def flow_at(at: datetime, *, since: datetime = OPEN, size: float = 1.0) -> SignedFlow:
    """A minute's flow goes from -5 to +4 million and begins anew; the day's grows by 0.1 million a minute from -12."""
    begin_ms = epoch_ms(at) // 60_000 * 60_000
    minutes = tuple(begin_ms - back * 60_000 for back in range(5, 0, -1))
    return SignedFlow(
        since_ms=epoch_ms(since),
        seen=0.234,
        day=FlowSum(
            delta_usd=size * ((epoch_ms(at) - epoch_ms(since)) / 60_000 * 1e5 - 1.2e7),
            gamma_usd_per_1pct=size * -8e7,
            contracts=40_000,
            unsure=0.12,
        ),
        minutes=tuple((at_ms, size * ((at_ms // 60_000) % 10 - 5) * 1e6, size * 1e6) for at_ms in minutes),
    )


def day(count: int = 60, *, every_s: float = 60.0, until: datetime = NOON, **changes: object) -> list[GexSnapshot]:
    """So many snapshots up to `until`, spot swinging by 0.4 %."""
    last_ms = epoch_ms(until)
    return [
        full_snapshot(
            datetime.fromtimestamp((last_ms - (count - 1 - n) * every_s * 1000) / 1000, UTC),
            spot=round(25000.0 * (1 + 0.004 * math.sin(n / 8)), 2),
            **changes,
        )
        for n in range(count)
    ]


def expecting(points: float = 42.5, expiry: str = EXPIRIES[0]) -> ExpectedMove:
    """What a straddle says of the time until its expiry."""
    return ExpectedMove(expiry=expiry, root="NDXP", strike=25060.0, straddle_points=points, straddle_pct=points / 250.0)


def past(seen: Sequence[GexSnapshot]) -> list[PastSnapshot]:
    """The same as a store gives them to a picture."""
    return [past_of(one) for one in seen]


def classic_strikes() -> tuple[tuple[float, float, float, tuple[float, ...]], ...]:
    return tuple((24200.0 + 10 * n, 40.0 - n / 2, n / 3 - 20.0, ()) for n in range(170))


def scopes(spot: float) -> dict[str, ScopeFigures]:
    expiries = tuple((name, 1e8 * (5 - n), 5e7 * (n - 6)) for n, name in enumerate(EXPIRIES))
    return {
        "zero": _scope(spot, 0.5, expiries=EXPIRIES[:1]),
        "one": _scope(spot, 0.4, expiries=EXPIRIES[1:2]),
        "full": _scope(spot, 1.0, expiries=EXPIRIES[:13]),
        "all": _scope(spot, 1.2, expiries=EXPIRIES, by_expiry=expiries),
    }


def _scope(spot: float, size: float, **fields: object) -> ScopeFigures:
    ladder = tuple((24000.0 + 10 * n, size * 1e6 * (60 - n), size * 1e6 * (n - 90)) for n in range(200))
    profile = tuple((22600.0 + 100 * n, size * 1e8 * (n - 20), size * 1e8 * (n - 22)) for n in range(50))
    return ScopeFigures(
        ladder=ladder,
        profile=profile,
        oi=WeightFigures(
            net_gex_usd_per_1pct=size * -9e8,
            zero_gamma=spot - 110.5 * size,
            zero_gamma_roots=(spot - 900.0, spot - 110.5 * size),
            zero_gamma_directions=(-1, 1),
            call_wall=25100.0,
            put_wall=24800.0,
        ),
        vol=WeightFigures(
            net_gex_usd_per_1pct=size * 18e8,
            zero_gamma_note="positive everywhere",
            call_wall=25150.0,
            put_wall=24750.0,
        ),
        **fields,  # type: ignore[arg-type]
    )
