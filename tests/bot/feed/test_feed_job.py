import asyncio
import gc
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.feed.feed_job import FeedRunner
from bot.feed.ledger import Chore, LedgerEntry
from bot.feed.window import Slot
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from bot.settings import BotSettings
from streaming.bus.lease import Lease as RedisLease
from streaming.bus.lease import LeaseLostError
from streaming.clock import epoch_ms
from streaming.errors import OperatorError, TransientError
from streaming.model import ScopeFigures, WeightFigures
from streaming.status import Loading
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT, DictLedger, FakeChannel, QueueSnapshots, showing, snapshot
from tests.support.waiting import until

SETTINGS = BotSettings(_env_file=None, gex_feed_force_window=True, gex_feed_update_seconds=0.25)


class PacedClock(ManualClock):
    """Simulated time that also lets real tasks run between its sleeps."""

    async def sleep(self, seconds: float) -> None:
        until = self._monotonic + max(seconds, 0.0)
        while self._monotonic < until:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)

    async def pass_time(self, seconds: float, step_s: float = 0.05) -> None:
        for _ in range(round(seconds / step_s)):
            self.advance(step_s)
            await asyncio.sleep(0.002)


class Feed:
    def __init__(
        self, *tickers: str, settings: BotSettings = SETTINGS, orders: FeedOrders | None = None, **extra: object
    ) -> None:
        self.clock = PacedClock()
        self.snapshots = QueueSnapshots()
        self.channels = {position + 1: FakeChannel() for position in range(len(tickers))}
        self.told: list[str] = []
        self.ledger = DictLedger()
        self.orders = orders or showing({position + 1: ticker for position, ticker in enumerate(tickers)})
        self.runner = FeedRunner(
            self.orders,
            self.snapshots,
            self.channels.__getitem__,
            self.ledger,
            settings,
            self.clock,
            rng=random.Random(1),
            tell=self.told.append,
            **extra,  # type: ignore[arg-type]
        )

    def say(self, ticker: str, **changes: object) -> None:
        self.snapshots.queue.put_nowait(snapshot(self.clock.now(), ticker=ticker, **changes))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.runner.run())
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_each_board_shows_its_own_ticker():
    feed = Feed("SPX", "NDX")
    async with feed.running():
        feed.say("SPX", spot=6900.25)
        feed.say("NDX", spot=25000.5)
        await feed.clock.pass_time(1)
        assert "6900.25" in feed.channels[1].only
        assert "25000.50" in feed.channels[2].only


@pytest.mark.parametrize(("digits", "printed"), [(2, "−38Bn"), (4, "−37.56Bn")])
async def test_a_board_prints_exposures_with_the_digits_of_the_settings(digits, printed):
    feed = Feed("SPX", settings=BotSettings(_env_file=None, **(SETTINGS.model_dump() | {"gex_feed_digits": digits})))
    async with feed.running():
        feed.say("SPX", sum_gex_oi=-37561.0, sum_gex_vol=-37561.0)
        await feed.clock.pass_time(1)
        assert printed in feed.channels[1].only


async def test_an_empty_board_waits_for_its_own_tickers_source():
    chosen = {"gex_source": "cboe", "gex_source_map": "NDX:gexbot,RUT:redis"}
    settings = BotSettings(_env_file=None, **(SETTINGS.model_dump() | chosen))
    feed = Feed("SPX", "NDX", "RUT", settings=settings)
    async with feed.running():
        await feed.clock.pass_time(1)
        assert "waiting for data from cboe" in feed.channels[1].only
        assert "waiting for data from gexbot" in feed.channels[2].only
        assert "waiting for data from redis" in feed.channels[3].only


async def test_an_empty_board_says_how_far_its_chains_are_loaded_and_an_old_one_that_new_figures_come():
    loads = {"SPX": Loading(7, 13), "NDX": Loading(0, 9)}
    settings = BotSettings(_env_file=None, **(SETTINGS.model_dump() | {"gex_feed_style": "plain"}))
    feed = Feed("SPX", "NDX", settings=settings, loading=lambda ticker: loads.get(ticker.name))
    async with feed.running():
        feed.say("NDX", spot=25000.5)
        await feed.clock.pass_time(1)
        assert "waiting for data from schwab\n7 of 13 expiries loaded\nsince" in feed.channels[1].only
        assert "loaded" not in feed.channels[2].only, "its figures are live"
        loads["SPX"] = Loading(12, 13)
        await feed.clock.pass_time(6)
        assert "12 of 13 expiries loaded" in feed.channels[1].only
        assert re.search("schwab · [67]s stale · 0/9 loaded · Δ 60s", feed.channels[2].only)
        loads.clear()
        await feed.clock.pass_time(1)
        assert "loaded" not in feed.channels[1].only + feed.channels[2].only


