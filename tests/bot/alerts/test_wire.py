"""An alert from the command to the message, on the local Discord: real discord.py, real HTTP, real Redis."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.alerts.alert_commands import AlertCommands
from bot.alerts.alert_job import AlertRunner
from bot.alerts.post import AlertPost
from bot.alerts.rule_store import AlertStore
from bot.client import GexBot
from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.rest.faults import Trouble, refused
from bot.sandbox.world.permission_bits import Permission
from bot.wire.login import point_discord_at
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import ShiftedClock, epoch_ms
from tests.support.alerts import shot
from tests.support.discord_bodies import problems_of
from tests.support.host import Host, make_settings
from tests.support.snapshots import ASOF
from tests.support.wire import Visitor, until, visit

SUBCOMMAND, STRING, INTEGER, NUMBER = 1, 3, 4, 10
CREATE = "/channels/{channel_id}/messages"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox() as running:
        yield running
        assert problems_of(running.traffic.requests) == []


class Scene:
    """The bot with its alerts running, and a market to move."""

    def __init__(self, bot: GexBot, sandbox: Sandbox, redis: Any) -> None:
        self.sandbox = sandbox
        self.clock = ShiftedClock(ASOF)
        self.snapshots = SnapshotStore(redis, clock=self.clock)
        self.store, post = AlertStore(redis), AlertPost(bot)
        self.runner = AlertRunner(self.snapshots, self.store, post, self.clock, tell=bot.tell_operators)
        self.desk = AlertCommands(self.store, self.runner, post, self.clock, per_person=2, per_channel=2)
        self.seq = 0

    async def spots(self, *spots: float) -> None:
        for spot in spots:
            self.seq += 1
            await self.snapshots.put(shot(spot=spot, seq=self.seq, asof_ms=epoch_ms(self.clock.now())))
            await asyncio.sleep(0.03)

    def texts(self, *, of: str = "dm") -> list[str]:
        """Every public message of a channel, or of all direct conversations."""
        world = self.sandbox.world
        channels = [c for c in world.channels.values() if (c.recipient is not None) == (of == "dm")]
        found = [m for c in channels if of in {"dm", c.name} for m in c.messages.values() if m.ephemeral_for is None]
        return [message.content for message in found]


@pytest.fixture(autouse=True)
async def scene(sandbox: Sandbox, redis: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    point_discord_at(sandbox.api_url, sandbox.gateway_url)
    host = Host(make_settings(discord_operator_ids=(sandbox.owner_id,)))
    bot = host.make_bot()
    scene = Scene(bot, sandbox, redis)
    host.clock, host.snapshots, host.alerts = scene.clock, scene.snapshots, scene.desk  # type: ignore[assignment]  # the real ones
    bot.attach(host.make_bot().services)
    bot._connection.guild_ready_timeout = 0.05
    async with bot, asyncio.TaskGroup() as tasks:
        tasks.create_task(bot.run_until_closed(sandbox.token), name="the bot")
        await bot.logged_in.wait()
        await bot.wait_until_ready()
        running = tasks.create_task(scene.runner.run(lambda: None), name="the alerts")
        yield scene
        running.cancel()
        await asyncio.wait({running})
        await bot.close()


@pytest.fixture
async def guest(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "guest") as visitor:
        yield visitor


@pytest.fixture
async def owner(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "owner") as visitor:
        yield visitor


def sub(name: str, **options: Any) -> dict[str, Any]:
    kinds = {str: STRING, int: INTEGER, float: NUMBER}
    given = [{"name": key, "type": kinds[type(value)], "value": value} for key, value in options.items()]
    return {"name": name, "type": SUBCOMMAND, "options": given}


async def said(visitor: Visitor, name: str, **options: Any) -> str:
    """What the bot answers privately to `/alert NAME`."""
    status, _ = await visitor.run("alert", sub(name, **options))
    assert status == 202
    while True:
        message = await visitor.next("message_create", "message_update")
        if message["page"]["ephemeral_for"] == visitor.key and not message["page"]["deferred"]:
            return str(message["content"])


async def test_a_guest_adds_an_alert_and_gets_one_direct_message_when_spot_crosses(scene: Scene, guest: Visitor):
    await scene.spots(6395)
    answer = await said(guest, "add", kind="zero_gamma", symbol="spx")
    assert answer == (
        "Alert 1 is set, by direct message: SPX: spot crosses zero gamma.\nNow spot 6395.00 is below 6400.00."
    )
    await scene.spots(6395, 6405, 6406)
    await until(lambda: len(scene.texts()) == 2)
    await asyncio.sleep(1.0)
    greeting, alert = scene.texts()
    assert greeting.startswith("Alert 1 is set: SPX: spot crosses zero gamma.")
    assert alert.startswith("▲ **SPX** crossed above zero gamma 6400.00\nspot 6405.00 · <t:")
    assert scene.sandbox.traffic.violations == 0
    sent = [
        record.body for record in scene.sandbox.traffic.requests if (record.method, record.path) == ("POST", CREATE)
    ]
    assert len(sent) == 2
    assert all(body["allowed_mentions"]["parse"] == [] for body in sent)
    assert sent[0]["nonce"] == "alert-1"
    assert all(body["enforce_nonce"] for body in sent)


async def test_the_page_shows_the_conversation_to_whom_it_belongs(scene: Scene, guest: Visitor, owner: Visitor):
    status, _ = await guest.run("alert", sub("add", kind="price", symbol="SPX", value=6400.0))
    assert status == 202
    channels = await guest.next("channels")
    (direct,) = [channel for channel in channels if channel["direct"]]
    assert direct["label"] == "Gexcord"
    state = await guest.state()
    await until(lambda: len(scene.texts()) == 1)
    assert direct["id"] in state["messages"]
    assert direct["id"] not in (await owner.state())["messages"]


async def test_an_admin_adds_an_alert_for_the_channel_and_everybody_reads_it(scene: Scene, owner: Visitor):
    answer = await said(owner, "add", kind="price", symbol="SPX", value=6400.0, target="here", cooldown=5)
    assert answer.startswith("Alert 1 is set, in this channel: SPX: spot crosses 6400 (at most every 5 min).")
    assert "no current snapshot" in answer
    await scene.spots(6395, 6405)
    await until(lambda: bool(scene.texts(of="gex-spx")))
    assert scene.texts(of="gex-spx")[0].startswith("▲ **SPX** crossed above 6400\n")


async def test_a_guest_may_not_alert_a_channel(scene: Scene, guest: Visitor):
    answer = await said(guest, "add", kind="net_gex", symbol="SPX", target="here")
    assert answer == (
        "Only members who may manage the server can add alerts to a channel. Use `target: dm` for yourself."
    )
    assert (await scene.store.load()).rules == {}


async def test_a_channel_where_the_bot_may_not_write_is_refused_at_once(scene: Scene):
    scene.sandbox.world.deny(scene.sandbox.channel_ids["gex-spx"], Permission.SEND_MESSAGES)
    async with visit(scene.sandbox, "owner") as owner:
        answer = await said(owner, "add", kind="net_gex", symbol="SPX", target="here")
    assert answer.startswith("I may not write in this channel. Give me View Channel and Send Messages here")
    assert (await scene.store.load()).rules == {}


async def test_closed_direct_messages_are_told_at_once_and_nothing_is_kept(scene: Scene, guest: Visitor):
    scene.sandbox.fail(refused(50007), on="post", count=1)
    answer = await said(guest, "add", kind="net_gex", symbol="SPX")
    assert answer.startswith(
        "I cannot send you direct messages: your direct messages are closed to me. Allow direct messages from members"
    )
    assert (await scene.store.load()).rules == {}


async def test_alerts_are_listed_as_they_stand_and_removed_by_number(scene: Scene, guest: Visitor, owner: Visitor):
    assert await said(guest, "list") == "You have no alerts. /alert add sets one."
    await said(guest, "add", kind="zero_gamma", symbol="SPX")
    await said(guest, "add", kind="max_change", symbol="SPX", value=0.5, window="15")
    refused = await said(guest, "add", kind="net_gex", symbol="SPX")
    assert refused == "You have 2 alerts, which is the limit. Remove one with /alert remove."
    await scene.spots(6395, 6405)
    await until(lambda: len(scene.texts()) == 3)
    listed = await said(guest, "list")
    assert listed.startswith("`1` SPX: spot crosses zero gamma\n> cooling down until <t:")
    assert listed.endswith("`2` SPX: flow 15 min exceeds $0.5Bn per 1 % at a strike\n> armed (no volume by strike)")
    assert await said(owner, "list") == "You have no alerts. /alert add sets one."
    assert await said(owner, "remove", number=1) == "You have no alert 1. /alert list shows the numbers."
    assert await said(guest, "remove", number=1) == "Alert 1 is removed: SPX: spot crosses zero gamma."
    assert list((await scene.store.load()).rules) == [2]


async def test_the_number_box_offers_ones_own_alerts(scene: Scene, guest: Visitor, owner: Visitor):
    await said(guest, "add", kind="zero_gamma", symbol="SPX")
    await said(owner, "add", kind="net_gex", symbol="NDX", target="here")
    assert await offered(guest, "") == [1]
    assert await offered(owner, "") == [2]
    assert await offered(guest, "zer") == [1]
    assert await offered(guest, "99") == []


async def offered(visitor: Visitor, typed: str) -> list[int]:
    option = {"name": "number", "type": INTEGER, "value": typed, "focused": True}
    remove = {"name": "remove", "type": SUBCOMMAND, "options": [option]}
    command_id = await visitor.command_id("alert")
    status, found = await visitor.interact("autocomplete", command_id=command_id, options=[remove])
    assert status == 200
    return [choice["value"] for choice in found["choices"]]


async def test_a_channel_that_lost_its_permission_is_paused_shown_and_resumed(scene: Scene):
    channel_id = scene.sandbox.channel_ids["gex-spx"]
    async with visit(scene.sandbox, "owner") as owner:
        await said(owner, "add", kind="zero_gamma", symbol="SPX", target="here", cooldown=1)
    await scene.spots(6395)
    scene.sandbox.world.deny(channel_id, Permission.SEND_MESSAGES)
    await scene.spots(6405)
    await until(lambda: scene.runner.counters.paused == 1)
    async with visit(scene.sandbox, "owner") as owner:
        listed = await said(owner, "list")
    assert listed.startswith(f"`1` SPX: spot crosses zero gamma (at most every 1 min) in <#{channel_id}>\n")
    assert "paused: I may not write in the channel" in listed
    await until(lambda: any("are paused" in text for text in scene.texts()))
    scene.sandbox.world.deny(channel_id, Permission(0))
    async with visit(scene.sandbox, "owner") as owner:
        answer = await said(owner, "add", kind="price", symbol="SPX", value=6500.0, target="here")
        assert answer.endswith("Alerts that were paused there run again.")
        assert "paused" not in await said(owner, "list")


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(403, shape="page"),
        Trouble(404, shape="page"),
        Trouble(401, shape="page"),
        Trouble(401, shape="codeless"),
        Trouble(403, shape="empty"),
        Trouble(200, shape="page"),
        Trouble(403, 999_999),
        refused(40333),
        refused(50013),  # of a channel's permissions, and this is a conversation
    ],
)
async def test_an_odd_answer_loses_no_alert_and_pauses_nothing(scene: Scene, guest: Visitor, trouble: Trouble):
    await said(guest, "add", kind="zero_gamma", symbol="SPX")
    await scene.spots(6395)
    scene.sandbox.fail(trouble, on="post", count=1)
    await scene.spots(6405)
    await until(lambda: len(scene.texts()) == 2)
    assert scene.runner.counters.retries == 1
    assert "paused" not in await said(guest, "list")


@pytest.mark.parametrize(
    ("code", "reason"), [(50007, "your direct messages are closed to me"), (50278, "we no longer share a server")]
)
async def test_a_reader_who_cannot_be_reached_sees_why_in_the_list(
    scene: Scene, guest: Visitor, code: int, reason: str
):
    await said(guest, "add", kind="zero_gamma", symbol="SPX")
    await scene.spots(6395)
    scene.sandbox.fail(refused(code), on="post")
    await scene.spots(6405)
    await until(lambda: scene.runner.counters.paused == 1)
    assert f"paused: {reason}" in await said(guest, "list")


async def test_an_unknown_symbol_or_a_senseless_option_is_a_sentence(scene: Scene, guest: Visitor):
    assert (await said(guest, "add", kind="net_gex", symbol="s p x")).startswith("'s p x' is not a ticker.")
    assert (await said(guest, "add", kind="price", symbol="SPX")).startswith("This kind of alert needs a figure.")
    assert (await said(guest, "add", kind="net_gex", symbol="SPX", value=3.0)).startswith("This kind of alert takes no")
    assert (await said(guest, "add", kind="price", symbol="SPX", value=-3.0)).startswith("The `value` must be above 0.")
    answer = await said(guest, "add", kind="max_change", symbol="SPX", value=1.0, scope="zero")
    assert answer.startswith("The flow is by volume")
    assert await said(guest, "add", kind="net_gex", symbol="TSLA") == "TSLA is not followed here. Available: SPX, NDX."
