"""streaming/sources/ex_dividends.py"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from streaming.calendar import NEW_YORK
from streaming.errors import GexcordError, OperatorError, TransientError
from streaming.sources.ex_dividends import ExDividends
from streaming.symbols import parse_ticker
from tests.support.virtual_clock import VirtualClock

MORNING = datetime(2026, 9, 17, 9, 30, tzinfo=NEW_YORK)
LAST, NEXT, AFTER = date(2026, 6, 18), date(2026, 9, 18), date(2026, 12, 18)


class Quotes:
    """Answers with what was last, `errors` first."""

    def __init__(self, *errors: GexcordError) -> None:
        self.errors = list(errors)
        self.asked: list[Sequence[str]] = []
        self.dates = {"SPY": (LAST, NEXT)}

    async def ex_dividends(self, symbols: Sequence[str]) -> Mapping[str, Sequence[date]]:
        self.asked.append(symbols)
        if self.errors:
            raise self.errors.pop(0)
        return self.dates


async def run_until(rest: Quotes, times: int, *names: str) -> tuple[ExDividends, VirtualClock]:
    """Run until the quotes were asked for so many times."""
    clock = VirtualClock(MORNING)
    dividends = ExDividends(rest, [parse_ticker(name) for name in names], clock)
    task = asyncio.create_task(dividends.run())
    await clock.run(lambda: clock.sleeping == 1 or task.done(), done=lambda: len(rest.asked) == times)
    task.cancel()
    await asyncio.wait({task})
    return dividends, clock


async def test_one_request_asks_for_every_share_and_the_next_date_counts():
    rest = Quotes()
    dividends, _ = await run_until(rest, 1, "SPX", "SPY", "ES", "QQQ")
    assert rest.asked == [("SPY", "QQQ")]
    assert (dividends.next_of("SPY"), dividends.next_of("QQQ"), dividends.next_of("$SPX")) == (NEXT, None, None)


async def test_a_date_that_has_come_is_past_and_the_quotes_are_asked_again_within_the_day():
    rest = Quotes()
    dividends, clock = await run_until(rest, 5, "SPY")
    assert clock.now() == datetime(2026, 9, 18, 9, 30, tzinfo=NEW_YORK)
    assert dividends.next_of("SPY") is None
    rest.dates = {"SPY": (NEXT, AFTER)}
    dividends, _ = await run_until(rest, 6, "SPY")
    assert dividends.next_of("SPY") == NEXT


async def test_what_fails_is_asked_for_again_and_costs_nothing_that_was_known():
    rest = Quotes(TransientError("away"), OperatorError("the login is over", remedy="Log in."))
    dividends, clock = await run_until(rest, 3, "SPY")
    assert dividends.next_of("SPY") == NEXT
    assert (clock.now() - MORNING).total_seconds() == 60.0 + 120.0


async def test_indexes_alone_are_not_asked_for():
    rest = Quotes()
    dividends = ExDividends(rest, [parse_ticker("SPX"), parse_ticker("NQ")], VirtualClock(MORNING))
    await dividends.run()
    assert rest.asked == []
