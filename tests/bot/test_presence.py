import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.telemetry import EVERY_S, Presence, presence_text
from streaming.calendar import NEW_YORK
from streaming.errors import TransientError
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot

OPEN = datetime(2026, 8, 20, 11, 0, tzinfo=NEW_YORK)
SEEN = snapshot("SPX", asof=OPEN)


@pytest.mark.parametrize(
    ("seen", "at", "words"),
    [
        (SEEN, OPEN + timedelta(seconds=1), "SPX live, 1s old"),
        (SEEN, OPEN + timedelta(seconds=9), "SPX stale, 9s old"),
        (SEEN, OPEN + timedelta(minutes=3), "SPX old, 3m old"),
        (msgspec.structs.replace(SEEN, delayed=True), OPEN + timedelta(minutes=15), "SPX delayed, 15m old"),
        (msgspec.structs.replace(SEEN, source="simulated"), OPEN, "SIMULATED · SPX running, 0s old"),
        (None, OPEN, "SPX: no data"),
        (SEEN, datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), "SPX closed until Mon 09:35 New York"),
    ],
)
def test_the_line_names_ticker_state_and_age(seen, at, words):
    assert presence_text("SPX", seen, at, force=False) == words


def test_price_and_regime_stand_in_the_line_where_that_is_wanted():
    at = OPEN + timedelta(seconds=1)
    assert presence_text("SPX", SEEN, at, force=False, priced=True) == "SPX 6400.25 dampened · live, 1s old"


def test_a_forced_feed_is_never_closed():
    saturday = datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK)
    assert presence_text("SPX", None, saturday, force=True) == "SPX: no data"


class Bot:
    def __init__(self):
        self.said = []

    def is_ready(self):
        return True

    def is_closed(self):
        return False

    async def change_presence(self, activity):
        self.said.append(activity.name)


async def test_it_is_said_three_times_a_minute_also_while_the_store_is_away():
    clock, bot, progressed = ManualClock(OPEN), Bot(), []

    async def latest(ticker):
        if len(bot.said) % 2:
            raise TransientError("Redis is away")
        return SEEN

    task = asyncio.create_task(
        Presence(bot, latest, "SPX", clock, force=False).run(lambda: progressed.append(clock.now()))
    )
    while len(bot.said) < 4:
        await asyncio.sleep(0)
    task.cancel()
    assert EVERY_S >= 60 / 5, "Discord takes five a minute"
    assert bot.said[:2] == ["SPX live, 0s old", "SPX: no data"]
    assert progressed[1] - progressed[0] == timedelta(seconds=EVERY_S)