async def test_an_alias_reaches_its_board():
    feed = Feed("NQ_NDX")
    async with feed.running():
        feed.say("NQ", spot=25000.5)
        await feed.clock.pass_time(1)
        assert "25000.50" in feed.channels[1].only


async def test_a_board_without_access_does_not_disturb_the_others():
    feed = Feed("SPX", "NDX")
    feed.channels[1].faults = [OperatorError("The bot may not post in channel 1.")] * 100
    async with feed.running():
        feed.say("NDX")
        await feed.clock.pass_time(2)
        assert feed.channels[1].log == []
        assert len(feed.channels[2].messages) == 1
        assert feed.told == ["The bot may not post in channel 1."]


async def test_a_board_without_access_looks_again_at_once_when_its_channel_changed():
    feed = Feed("SPX", "NDX")
    for channel in feed.channels.values():
        channel.troubles["send"] = OperatorError("The bot may not write there.")
    async with feed.running():
        await feed.clock.pass_time(2)
        for channel in feed.channels.values():
            channel.troubles.clear()
        feed.runner.place_changed(2)
        await feed.clock.pass_time(1)
        assert [len(channel.messages) for channel in feed.channels.values()] == [0, 1]
        feed.runner.place_changed(None)
        await feed.clock.pass_time(1)
        assert [len(channel.messages) for channel in feed.channels.values()] == [1, 1]


async def test_a_replaced_message_is_deleted_while_the_beats_go_on_and_what_an_earlier_run_left_too():
    feed = Feed("SPX")
    left = Chore(channel_id=1, message_id=5, since_ms=epoch_ms(OPEN_AT))
    feed.channels[1].messages[5] = "left"
    feed.ledger.to_do[1, 5] = left
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(1)
        assert len(feed.channels[1].messages) == 1
        assert feed.ledger.to_do == {}


async def test_a_message_that_an_earlier_process_left_in_a_channel_that_is_no_board_any_more_is_removed():
    feed = Feed("SPX")
    closed, stopped, left = FakeChannel(), FakeChannel(), FakeChannel()
    feed.channels |= {7: closed, 8: stopped, 9: left}
    for channel_id, channel in ((7, closed), (8, stopped), (9, left)):
        channel.messages[5] = "text"
        feed.ledger.entries[channel_id] = LedgerEntry(session="2026-08-20", message_id=5)
    feed.ledger.entries[7] = LedgerEntry(session="2026-08-20", message_id=5, closed=True)
    feed.ledger.entries[8] = LedgerEntry(session="2026-08-20", message_id=5, stopped=True)
    async with feed.running():
        await feed.clock.pass_time(1)
    assert [len(channel.messages) for channel in (closed, stopped, left)] == [1, 0, 0]
    assert feed.ledger.entries[9].closed


class HeldLease:
    """One that is ours all the time."""

    @asynccontextmanager
    async def held(self, *, wait: bool = False):
        yield

    async def renew(self) -> bool:
        return True

    async def assure(self) -> None: ...


async def test_a_message_that_a_deposed_process_wrote_over_is_written_anew():
    feed = Feed("SPX", lease=HeldLease())
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(1)
        (message_id,) = feed.channels[1].messages
        feed.channels[1].messages[message_id] = "older"
        await feed.ledger.disturb(1)
        await feed.clock.pass_time(6)
        assert "live" in feed.channels[1].only or "stale" in feed.channels[1].only


async def test_a_beat_that_learns_while_it_is_cancelled_that_the_feed_is_lost_is_read(caplog):
    feed = Feed("SPX")
    slow = asyncio.Event()

    async def lose(content: str, *, nonce: str) -> int:
        await slow.wait()
        raise LeaseLostError("gone")

    feed.channels[1].send = lose
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(1)
        asyncio.get_running_loop().call_later(0.05, slow.set)
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_bug_in_one_board_is_logged_and_does_not_end_the_others(caplog):
    feed = Feed("SPX", "NDX")
    feed.channels[1].faults = [ZeroDivisionError("a bug")]
    async with feed.running():
        feed.say("NDX")
        await feed.clock.pass_time(3)
        assert len(feed.channels[1].messages) == 1
        assert len(feed.channels[2].messages) == 1
    assert "ZeroDivisionError" in caplog.text
    assert feed.runner.status().restarts == 1


