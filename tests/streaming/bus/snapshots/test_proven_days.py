"""streaming/bus/snapshots/proven_days.py: only live figures of a session prove that a source works."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from streaming.bus.snapshots.proven_days import ProvenDays, proven_day
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import epoch_ms
from streaming.model import ReplayMark
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot

NOON = datetime(2026, 8, 20, 16, tzinfo=UTC)


def of(asof=NOON, **marks):
    return msgspec.structs.replace(snapshot(asof=asof), **({"source": "schwab"} | marks))


def test_live_figures_of_a_session_prove_its_day():
    assert proven_day(of(), now_ms=epoch_ms(NOON) + 5_000) == "2026-08-20"


@pytest.mark.parametrize(
    "marks",
    [
        {"source": "simulated"}, {"source": "file:2022-05-20"}, {"source": "cboe"}, {"source": "somebody"},
        {"delayed": True}, {"replay": ReplayMark(of="schwab", speed=1.0, sent_ms=0)}, {"spot": None},
        {"sum_gex_oi": None},
        {"asof": datetime(2026, 8, 20, 13, 20, tzinfo=UTC)}, {"asof": datetime(2026, 8, 22, 16, tzinfo=UTC)},
    ],
)  # fmt: skip
def test_what_is_made_up_delayed_played_empty_or_out_of_hours_proves_nothing(marks):
    asof = marks.get("asof", NOON)
    assert proven_day(of(**marks), now_ms=epoch_ms(asof)) is None


def test_old_figures_prove_nothing():
    assert proven_day(of(), now_ms=epoch_ms(NOON) + 120_000) is None


async def test_the_last_good_day_is_kept_and_a_poor_one_changes_nothing(redis):
    clock = ManualClock(NOON)
    store = SnapshotStore(redis, clock=clock)
    await store.put(of())
    await store.put(of(source="simulated"))
    assert await ProvenDays(redis).read() == {"schwab": date(2026, 8, 20)}
    clock.advance(86_400.0)
    await store.put(of(asof=clock.now()))
    assert await ProvenDays(redis).read() == {"schwab": date(2026, 8, 21)}
