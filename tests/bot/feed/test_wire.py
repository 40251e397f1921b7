"""A board on the local Discord: real discord.py, real HTTP, Discord's own answers when something is missing."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.feed.board import Board, BoardPlan
from bot.feed.channel import DiscordChannel
from bot.feed.window import Slot
from bot.sandbox.server import Sandbox, open_sandbox
from streaming.symbols import parse_ticker
from tests.conftest import SHARED
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT, DictLedger, Keeper, snapshot
from tests.support.openapi import load_spec
from tests.support.wire import WireBot, log_in

SPEC = SHARED / "discord-openapi.json"


class WireRig:
    """One board on one channel of the local Discord, on a clock that the test moves."""

    def __init__(self, sandbox: Sandbox, bot: WireBot, start=OPEN_AT) -> None:
        self.sandbox = sandbox
        self.channel_id = sandbox.channel_ids["gex-spx"]
        self.clock = ManualClock(start)
        self.told: list[str] = []
        self.slot = Slot(60)
        self.keeper = Keeper(self.channel_id, DiscordChannel(bot, self.channel_id), DictLedger(), self.clock)
        self.board = Board(
            self.channel_id,
            parse_ticker("SPX"),
            slot=self.slot,
            message=self.keeper.message,
            plan=BoardPlan(),
            clock=self.clock,
            rng=random.Random(1),
            tell=self.told.append,
        )

    async def beat(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.slot.put(snapshot(self.clock.now(), ticker="SPX", spot=6900 + self.clock.monotonic() % 100))
        await self.board.beat(self.clock.monotonic())
        await self.keeper.tidy()

    @property
    def messages(self) -> list[str]:
        return [m.content for m in self.sandbox.world.messages() if m.channel_id == self.channel_id]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def bot(sandbox) -> AsyncIterator[WireBot]:
    async with log_in(sandbox) as bot:
        yield bot


async def test_a_message_is_posted_edited_and_replaced_on_the_wire(sandbox, bot):
    rig = WireRig(sandbox, bot, OPEN_AT - timedelta(seconds=3))
    for _ in range(4):
        await rig.beat()
    assert len(rig.messages) == 1
    assert "GEX: SPX" in rig.messages[0]
    counters = rig.board.status().counters
    assert (counters.posts, counters.edits, counters.reposts, counters.errors) == (1, 2, 1, 0)
    assert sandbox.traffic.violations == 0


@pytest.mark.skipif(not SPEC.is_file(), reason="Discord's description is not beside the project")
async def test_what_a_board_sends_is_what_discord_describes(sandbox, bot):
    rig = WireRig(sandbox, bot)
    await rig.beat()
    await rig.beat()
    spec = load_spec(SPEC)
    sent = [request for request in sandbox.traffic.requests if "/messages" in request.path]
    assert {request.method for request in sent} == {"POST", "PATCH"}
    for request in sent:
        assert spec.problems(request.method, request.path, request.body) == []


async def test_a_message_that_a_person_deleted_is_posted_anew(sandbox, bot):
    rig = WireRig(sandbox, bot)
    await rig.beat()
    message_id = rig.board.status().message_id
    assert message_id is not None
    sandbox.delete_message(rig.channel_id, message_id)
    for _ in range(2):
        await rig.beat()
    assert len(rig.messages) == 1
    assert rig.board.status().message_id != message_id


async def test_a_channel_that_may_not_be_written_is_told_once_and_comes_back(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.revoke_send(rig.channel_id)
    for _ in range(80):
        await rig.beat()
    assert rig.messages == []
    assert len(rig.told) == 1
    assert str(rig.channel_id) in rig.told[0]
    sandbox.restore(rig.channel_id)
    await rig.beat(700)
    assert len(rig.messages) == 1
    assert len(rig.told) == 2
    assert "works again" in rig.told[1]


async def test_a_channel_that_is_gone_names_the_setting(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.delete_channel(rig.channel_id)
    await rig.beat()
    assert len(rig.told) == 1
    assert "DISCORD_GEX_FEED_CHANNEL_IDS" in rig.told[0]


async def test_a_503_is_tried_again(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.fail_next(1, 503)
    await rig.beat()
    assert rig.board.status().state == "retrying"
    await rig.beat(2)
    assert len(rig.messages) == 1
    assert rig.told == []
