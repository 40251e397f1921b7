import asyncio

import pytest

from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.interactions import (
    INTERACTIONS_KEPT,
    TOKEN_LIVES_S,
    CallbackKind,
    Interaction,
    InteractionDesk,
    InteractionKind,
)
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(["gex-spx"], clock)


def opened(desk: InteractionDesk, world: World, kind: InteractionKind = InteractionKind.COMMAND) -> Interaction:
    return desk.open(kind, world.personas["owner"], next(iter(world.channels)))


async def test_silence_is_a_failure_and_closes_the_door(world: World) -> None:
    failed: list[Interaction] = []
    desk = InteractionDesk(world, failed.append, 0.01)
    interaction = opened(desk, world)
    await asyncio.sleep(0.05)
    assert failed == [interaction]
    with pytest.raises(ApiError) as raised:
        desk.answerable(interaction.id, interaction.token)
    assert raised.value.code == 10062


async def test_an_answer_in_time_is_no_failure_and_counts_once(world: World) -> None:
    failed: list[Interaction] = []
    desk = InteractionDesk(world, failed.append, 0.01)
    interaction = opened(desk, world)
    desk.acknowledge(desk.answerable(interaction.id, interaction.token), CallbackKind.MESSAGE)
    await asyncio.sleep(0.05)
    assert failed == []
    with pytest.raises(ApiError) as raised:
        desk.answerable(interaction.id, interaction.token)
    assert raised.value.code == 40060


async def test_a_wrong_token_is_an_unknown_interaction(world: World) -> None:
    desk = InteractionDesk(world, print, 1)
    interaction = opened(desk, world)
    with pytest.raises(ApiError) as raised:
        desk.answerable(interaction.id, "guess")
    assert raised.value.code == 10062
    desk.close()


async def test_a_token_opens_follow_ups_for_fifteen_minutes_after_an_answer(world: World, clock: ManualClock) -> None:
    desk = InteractionDesk(world, print, 60)
    interaction = opened(desk, world)
    with pytest.raises(ApiError) as early:
        desk.answered(world.application_id, interaction.token)
    desk.acknowledge(interaction, CallbackKind.DEFERRED_MESSAGE)
    assert desk.answered(world.application_id, interaction.token) is interaction
    clock.advance(TOKEN_LIVES_S + 1)
    with pytest.raises(ApiError) as late:
        desk.answered(world.application_id, interaction.token)
    assert (early.value.code, late.value.code) == (10015, 50027)


async def test_choices_that_never_come_are_none(world: World) -> None:
    desk = InteractionDesk(world, print, 0.01)
    interaction = opened(desk, world, InteractionKind.AUTOCOMPLETE)
    assert interaction.choices is not None
    assert await asyncio.wait_for(interaction.choices, 1) == []


async def test_old_interactions_are_forgotten(world: World) -> None:
    desk = InteractionDesk(world, print, 60)
    first = opened(desk, world)
    for _ in range(INTERACTIONS_KEPT):
        opened(desk, world)
    assert desk.get(first.id) is None
    assert len(desk._by_token) == INTERACTIONS_KEPT
    desk.close()
