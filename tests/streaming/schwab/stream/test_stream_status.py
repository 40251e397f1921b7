from streaming.schwab.stream.stream_status import FrameRate, StreamCounters
from streaming.schwab.wire.rows import EquityBlock, NyseBookBlock


def test_the_rate_is_the_mean_of_the_last_ten_whole_seconds():
    rate = FrameRate()
    for second in range(20):
        for _ in range(3 if second < 15 else 5):
            rate.count(float(second))
    assert rate.per_s(20.0) == (5 * 3 + 5 * 5) / 10
    assert rate.per_s(40.0) == 0.0


def test_the_running_second_does_not_count_yet():
    rate = FrameRate()
    rate.count(5.2)
    assert rate.per_s(5.9) == 0.0
    assert rate.per_s(6.0) == 1.0


def test_a_young_rate_is_the_mean_of_its_own_time():
    rate = FrameRate()
    for second in range(5, 8):
        rate.count(float(second), frames=40)
    assert rate.per_s(8.0) == 40.0
    assert rate.per_s(11.0) == 20.0
    assert rate.per_s(15.0) == 12.0


def test_ages_are_none_until_something_came():
    counters = StreamCounters()
    counters.last_event_s["SPY"] = 10.0
    assert counters.symbol_ages_s(["SPY", "QQQ"], 12.5) == {"SPY": 2.5, "QQQ": None}


def test_a_new_connection_keeps_the_ages_of_what_it_will_bring():
    counters = StreamCounters(last_event_s={"SPY": 10.0, "OLD": 9.0})
    counters.keep(["SPY", "QQQ"])
    assert counters.last_event_s == {"SPY": 10.0}


def test_blocks_are_counted_and_rated_by_service():
    counters = StreamCounters()
    book, tick = NyseBookBlock(content=[]), EquityBlock(content=[])
    for second in range(10):
        counters.count_blocks([book, tick, tick], float(second))
    assert counters.frames == {"NYSE_BOOK": 10, "LEVELONE_EQUITIES": 20}
    assert counters.rates["NYSE_BOOK"].per_s(10.0) == 1.0
    assert counters.rates["LEVELONE_EQUITIES"].per_s(10.0) == 2.0
