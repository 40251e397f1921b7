"""Alerts in a real Redis: numbers, limits, claims and leases."""

import asyncio
import logging

import msgspec
import pytest

from bot.alerts.rule_store import PER_MESSAGE, AlertStore, Claim, Entry
from bot.alerts.rules import AlertKind, AlertState, Target
from streaming.bus.redis_connection import make_client
from streaming.errors import RequestError, TransientError
from tests.support.alerts import rule

CHANNEL = Target(channel_id=2**62 + 1)


@pytest.fixture
def store(redis) -> AlertStore:
    return AlertStore(redis)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Tests do not wait for alerts of the same second."""
    monkeypatch.setattr("bot.alerts.rule_store._GATHER_MS", 0)
    monkeypatch.setattr("bot.alerts.rule_store._SPACING_MS", 0)


def firing(kept, text="it happened", *, expected=0):
    state = AlertState(told=1, episode=expected + 1)
    return Claim(kept.number, expected, state, kept.target, Entry(number=kept.number, text=text, claimed_ms=1))


async def test_rules_get_numbers_that_are_never_used_again(store):
    first = await store.add(rule(), most=5)
    second = await store.add(rule(AlertKind.PRICE, value=6400.0, target=CHANNEL), most=5)
    assert (first.number, second.number) == (1, 2)
    assert await store.remove(second)
    assert not await store.remove(second)
    third = await store.add(rule(), most=5)
    assert third.number == 3
    assert (await store.load()).rules == {1: first, 3: third}


async def test_a_person_and_a_channel_have_only_so_many_even_at_the_same_instant(store):
    results = await asyncio.gather(*(store.add(rule(), most=3) for _ in range(6)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, RequestError)]
    assert len(refused) == 3
    assert refused[0].sentence == "You have 3 alerts, which is the limit. Remove one with /alert remove."
    await store.add(rule(target=CHANNEL), most=1)
    with pytest.raises(RequestError, match="This channel has 1 alerts"):
        await store.add(rule(target=CHANNEL), most=1)
    kept = next(iter((await store.load()).rules.values()))
    await store.remove(kept)
    await store.add(rule(), most=3)


async def test_the_version_changes_with_rules_and_pauses(store):
    seen = [await store.version()]
    kept = await store.add(rule(), most=5)
    seen.append(await store.version())
    await store.pause(kept.target, "gone")
    seen.append(await store.version())
    assert await store.resume(kept.target)
    assert not await store.resume(kept.target)
    seen.append(await store.version())
    await store.remove(kept)
    seen.append(await store.version())
    assert len(set(seen)) == 5


async def test_of_two_claims_of_one_episode_one_wins_and_the_other_learns_the_state(store):
    kept = await store.add(rule(), most=5)
    assert await store.commit([firing(kept)]) == []
    (lost,) = await store.commit([firing(kept, "again")])
    assert lost.state == AlertState(told=1, episode=1)
    assert await store.commit([firing(kept, "later", expected=1)]) == []
    (batch,) = await store.claim(most=5)
    assert [entry.text for entry in batch.entries] == ["it happened", "later"]


async def test_a_state_is_kept_only_over_the_episode_it_knows(store):
    kept = await store.add(rule(), most=5)
    assert await store.commit([Claim(kept.number, 0, AlertState(side=-1, told=-1))]) == []
    assert (await store.load()).states == {1: AlertState(side=-1, told=-1)}
    await store.commit([firing(kept)])
    (lost,) = await store.commit([Claim(kept.number, 0, AlertState(side=-1, told=-1))])
    assert lost.state.episode == 1


async def test_a_rule_that_was_removed_fires_no_more(store):
    kept = await store.add(rule(), most=5)
    await store.remove(kept)
    (lost,) = await store.commit([firing(kept)])
    assert lost.state is None
    assert await store.claim(most=5) == []


async def test_alerts_of_one_target_share_a_message_up_to_ten(store):
    kept = [await store.add(rule(target=CHANNEL), most=50) for _ in range(PER_MESSAGE + 2)]
    await store.commit([firing(one, f"text {one.number}") for one in kept])
    (first,) = await store.claim(most=5)
    assert first.target == CHANNEL
    assert len(first.entries) == PER_MESSAGE
    assert await store.done(first, 11) is None
    (second,) = await store.claim(most=5)
    assert [entry.text for entry in second.entries] == ["text 11", "text 12"]
    assert second.nonce != first.nonce
    assert len(second.nonce) <= 25
    assert await store.done(second, 12) is None
    assert await store.claim(most=5) == []


async def test_a_batch_is_one_senders_until_its_lease_is_over_and_then_comes_back_as_it_was(store, monkeypatch):
    monkeypatch.setattr("bot.alerts.rule_store.LEASE_S", 0.05)
    kept = await store.add(rule(), most=5)
    await store.commit([firing(kept)])
    (first,) = await store.claim(most=5)
    assert await store.claim(most=5) == []
    await store.commit([firing(kept, "more", expected=1)])
    await asyncio.sleep(0.06)
    (again,) = await store.claim(most=5)
    assert again == first
    assert await store.done(again, 13) is None
    assert await store.done(first, 14) == 13, "the message of whoever was faster"
    (rest,) = await store.claim(most=5)
    assert [entry.text for entry in rest.entries] == ["more"]


async def test_a_batch_can_be_put_off(store):
    kept = await store.add(rule(), most=5)
    await store.commit([firing(kept)])
    (batch,) = await store.claim(most=5)
    assert await store.later(batch, delay_s=0.05)
    assert await store.claim(most=5) == []
    await asyncio.sleep(0.06)
    assert await store.claim(most=5) == [batch]


async def test_pausing_gives_up_what_waits_for_the_target_and_nothing_else(store):
    mine, theirs = await store.add(rule(), most=5), await store.add(rule(target=CHANNEL), most=5)
    await store.commit([firing(mine), firing(theirs)])
    await store.claim(most=5)
    await store.pause(mine.target, "your direct messages are closed to me")
    stored = await store.load()
    assert stored.paused == {"dm:7": "your direct messages are closed to me"}
    assert set(stored.rules) == {1, 2}


async def test_what_another_version_wrote_is_left_alone(store, redis, caplog):
    kept = await store.add(rule(), most=5)
    await redis.hset("gex:alerts:rules", "8", msgspec.json.encode(rule(v=2)))
    await redis.hset("gex:alerts:rules", "9", b"{}")
    await redis.hset("gex:alerts:states", "1", b"broken")
    await redis.hset("gex:alerts:episodes", "1", "4")
    with caplog.at_level(logging.WARNING):
        stored = await store.load()
    assert stored.rules == {1: kept}
    assert stored.states == {1: AlertState(episode=4)}
    assert caplog.text.count("another version") == 2


async def test_two_thousand_states_are_stored_in_one_go(store):
    kept = [await store.add(rule(target=Target(user_id=n)), most=5) for n in range(60)]
    claims = [Claim(one.number, 0, AlertState(side=1)) for one in kept] * 34
    assert await store.commit(claims) == []


async def test_a_redis_that_is_away_is_a_passing_trouble():
    client = make_client("redis://127.0.0.1:1/0")
    store = AlertStore(client)
    for deed in (store.load(), store.version(), store.claim(most=1), store.add(rule(), most=1)):
        with pytest.raises(TransientError):
            await deed
    await client.aclose()
