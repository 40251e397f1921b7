"""streaming/sources/polling.py, on a clock that only a test moves."""

import random

import pytest

from streaming.errors import ContractError, TransientError
from streaming.sources.download import SlowDownError
from streaming.sources.polling import Pace, Poller, Surroundings
from streaming.sources.source_book import SourceBook
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF, snapshot


class EndError(Exception):
    """The script is over."""


class Everything:
    """A sink that may be away, and claims that are always ours."""

    def __init__(self):
        self.stored = []
        self.away = 0

    async def put(self, found):
        if self.away:
            self.away -= 1
            raise TransientError("Redis does not answer.")
        self.stored.append(found)

    async def ours(self, _ticker):
        return True

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_ending):
        pass


class Bench:
    """A poller whose other side follows a script; `asked_s` are the instants of the questions."""

    def __init__(self, *script, tickers=("SPX",), **pace):
        self.clock = ManualClock()
        self.all = Everything()
        self.book = SourceBook("test", tickers)
        self.asked_s = []
        self.names = []
        self.told = []
        self._script = list(script)
        around = Surroundings(
            sink=self.all, claims=self.all, clock=self.clock, rng=random.Random(1), tell=self.told.append
        )
        plan = Pace(**({"every_s": 10.0, "resting_s": 100.0} | pace))
        self.poller = Poller(
            [parse_ticker(name) for name in tickers], ask=self.ask, book=self.book, pace=plan, around=around
        )

    async def ask(self, ticker):
        self.asked_s.append(self.clock.monotonic())
        self.names.append(ticker.name)
        if not self._script:
            raise EndError
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def play(self):
        with pytest.raises(EndError):
            await self.poller.run(lambda: None)
        return [round(after - before, 1) for before, after in zip(self.asked_s, self.asked_s[1:], strict=False)]


def moving(count):
    return [snapshot(asof=ASOF.replace(minute=minute)) for minute in range(count)]


async def test_questions_keep_their_pace_with_a_little_jitter():
    gaps = await Bench(*moving(6)).play()
    assert all(10.0 <= gap <= 10.5 for gap in gaps)
    assert len(set(gaps)) > 1


async def test_quotes_that_stand_still_are_asked_for_ever_less_often_up_to_a_limit():
    gaps = await Bench(*[snapshot()] * 9).play()
    assert [round(gap, -1) for gap in gaps[:3]] == [10, 10, 10]
    assert [round(gap, -1) for gap in gaps[3:6]] == [20, 40, 80]
    assert 100.0 <= gaps[-1] <= 105.0


async def test_nothing_new_counts_as_standing_still():
    gaps = await Bench(*[None] * 9).play()
    assert gaps[-1] >= 100.0


async def test_answers_without_figures_are_asked_for_less_often_too():
    bench = Bench(*[ContractError("only zeros")] * 9, snapshot())
    gaps = await bench.play()
    assert gaps[0] <= 10.5
    assert gaps[7] >= 100.0
    assert bench.book.status().rejected == 9
    assert gaps[-1] <= 10.5


async def test_new_quotes_bring_the_pace_back():
    gaps = await Bench(*[snapshot()] * 6, *moving(3)[1:]).play()
    assert gaps[4] > 20
    assert gaps[-1] <= 10.5


async def test_failures_wait_ever_longer_and_an_answer_ends_that():
    bench = Bench(*[TransientError("no")] * 8, *moving(2), TransientError("no"), first_retry_s=1, longest_retry_s=30)
    gaps = await bench.play()
    assert 0.5 <= gaps[0] <= 1.0
    assert 15.0 <= gaps[7] <= 30.0
    assert 0.5 <= gaps[-1] <= 1.0
    assert bench.book.status().errors == 9


async def test_the_other_sides_own_wish_is_kept_but_not_for_ever():
    gaps = await Bench(TransientError("no", retry_after_s=77), TransientError("no", retry_after_s=1e9)).play()
    assert gaps == [77.0, 3600.0]


async def test_a_wish_for_fewer_requests_slows_the_pace_for_a_while():
    gaps = await Bench(SlowDownError("fewer"), *moving(30), first_retry_s=1).play()
    assert gaps[1] > 15
    assert gaps[-1] <= 10.5


async def test_what_redis_could_not_take_is_stored_before_the_next_question():
    first, second, *_ = moving(2)
    bench = Bench(first, second)
    bench.all.away = 2
    gaps = await bench.play()
    assert bench.all.stored == [first, second]
    assert gaps[0] < 5
    assert bench.book.status().errors == 2


async def test_a_redis_that_was_away_is_no_reason_to_wait_long_for_the_source():
    bench = Bench(*moving(3), first_retry_s=1, longest_retry_s=300)
    bench.all.away = 40
    gaps = await bench.play()
    assert bench.all.stored[0].asof_ms == moving(1)[0].asof_ms
    assert gaps[0] < 40 * 2 + 11


async def test_everybody_waits_while_the_server_is_in_trouble():
    bench = Bench(TransientError("no", retry_after_s=50), *moving(2), tickers=("SPX", "NDX"))
    gaps = await bench.play()
    assert gaps[0] == 50.0
    assert bench.names[:3] == ["SPX", "SPX", "NDX"]
