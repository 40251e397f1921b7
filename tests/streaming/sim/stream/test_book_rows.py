import pytest

from streaming.sim.stream.book_rows import BookRows, hash_of
from tests.data_builders.frames import nyse_book
from tests.support.frames import rows_of

OPTION = "SPXW  260820C06880000"
ALL = frozenset(map(str, range(60)))


def sides(row: dict) -> list[list[dict]]:
    return [row["2"], row["3"]]


@pytest.fixture(params=[("NYSE_BOOK", "SPY"), ("NASDAQ_BOOK", "QQQ"), ("NASDAQ_BOOK", "SPY"), ("OPTIONS_BOOK", OPTION)])
def book(request, still) -> dict:
    service, key = request.param
    return BookRows(still, service).live((key,), ALL)[key]


def test_a_book_has_the_shape_of_production(book):
    real = rows_of(nyse_book())[0]
    level = real["2"][0]
    assert set(book) | {"key"} == set(real)
    for side in sides(book):
        assert all(set(one) == set(level) for one in side)
        assert all(set(entry) == set(level["3"][0]) for one in side for entry in one["3"])


def test_level_sizes_and_counts_are_those_of_their_entries(book):
    for side in sides(book):
        for level in side:
            assert level["1"] == sum(entry["1"] for entry in level["3"])
            assert level["2"] == len(level["3"])
            assert [entry["1"] for entry in level["3"]] == sorted((e["1"] for e in level["3"]), reverse=True)


def test_a_venue_appears_once_per_side(book):
    for side in sides(book):
        venues = [entry["0"] for level in side for entry in level["3"]]
        assert len(venues) == len(set(venues))


def test_bids_fall_and_asks_rise(book):
    bids, asks = ([level["0"] for level in side] for side in sides(book))
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_entry_times_count_from_midnight_in_new_york(still):
    row = BookRows(still, "NYSE_BOOK").live(("SPY",), ALL)["SPY"]
    times = [entry["2"] for side in sides(row) for level in side for entry in level["3"]]
    half_past_ten = 10.5 * 3_600_000
    assert all(half_past_ten - 2000 < at_ms <= half_past_ten for at_ms in times)
    assert row["1"] < still.now_ms


@pytest.mark.parametrize("key", ["/ES", "$SPX", "XYZ"])
def test_futures_and_indexes_have_no_book(still, key):
    assert BookRows(still, "NASDAQ_BOOK").live((key,), ALL) == {}
    assert BookRows(still, "NASDAQ_BOOK").fixed(key) is None


def test_a_share_listed_elsewhere_shows_market_makers_only(still):
    row = BookRows(still, "NASDAQ_BOOK").live(("SPY",), ALL)["SPY"]
    venues = {entry["0"] for side in sides(row) for level in side for entry in level["3"]}
    assert venues == {"NSDQ", "ETMM", "JPMS", "GSCO", "MAXM"}


def test_a_worthless_option_has_an_empty_bid_side(still):
    board = still.board("$SPX")
    call = board.lines.symbol[board.groups[0].start + (board.groups[0].stop - board.groups[0].start) // 2 - 1]
    assert BookRows(still, "OPTIONS_BOOK").live((call,), ALL)[call]["2"] == []


def test_the_hash_of_a_text_is_the_same_in_every_process():
    assert hash_of("SPY") == 434929 == hash_of("SPY")
