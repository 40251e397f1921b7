"""What a message says when it comes late, and how fast messages go."""

import asyncio
import random

import pytest

from bot.alerts.alert_delivery import MOST_PER_S, AlertDelivery
from bot.alerts.counters import AlertCounters
from bot.alerts.rule_store import AlertStore, Batch, Claim, Entry
from bot.alerts.rules import AlertState, Target
from bot.alerts.texts import LONGEST
from streaming.clock import SystemClock, epoch_ms
from streaming.errors import OperatorError
from tests.support.alerts import FakePost, rule
from tests.support.clock import ManualClock
from tests.support.wire import until


class NoStore:
    """Takes note of what became of batches."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.delays_s: list[float] = []
        self.others_id: int | None = None
        self.ours = True

    async def later(self, batch: Batch, *, delay_s: float) -> bool:
        self.delays_s.append(delay_s)
        return True

    async def done(self, batch: Batch, message_id: int = 0) -> int | None:
        self.ended.append(batch.nonce)
        return self.others_id

    def is_ours(self, batch: Batch) -> bool:
        return self.ours


def delivery(store, post, clock, told=()):
    def tell(sentence: str) -> None:
        told.append(sentence)

    return AlertDelivery(store, post, clock, tell=tell, rng=random.Random(1), counters=AlertCounters())


def batch(clock, *ages_s, nonce="n1"):
    now_ms = epoch_ms(clock.now())
    entries = tuple(
        Entry(number=n, text=f"alert {n}", claimed_ms=now_ms - age_s * 1000) for n, age_s in enumerate(ages_s)
    )
    return Batch(Target(user_id=7), nonce, entries)


async def test_an_alert_that_waited_says_how_long():
    clock, post = ManualClock(), FakePost()
    await delivery(NoStore(), post, clock).deliver(batch(clock, 5, 61, 3700))
    assert post.texts == ["alert 0\nalert 1 · sent 1m late\nalert 2 · sent 1h late"]


async def test_what_is_half_a_day_old_is_not_sent_but_counted():
    clock, post, store = ManualClock(), FakePost(), NoStore()
    sender = delivery(store, post, clock)
    await sender.deliver(batch(clock, 13 * 3600))
    assert post.calls == 0
    assert store.ended == ["n1"]
    assert sender._counters.outdated == 1


async def test_a_batch_that_this_process_has_sent_is_only_noted_again():
    clock, post, store = ManualClock(), FakePost(), NoStore()
    sender = delivery(store, post, clock)
    await sender.deliver(batch(clock, 1))
    await sender.deliver(batch(clock, 1))
    assert post.calls == 1
    assert store.ended == ["n1", "n1"]


async def test_what_needs_a_person_is_told_once_waited_out_and_told_when_it_is_over():
    clock, post, store, told = ManualClock(), FakePost(), NoStore(), []
    sender = delivery(store, post, clock, told)
    post.faults = [OperatorError("Discord refuses the bot's token.", remedy="Set one.") for _ in range(3)]
    for nonce in ("n1", "n2", "n1"):
        await sender.deliver(batch(clock, 1, nonce=nonce))
    assert told == ["Alerts are waiting: Discord refuses the bot's token. Set one."]
    assert all(300 <= delay_s <= 900 for delay_s in store.delays_s)
    assert store.ended == []
    await sender.deliver(batch(clock, 1, nonce="n1"))
    await sender.deliver(batch(clock, 1, nonce="n2"))
    assert store.ended == ["n1", "n2"]
    assert told[1:] == ["Alerts are being sent again. The trouble was: Discord refuses the bot's token."]


async def test_a_bug_in_one_batch_is_logged_and_delays_only_that_batch(caplog):
    clock, post, store = ManualClock(), FakePost(), NoStore()
    sender = delivery(store, post, clock)
    post.faults = [KeyError("id")]
    await sender.deliver(batch(clock, 1))
    assert len(store.delays_s) == 1
    assert "failed on a bug" in caplog.text
    await sender.deliver(batch(clock, 1))
    assert store.ended == ["n1"]


async def test_ten_alerts_of_full_length_fit_one_message():
    clock, post = ManualClock(), FakePost()
    now_ms = epoch_ms(clock.now())
    entries = tuple(Entry(number=n, text="x" * LONGEST, claimed_ms=now_ms - 11 * 3_600_000) for n in range(10))
    await delivery(NoStore(), post, clock).deliver(Batch(Target(user_id=7), "n", entries))
    assert len(post.texts[0]) < 2000
    assert post.texts[0].endswith("sent 11h late")


class HurriedClock(SystemClock):
    """Sleeps no time at all, and knows for how long it was asked to."""

    slept_s = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        await super().sleep(0.0)


async def test_messages_go_at_most_ten_a_second(redis, monkeypatch):
    monkeypatch.setattr("bot.alerts.rule_store._GATHER_MS", 0)
    store, post, clock = AlertStore(redis), FakePost(), HurriedClock()
    kept = [await store.add(rule(target=Target(user_id=n)), most=5) for n in range(1, 31)]
    now_ms = epoch_ms(clock.now())
    await store.commit(
        [
            Claim(k.number, 0, AlertState(episode=1), k.target, Entry(number=k.number, text="t", claimed_ms=now_ms))
            for k in kept
        ]
    )
    sending = asyncio.create_task(delivery(store, post, clock).run())
    await until(lambda: len(post.messages) == 30)
    sending.cancel()
    await asyncio.wait({sending})
    assert clock.slept_s == pytest.approx(30 / MOST_PER_S, abs=0.51)


async def test_a_batch_that_was_handed_out_before_a_pause_is_not_sent_by_who_wakes_up():
    clock, post, store = ManualClock(), FakePost(), NoStore()
    store.ours = False
    await delivery(store, post, clock).deliver(batch(clock, 1))
    assert (post.calls, store.ended) == (0, [])


@pytest.mark.parametrize(("others", "taken_back"), [(555, [101]), (101, []), (0, []), (None, [])])
async def test_what_another_process_sent_meanwhile_stays_and_ours_is_taken_back(others, taken_back):
    clock, post, store = ManualClock(), FakePost(), NoStore()
    store.others_id = others
    await delivery(store, post, clock).deliver(batch(clock, 1))
    assert post.withdrawn == taken_back


async def test_two_senders_of_which_one_slept_leave_one_message(redis):
    """Paused between the claim and the POST, for longer than Discord remembers a nonce."""
    now_s, post, clock = [0.0], FakePost(), SystemClock()
    post.forgets_nonces = True
    stores = [AlertStore(redis, uptime=lambda: now_s[0]) for _ in range(2)]
    kept = await stores[0].add(rule(), most=5)
    entry = Entry(number=1, text="text", claimed_ms=epoch_ms(clock.now()))
    await stores[0].commit([Claim(kept.number, 0, AlertState(), kept.target, entry)])
    await until(lambda: True)
    (slept,) = await claimed(stores[0])
    await redis.zadd("gex:alerts:due", {kept.target.name: 0})
    (again,) = await claimed(stores[1])
    sleeper, other = (delivery(store, post, clock) for store in stores)
    message_id = await post.send(slept.target, "text", nonce=slept.nonce)  # the POST of who is about to sleep
    await other.deliver(again)
    assert await stores[0].done(slept, message_id) not in {None, message_id}
    now_s[0] = 60.0
    await sleeper.deliver(slept)
    assert post.calls == 2, "who slept longer than its lease does not send at all"


async def claimed(store):
    async with asyncio.timeout(5):
        while not (found := await store.claim(most=5)):
            await asyncio.sleep(0.05)
    return found
