"""streaming/clock.py"""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from streaming.clock import date_of, instant, instant_ms, is_instant

NOON = datetime(2026, 8, 20, 16, tzinfo=UTC)
NOON_S = 1_787_241_600
NOON_MS = NOON_S * 1000
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        (NOON_S, "s"),
        (float(NOON_S), "s"),
        (str(NOON_S), "s"),
        (NOON_MS, "ms"),
        (str(NOON_MS), "ms"),
        (NOON_S, "any"),
        ("1,787,241,600", "any"),
        (NOON_MS, "any"),
        (NOON_MS * 1000, "any"),
        (NOON_MS * 1_000_000, "any"),
        ("2026-08-20T16:00:00Z", "s"),
        ("2026-08-20 12:00:00-04:00", "ms"),
        (" 2026-08-20T16:00:00 ", "any"),
        (NOON, "any"),
        (NOON.replace(tzinfo=None), "any"),
        (NOON.astimezone(timezone(timedelta(hours=14))), "any"),
    ],
)
def test_an_instant_is_the_same_in_every_way_of_writing_it(written, unit):
    assert (instant(written, unit=unit), instant_ms(written, unit=unit)) == (NOON, NOON_MS)


@pytest.mark.parametrize("unit", ["s", "ms", "any"])
@pytest.mark.parametrize(
    "written",
    [
        *(None, True, [], {}, b"1787241600", "", "soon", "nan", float("nan"), float("inf"), "1e300", 10**400),
        *(0, -1, -NOON_MS, 1e300, 2**63, "9" * 5000, "9" * 63, "\ud800", "2026-13-01", "2026-08-20T25:00"),
        *("0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"),
        *(
            "2100-01-01T00:00:00Z",
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            datetime(1, 1, 1, tzinfo=NEW_YORK),
        ),
    ],
)
def test_what_cannot_be_a_time_of_ours_is_unknown(written, unit):
    zones = (UTC, NEW_YORK)
    assert [instant(written, unit=unit, zone=zone) for zone in zones] == [None, None]
    assert [instant_ms(written, unit=unit, zone=zone) for zone in zones] == [None, None]


def test_a_number_too_small_to_tell_its_unit_by_is_unknown_but_stands_where_the_caller_states_it():
    assert instant(12, unit="any") is None
    assert instant(12, unit="s") == datetime(1970, 1, 1, 0, 0, 12, tzinfo=UTC)


def test_text_without_a_zone_is_read_in_the_callers():
    assert instant("2026-08-20T12:00:00", unit="s", zone=NEW_YORK) == NOON
    assert instant("2026-08-20T16:00:00Z", unit="s", zone=NEW_YORK) == NOON


@pytest.mark.parametrize("ms", [1, NOON_MS, 4_102_444_799_999])
def test_milliseconds_that_have_a_date_are_an_instant(ms):
    assert is_instant(ms) and instant_ms(ms, unit="ms") == ms


@pytest.mark.parametrize("ms", [0, -1, 4_102_444_800_000, -62_135_596_800_000, 2**63])
def test_other_milliseconds_are_none(ms):
    assert not is_instant(ms) and instant_ms(ms, unit="ms") is None


@pytest.mark.parametrize("written", ["2026-11-20", "2026-11-20T09:30:00Z", "2026-11-20:9"])
def test_a_day_may_have_something_behind_it(written):
    assert date_of(written) == date(2026, 11, 20)


@pytest.mark.parametrize("written", [None, 20261120, "", "soon", "0001-01-01", "9999-12-31", "2026-02-30", "\ud800"])
def test_what_is_no_day_of_ours_is_unknown(written):
    assert date_of(written) is None
