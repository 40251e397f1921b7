"""streaming/bus/snapshots/thinning.py"""

from itertools import pairwise

import pytest

from streaming.bus.snapshots.thinning import DEFAULT_MB, DENSE_MS, LEAST_MB, Thinning
from streaming.settings import StreamSettings

SNAPSHOT = 24_000
SESSION = range(0, 23_400_000, 5_000)


def _day(thinning, size, times=SESSION):
    """The market times that stay of a session."""
    kept = {}
    for at_ms in times:
        entry_id = b"%d-0" % at_ms
        kept[entry_id] = at_ms
        thinning.added(entry_id, at_ms, size)
        for spare in thinning.spare():
            del kept[spare]
    return list(kept.values())


def test_the_setting_says_the_same_default_and_bound():
    field = StreamSettings.model_fields["redis_history_mb"]
    assert field.default == DEFAULT_MB
    assert any(getattr(one, "ge", None) == LEAST_MB for one in field.metadata)


@pytest.mark.parametrize(("megabytes", "step_ms"), [(DEFAULT_MB, 30_000), (LEAST_MB, 60_000), (60, 20_000)])
def test_a_session_of_large_snapshots_fits_with_its_morning(megabytes, step_ms):
    thinning = Thinning(megabytes, 5_000)
    kept = _day(thinning, SNAPSHOT)
    assert len(kept) * SNAPSHOT < 0.85 * megabytes * 1e6
    assert len(kept) < thinning.cap(SNAPSHOT)
    assert kept[0] == 0
    dense = [at for at in kept if at >= SESSION[-1] - DENSE_MS]
    assert dense == list(range(dense[0], SESSION[-1] + 1, 5_000))
    old = [after - before for before, after in pairwise(kept) if after < SESSION[-1] - DENSE_MS - 120_000]
    assert max(old) <= step_ms


@pytest.mark.parametrize(("megabytes", "size"), [(120, SNAPSHOT), (DEFAULT_MB, 3_000)])
def test_where_a_whole_session_fits_nothing_is_taken_out(megabytes, size):
    assert len(_day(Thinning(megabytes, 5_000), size)) == len(SESSION)


def test_a_day_that_begins_anew_names_nothing_of_the_one_before():
    thinning = Thinning(LEAST_MB, 5_000)
    for at_ms in range(0, 2 * DENSE_MS, 5_000):
        thinning.added(b"old", at_ms, SNAPSHOT)
    thinning.begin()
    assert thinning.spare() == []
    assert _day(thinning, SNAPSHOT)[0] == 0
