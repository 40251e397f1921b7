"""A board on the local Discord: real discord.py, real HTTP, Discord's own answers when something is missing."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import discord
import pytest

from bot.choices import Choices, Style
from bot.feed.board import Board, BoardPlan
from bot.feed.channel import DiscordChannel
from bot.feed.illustration import Draw, Illustration
from bot.feed.window import Slot
from bot.live_buttons import live_buttons
from bot.render.text import BoardView, board_text, is_replaceable
from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.rest.faults import Trouble, refused
from bot.sandbox.world.permission_bits import Permission
from streaming.freshness import Freshness
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.discord_bodies import problems, problems_of
from tests.support.discord_wire import live_bot
from tests.support.feed import OPEN_AT, DictLedger, Keeper, snapshot
from tests.support.host import PNG
from tests.support.wire import WireBot, log_in


class WireRig:
    """One board on one channel of the local Discord, on a clock that the test moves."""

    def __init__(
        self,
        sandbox: Sandbox,
        bot: discord.Client,
        start=OPEN_AT,
        channel_id: int | None = None,
        *,
        style: Style = "ansi",
        ledger: DictLedger | None = None,
        draw: Draw | None = None,
        port: DiscordChannel | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.channel_id = channel_id or sandbox.channel_ids["gex-spx"]
        self.clock = ManualClock(start)
        self.told: list[str] = []
        self.slot = Slot(60)
        self.ledger = ledger or DictLedger()
        self.keeper = Keeper(self.channel_id, port or DiscordChannel(bot, self.channel_id), self.ledger, self.clock)
        self.board = Board(
            self.channel_id,
            parse_ticker("SPX"),
            slot=self.slot,
            message=self.keeper.message,
            plan=BoardPlan(style=style, draw=draw),
            clock=self.clock,
            rng=random.Random(1),
            tell=self.told.append,
        )

    async def beat(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.slot.put(snapshot(self.clock.now(), ticker="SPX", spot=6900 + self.clock.monotonic() % 100))
        await self.board.beat(self.clock.monotonic())
        await self.tidy()

    async def tidy(self) -> None:
        if not self.keeper.chores.loaded:
            await self.keeper.chores.load()
        await self.board.tidy()
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


async def test_what_a_board_sends_is_what_discord_describes(sandbox, bot):
    rig = WireRig(sandbox, bot)
    await rig.beat()
    await rig.beat()
    sent = [request for request in sandbox.traffic.requests if "/messages" in request.path]
    assert {request.method for request in sent} == {"POST", "PATCH", "GET"}
    for request in (request for request in sent if request.method != "GET"):
        assert problems(request.method, request.path, request.body) == []


async def test_a_card_is_posted_edited_replaced_and_found_on_the_wire_and_replaced_by_a_block(sandbox, bot):
    rig = WireRig(sandbox, bot, OPEN_AT - timedelta(seconds=3), style="card")
    for _ in range(4):
        await rig.beat()
    (message,) = sandbox.world.messages()
    assert (message.content, message.components[0]["type"]) == ("", 17)
    assert rig.board.status().counters.errors == sandbox.traffic.violations == 0
    sent = [request for request in sandbox.traffic.requests if request.method in {"POST", "PATCH"}]
    assert [problems(one.method, one.path, one.body) for one in sent if "/messages" in one.path] == [[]] * 4
    (seen,) = await DiscordChannel(bot, rig.channel_id).recent()
    assert is_replaceable(seen.content)
    block = WireRig(sandbox, bot, rig.clock.now(), ledger=rig.ledger)
    await block.beat()
    assert [text[:8] for text in block.messages] == ["```ansi\n"]


async def picture() -> Illustration:
    return Illustration(PNG, "what it shows")


@pytest.mark.parametrize("style", ["ansi", "card"])
async def test_a_picture_comes_with_an_edit_and_stays_for_the_next_ones(sandbox, bot, style):
    rig = WireRig(sandbox, bot, style=style, draw=picture)
    for _ in range(4):
        await rig.beat()
    (message,) = sandbox.world.messages()
    (file,) = message.attachments
    assert (file.filename, file.description, file.data) == ("gex.png", "what it shows", PNG)
    assert [one["type"] for one in message.components] == ([17, 12] if style == "card" else [])
    counters = rig.board.status().counters
    assert (counters.posts, counters.edits, counters.errors, sandbox.traffic.violations) == (1, 3, 0, 0)
    assert problems_of(one for one in sandbox.traffic.requests if "/messages" in one.path) == []
    (seen,) = await DiscordChannel(bot, rig.channel_id).recent()
    assert is_replaceable(seen.content)


@pytest.mark.parametrize("style", ["ansi", "card"])
async def test_buttons_stay_under_a_message_that_is_edited_until_they_are_not_wanted_any_more(sandbox, bot, style):
    port = DiscordChannel(bot, sandbox.channel_ids["gex-spx"], buttons=lambda _: live_buttons("SPX", Choices()))
    rig = WireRig(sandbox, bot, style=style, port=port, draw=picture)
    for _ in range(3):
        await rig.beat()
    (message,) = sandbox.world.messages()
    assert message.components[-1]["type"] == 1
    sent = [one.body for one in sandbox.traffic.requests if one.method == "PATCH"]
    assert ["components" in body for body in sent] == [style == "card"] * 2
    without = WireRig(sandbox, bot, rig.clock.now(), style=style, ledger=rig.ledger)
    await without.beat()
    (message,) = sandbox.world.messages()
    assert [one["type"] for one in message.components] == ([17] if style == "card" else [])
    assert sandbox.traffic.violations == 0


async def test_a_message_that_a_person_deleted_is_posted_anew(sandbox, bot):
    rig = WireRig(sandbox, bot)
    await rig.beat()
    message_id = rig.board.status().message_id
    assert message_id is not None
    sandbox.world.remove(sandbox.world.message(rig.channel_id, message_id))
    for _ in range(2):
        await rig.beat()
    assert len(rig.messages) == 1
    assert rig.board.status().message_id != message_id


async def test_a_channel_that_may_not_be_written_is_told_once_and_comes_back(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.world.deny(rig.channel_id, Permission.SEND_MESSAGES)
    for _ in range(80):
        await rig.beat()
    assert rig.messages == []
    assert len(rig.told) == 1
    assert str(rig.channel_id) in rig.told[0]
    sandbox.world.deny(rig.channel_id, Permission(0))
    await rig.beat(700)
    assert len(rig.messages) == 1
    assert len(rig.told) == 2
    assert "works again" in rig.told[1]


async def test_a_channel_that_is_gone_names_the_setting(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.world.delete_channel(rig.channel_id)
    await rig.beat()
    assert len(rig.told) == 1
    assert "DISCORD_GEX_FEED_CHANNEL_IDS" in rig.told[0]


async def test_a_503_is_tried_again(sandbox, bot):
    rig = WireRig(sandbox, bot)
    sandbox.fail(Trouble(503), count=1)
    await rig.beat()
    assert rig.board.status().state == "retrying"
    await rig.beat(2)
    assert len(rig.messages) == 1
    assert rig.told == []


@pytest.fixture
async def gexbot() -> AsyncIterator[tuple[Sandbox, discord.Client]]:
    async with live_bot() as (sandbox, bot, _):
        yield sandbox, bot


async def test_edits_of_an_old_message_that_are_rationed_by_a_429_lead_to_a_new_one(gexbot):
    sandbox, bot = gexbot
    rig = WireRig(sandbox, bot)
    await rig.beat()
    for rationed in (refused(30046), refused(30046, retry_after_s=1200)):
        old = rig.board.status().message_id
        sandbox.fail(rationed, on="edit", count=1)
        await rig.beat()
        assert rig.board.status().message_id != old
        assert len(rig.messages) == 1
    assert rig.board.status().state == "open"


async def test_a_page_of_a_proxy_says_nothing_of_the_channel(gexbot):
    sandbox, bot = gexbot
    rig = WireRig(sandbox, bot)
    for trouble in (Trouble(403, shape="page"), Trouble(404, shape="page"), Trouble(200, shape="page"), refused(40333)):
        sandbox.fail(trouble, count=1)
        await rig.beat(11)
        assert rig.board.status().state == "retrying"
    await rig.beat(11)
    assert rig.board.status().state == "open"
    assert rig.told == []
    assert len(rig.messages) == 1


async def test_an_archived_thread_gets_a_new_message_which_opens_it_again(gexbot):
    sandbox, bot = gexbot
    thread = sandbox.add_thread("gex", sandbox.channel_ids["gex-spx"])
    rig = WireRig(sandbox, bot, channel_id=thread)
    await rig.beat()
    sandbox.world.change_thread(thread, archived=True)
    for _ in range(2):
        await rig.beat()
    assert (rig.board.status().state, rig.told) == ("open", [])
    assert len(rig.messages) == 1
    assert rig.board.status().counters.errors == 0


async def test_a_locked_thread_is_told_with_its_own_remedy_and_written_at_once_when_it_is_unlocked(gexbot):
    sandbox, bot = gexbot
    thread = sandbox.add_thread("gex", sandbox.channel_ids["gex-spx"])
    rig = WireRig(sandbox, bot, channel_id=thread)
    bot.events.on_place_changed(lambda channel_id: rig.board.wake() if channel_id == thread else None)
    sandbox.world.change_thread(thread, locked=True)
    await rig.beat()
    await rig.beat()
    assert rig.board.status().state == "paused"
    assert len(rig.told) == 1
    assert "Manage Threads" in rig.told[0]
    sandbox.world.change_thread(thread, locked=False)
    while not rig.messages and rig.clock.monotonic() < 1010:
        await asyncio.sleep(0.02)
        await rig.beat(0.1)
    assert len(rig.messages) == 1


async def test_a_post_whose_answer_was_lost_is_found_and_removed_when_discord_has_forgotten_its_nonce(gexbot):
    sandbox, bot = gexbot
    rig = WireRig(sandbox, bot)
    sandbox.fail(Trouble(404, code=10003, late=True), on="post", count=1)
    await rig.beat()
    assert len(rig.messages) == 1
    for message in sandbox.world.messages():
        message.nonce = "forgotten"
    await rig.beat(20)
    for _ in range(2):
        await rig.beat()
    assert len(rig.messages) == 1
    assert rig.board.status().state == "open"


async def test_nothing_but_live_boards_of_ours_is_removed_and_a_missing_permission_to_read_harms_nobody(gexbot):
    sandbox, bot = gexbot
    rig = WireRig(sandbox, bot)
    channel = bot.get_partial_messageable(rig.channel_id)
    text = board_text(BoardView(ticker="SPX", source="schwab", freshness=Freshness.LIVE))
    closed = board_text(BoardView(ticker="SPX", source="schwab", freshness=Freshness.CLOSED))
    for said in (closed, "SPX crossed 6900", text):
        await channel.send(said)
    sandbox.world.deny(rig.channel_id, Permission.READ_MESSAGE_HISTORY)
    await rig.beat()
    assert rig.board.status().state == "open"
    assert len(rig.messages) == 4
    sandbox.world.deny(rig.channel_id, Permission(0))
    await rig.beat(301)
    await rig.tidy()
    assert len(rig.messages) == 3
    assert closed in rig.messages and text not in rig.messages