async def test_a_broken_listener_starts_again():
    feed = Feed("SPX")
    async with feed.running():
        feed.snapshots.queue.put_nowait(TransientError("Redis is away."))
        await feed.clock.pass_time(2)
        feed.say("SPX", spot=6901.5)
        await feed.clock.pass_time(1)
        assert "6901.50" in feed.channels[1].only
    assert feed.snapshots.listeners == 2


async def test_a_start_shows_stored_figures_and_changes_at_once():
    feed = Feed("SPX")
    earlier = OPEN_AT - timedelta(seconds=60)
    feed.snapshots.stored["SPX"] = [
        snapshot(earlier, ticker="SPX", spot=6900.0),
        snapshot(OPEN_AT, ticker="SPX", spot=6905.0),
    ]
    async with feed.running():
        await feed.clock.pass_time(0.5)
        assert "+5.00 +0.07%" in feed.channels[1].only


async def test_metrics_are_written_once_a_second():
    written: list[dict[str, object]] = []

    async def write(mapping):
        written.append(dict(mapping))

    feed = Feed("SPX", write_metrics=write)
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(4.5)
    assert 4 <= len(written) <= 6
    assert written[-1]["posts"] == 1


async def test_metrics_that_cannot_be_written_do_not_disturb_the_feed():
    async def write(mapping):
        raise TransientError("Redis is away.")

    feed = Feed("SPX", write_metrics=write)
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(2)
        assert len(feed.channels[1].messages) == 1


async def test_nothing_is_written_before_the_lease_is_held():
    held = asyncio.Event()

    class Lease:
        @asynccontextmanager
        async def held(self, *, wait: bool = False):
            assert wait
            await held.wait()
            yield

        async def renew(self) -> bool:
            return True

        async def assure(self) -> None: ...

    feed = Feed("SPX", lease=Lease())
    async with feed.running():
        await feed.clock.pass_time(1)
        assert feed.channels[1].log == []
        assert not feed.runner.status().leading
        held.set()
        await feed.clock.pass_time(1)
        assert feed.channels[1].deeds[0] == "send"
        assert feed.runner.status().leading


@pytest.mark.parametrize(("answer", "word"), [(True, "feed stopped"), (False, "live"), (None, "feed stopped")])
async def test_a_feed_that_lost_its_lease_leaves_the_board_to_the_new_leader(answer, word):
    class Lease:
        @asynccontextmanager
        async def held(self, *, wait: bool = False):
            yield

        async def renew(self) -> bool:
            if answer is None:
                raise TransientError("Redis is away.")
            return answer

        async def assure(self) -> None: ...

    feed = Feed("SPX", lease=Lease())
    async with feed.running():
        feed.say("SPX")
        await feed.clock.pass_time(1)
    assert word in feed.channels[1].only


async def test_a_real_lease_that_goes_to_another_process_silences_the_feed_until_it_comes_back(redis):
    feed = Feed("SPX", lease=RedisLease(redis, "feed", "old", ttl_s=1.5))
    async with feed.running():
        await until(lambda: feed.runner.status().leading)
        feed.say("SPX")
        await feed.clock.pass_time(1)
        await redis.set("feed", "new")
        await until(lambda: not feed.runner.status().leading)
        deeds = list(feed.channels[1].deeds)
        await feed.clock.pass_time(2)
        assert feed.channels[1].deeds == deeds
        assert "live" in feed.channels[1].only
        await redis.delete("feed")
        await until(lambda: feed.runner.status().leading)
        await feed.clock.pass_time(1)
        assert feed.channels[1].deeds != deeds
        assert len(feed.channels[1].messages) == 1


