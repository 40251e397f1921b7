"""Snapshots made up for tests."""

from datetime import UTC, datetime

from streaming.clock import epoch_ms
from streaming.model import GexSnapshot, ScopeFigures, WeightFigures

ASOF = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
"""11:00 on a Thursday in New York."""


def snapshot(ticker: str = "SPX", *, asof: datetime = ASOF, seq: int = 1, spot: float = 6400.25) -> GexSnapshot:
    """A full snapshot of our own engine's shape."""
    weight = WeightFigures(
        net_gex_usd_per_1pct=1.25e9,
        net_gex_usd_per_point=1.95e7,
        gross_gex_usd_per_1pct=9.5e9,
        zero_gamma=6385.5,
        zero_gamma_roots=(6301.0, 6385.5),
        zero_gamma_directions=(-1, 1),
        ladder_split=6380.0,
        call_wall=6450.0,
        call_wall_usd_per_1pct=6e8,
        put_wall=6300.0,
        put_wall_usd_per_1pct=-4e8,
    )
    return GexSnapshot(
        ticker=ticker,
        timestamp=int(asof.timestamp()),
        spot=spot,
        min_dte=0,
        sec_min_dte=1,
        ladder_split=6380.0,
        major_pos_vol=6450.0,
        major_pos_oi=6500.0,
        major_neg_vol=6300.0,
        major_neg_oi=6200.0,
        sum_gex_vol=1250.0,
        sum_gex_oi=-310.5,
        strikes=((6395.0, 10.5, -3.25, (9.0, 8.0, None, None, None)), (6400.0, 0.0, 4.5, ())),
        max_priors=((6400.0, 1.5), (6395.0, -2.0), (None, None), (None, None), (None, None), (None, None)),
        asof_ms=epoch_ms(asof),
        chain_ms=epoch_ms(asof) - 4000,
        computed_ms=epoch_ms(asof) + 15,
        seq=seq,
        source="test",
        scope="full",
        forward_mode="parity",
        scopes={"full": ScopeFigures(expiries=("2026-08-20", "2026-08-21"), contracts=8000, oi=weight, vol=weight)},
    )