async def test_a_snapshot_that_breaks_the_feeds_own_code_costs_itself_and_no_restart(monkeypatch):
    put = Slot.put

    def brittle(slot, one):
        if one.spot == 6666.0:
            raise ZeroDivisionError("a bug of ours")
        put(slot, one)

    monkeypatch.setattr(Slot, "put", brittle)
    feed = Feed("SPX")
    async with feed.running():
        feed.say("SPX", spot=6666.0)
        feed.say("SPX", spot=6900.25)
        await feed.clock.pass_time(1)
        assert "6900.25" in feed.channels[1].only
        assert feed.runner.status().restarts == 0


@asynccontextmanager
async def told(redis, *tickers: str) -> AsyncIterator[tuple[Feed, OrderStore]]:
    """A feed whose boards may be changed while it runs."""
    store = OrderStore(redis)
    named = showing({position + 1: ticker for position, ticker in enumerate(tickers)}).current
    feed = Feed(*tickers, orders=FeedOrders(named, store))
    feed.channels |= {place: FakeChannel() for place in (7, 8)}
    async with feed.running():
        await until(lambda: feed.orders.known)
        await feed.clock.pass_time(0.5)
        yield feed, store


async def said(feed: Feed, done) -> None:
    """Something was said here, and the feed acts on it."""
    await done
    await feed.orders.look()
    await feed.clock.pass_time(1)


async def test_boards_begin_change_and_end_while_the_bot_runs_and_no_message_is_doubled(redis):
    async with told(redis, "SPX") as (feed, store):
        feed.say("SPX", spot=6900.25)
        await feed.clock.pass_time(1)
        await said(feed, store.put(BoardOrder(channel_id=7, tickers=("NDX",), guild_id=1)))
        feed.say("NDX", spot=25000.5)
        await feed.clock.pass_time(1)
        assert "25000.50" in feed.channels[7].only
        await said(feed, store.put(BoardOrder(channel_id=7, tickers=("SPX",), guild_id=1, style="plain")))
        assert "6900.25" in feed.channels[7].only
        assert "\x1b" not in feed.channels[7].only
        assert feed.channels[7].deeds.count("send") == 1
        assert [board.origin for board in feed.runner.status().boards] == ["the settings", "/feed"]
        await said(feed, store.remove(7))
        await feed.clock.pass_time(1)
        assert feed.channels[7].messages == {}
        assert len(feed.channels[1].messages) == 1


async def test_a_paused_message_says_that_it_stopped_and_is_the_one_that_goes_on(redis):
    async with told(redis, "SPX") as (feed, store):
        feed.say("SPX")
        await feed.clock.pass_time(1)
        rests = BoardOrder(channel_id=1, tickers=("SPX",), guild_id=1, paused=True)
        await said(feed, store.put(rests))
        assert "feed stopped" in feed.channels[1].only
        (board,) = feed.runner.status().boards
        assert (board.state, board.reason) == ("stopped", "paused by /feed pause")
        await said(feed, store.remove(1))
        assert "feed stopped" not in feed.channels[1].only
        assert feed.channels[1].deeds.count("send") == 1


async def test_several_tickers_share_a_message_that_is_edited_for_each_of_them(redis):
    async with told(redis) as (feed, store):
        await said(feed, store.put(BoardOrder(channel_id=7, tickers=("SPX", "NDX"), guild_id=1)))
        feed.say("SPX", spot=6900.25)
        await feed.clock.pass_time(1)
        assert "6900.25" in feed.channels[7].only
        assert "waiting for data" in feed.channels[7].only
        feed.say("NDX", spot=25000.5)
        await feed.clock.pass_time(1)
        assert "6900.25" in feed.channels[7].only
        assert "25000.50" in feed.channels[7].only
        assert feed.channels[7].deeds.count("send") == 1
        (board,) = feed.runner.status().boards
        assert board.ticker == "SPX,NDX"


async def test_a_message_of_another_scope_says_which_and_shows_its_figures_alone(redis):
    async with told(redis, "SPX") as (feed, store):
        await said(feed, store.put(BoardOrder(channel_id=7, tickers=("SPX",), guild_id=1, scope="zero")))
        nearest = ScopeFigures(oi=WeightFigures(zero_gamma=6123.0))
        whole = ScopeFigures(oi=WeightFigures(zero_gamma=6456.0))
        feed.say("SPX", spot=6100.0, scopes={"full": whole, "zero": nearest})
        await feed.clock.pass_time(1)
        assert "6456.00" in feed.channels[1].only
        assert "6123.00" in feed.channels[7].only
        assert "25100" in feed.channels[1].only
        assert "25100" not in feed.channels[7].only, "the classic block is of another scope"


async def test_a_new_message_that_somebody_wants_comes_at_once_and_the_old_one_goes(redis):
    async with told(redis, "SPX") as (feed, store):
        feed.say("SPX")
        await feed.clock.pass_time(1)
        (before,) = feed.channels[1].messages
        await said(feed, store.ask_repost(1, 5))
        await feed.clock.pass_time(2)
        (after,) = feed.channels[1].messages
        assert after != before


async def test_boards_wait_until_it_is_known_what_was_said_of_them(redis):
    feed = Feed("SPX", orders=FeedOrders(showing({1: "SPX"}).current, OrderStore(redis)))
    look, gate = feed.orders.look, asyncio.Event()

    async def late() -> None:
        if not gate.is_set():
            raise TransientError("Redis is away.")
        await look()

    feed.orders.look = late  # type: ignore[method-assign]
    await OrderStore(redis).put(BoardOrder(channel_id=1, tickers=("SPX",), guild_id=1, paused=True))
    async with feed.running():
        await feed.clock.pass_time(2)
        gate.set()
        await feed.clock.pass_time(3)
        assert feed.orders.known
        assert feed.channels[1].log == []


@asynccontextmanager
async def hanging(*deeds: str) -> AsyncIterator[tuple[Feed, asyncio.Event]]:
    """A feed whose calls in channel 1 begin to hang, until the event is set; channel 7 is there for orders."""
    feed, gate = Feed("SPX"), asyncio.Event()
    feed.channels[7] = FakeChannel()
    channel, work = feed.channels[1], feed.channels[1]._work

    async def hang(deed: str) -> None:
        if deed in deeds:
            await gate.wait()
        await work(deed)

    async with feed.running():
        feed.say("SPX", spot=6900.25)
        await feed.clock.pass_time(1)
        channel._work = hang  # type: ignore[method-assign]
        feed.say("SPX", spot=6901.25)
        await feed.clock.pass_time(0.5)
        yield feed, gate
        gate.set()


async def orders_given(feed: Feed, *orders: BoardOrder) -> None:
    feed.orders.current = {order.channel_id: order for order in orders}
    feed.orders.changed.set()
    await feed.clock.pass_time(1)


SHOWN = BoardOrder(channel_id=1, tickers=("SPX",))
RESTS = BoardOrder(channel_id=1, tickers=("SPX",), paused=True)
NEW = BoardOrder(channel_id=7, tickers=("SPX",))


@pytest.mark.parametrize("order", [[RESTS], [BoardOrder(channel_id=1, tickers=("SPX",), style="plain")], []])
async def test_no_order_waits_for_a_call_that_hangs_in_another_channel(order: list[BoardOrder]):
    async with hanging("edit") as (feed, _):
        await orders_given(feed, *order, NEW)
        assert "6901.25" in feed.channels[7].only
        await orders_given(feed, *order, BoardOrder(channel_id=7, tickers=("SPX",), style="plain"))
        assert "\x1b" not in next(iter(feed.channels[7].messages.values()))


async def test_what_is_ordered_while_a_board_ends_counts_when_it_has_ended():
    async with hanging("edit") as (feed, gate):
        (before,) = feed.channels[1].messages
        await orders_given(feed, RESTS)
        await orders_given(feed, BoardOrder(channel_id=1, tickers=("NDX",)))
        feed.say("NDX", spot=25000.5)
        await orders_given(feed, BoardOrder(channel_id=1, tickers=("NDX",), reposted_ms=5))
        assert [board.state for board in feed.runner.status().boards] == ["open"], "its call still hangs"
        gate.set()
        feed.say("NDX", spot=25001.5)
        await feed.clock.pass_time(2)
        (after,) = feed.channels[1].messages
        assert "25001.50" in feed.channels[1].only
        assert after != before, "a new message was asked for meanwhile"


async def test_a_message_that_is_removed_while_its_board_ends_is_gone_when_it_has_ended():
    async with hanging("edit") as (feed, gate):
        await orders_given(feed, RESTS)
        await orders_given(feed)
        assert feed.runner.status().boards == ()
        gate.set()
        await feed.clock.pass_time(2)
        assert feed.channels[1].messages == {}
        await orders_given(feed, SHOWN)
        assert len(feed.channels[1].messages) == 1
