"""The product's own commands over the wire: real discord.py, the local Discord, the page's interface."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.choices import Choices
from bot.client import GexBot
from bot.feed.channel import DiscordChannel
from bot.live_buttons import live_buttons
from bot.render.card import card_text
from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.wire.login import point_discord_at
from streaming.errors import TransientError
from tests.support.discord_bodies import problems_of
from tests.support.host import Host, make_settings, make_snapshot
from tests.support.wire import Visitor, visit

SUBCOMMAND, STRING, BOOLEAN = 1, 3, 5
BUTTON, MENU = 2, 3


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A local Discord; whatever the bot sent has Discord's fields and limits."""
    async with open_sandbox() as running:
        yield running
        assert [record for record in running.traffic.requests if record.status >= 400] == []
        assert problems_of(running.traffic.requests) == []


@pytest.fixture
def host(sandbox: Sandbox) -> Host:
    host = Host(make_settings(discord_operator_ids=(sandbox.owner_id,)))
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX"), "NDX": make_snapshot("NDX")}
    return host


@pytest.fixture(autouse=True)
async def bot(sandbox: Sandbox, host: Host, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GexBot]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    point_discord_at(sandbox.api_url, sandbox.gateway_url)
    bot = host.make_bot()
    bot._connection.guild_ready_timeout = 0.05  # the guild is there at once
    async with bot, asyncio.TaskGroup() as tasks:
        tasks.create_task(bot.run_until_closed(sandbox.token), name="the bot")
        await bot.logged_in.wait()
        await bot.wait_until_ready()
        yield bot
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
    kinds = {str: STRING, bool: BOOLEAN}
    given = [{"name": key, "type": kinds[type(value)], "value": value} for key, value in options.items()]
    return {"name": name, "type": SUBCOMMAND, "options": given}


async def answer(visitor: Visitor) -> dict[str, Any]:
    """The next finished message that the visitor sees."""
    while True:
        message: dict[str, Any] = await visitor.next("message_create", "message_update")
        if not message["page"]["deferred"]:
            return message


def button(message: dict[str, Any], label: str) -> dict[str, Any]:
    rows = [row for row in message["components"] if row["type"] == 1]
    return next(item for row in rows for item in row["components"] if item.get("label") == label)


async def press(visitor: Visitor, message: dict[str, Any], label: str) -> int:
    status, _ = await visitor.interact(
        "component", message_id=message["id"], custom_id=button(message, label)["custom_id"], component_type=BUTTON
    )
    return status


async def test_status_is_answered_privately(guest: Visitor) -> None:
    assert (await guest.run("gex", sub("status", symbol="SPX")))[0] == 202
    message = await answer(guest)
    assert message["page"]["ephemeral_for"] == "guest"
    assert message["embeds"][0]["title"].startswith("SPX")


async def test_every_command_can_be_brought_along_and_then_manages_no_server(
    guest: Visitor, owner: Visitor, sandbox: Sandbox
) -> None:
    async with guest.http.get(f"{sandbox.page_url}api/page/state?as=owner") as response:
        commands = (await response.json())["commands"]
    assert {(*command["integration_types"], "in", *command["contexts"]) for command in commands} == {
        (0, 1, "in", 0, 1, 2)
    }
    await guest.run("gex", sub("status", symbol="SPX"), user_installed=True)
    assert (await answer(guest))["embeds"][0]["title"].startswith("SPX")
    await owner.run("alert", sub("add", kind="net_gex", target="here"), user_installed=True)
    assert "Only members who may manage the server" in (await answer(owner))["content"]


async def test_the_symbol_box_offers_tickers(guest: Visitor) -> None:
    focused = sub("levels", symbol="n")
    focused["options"][0]["focused"] = True
    command_id = await guest.command_id("gex")
    status, found = await guest.interact("autocomplete", command_id=command_id, options=[focused])
    assert status == 200
    assert [choice["value"] for choice in found["choices"]] == ["NDX"]


async def test_a_chart_comes_as_a_picture_with_alt_text(guest: Visitor, host: Host) -> None:
    await guest.run("gex", sub("chart", symbol="SPX", weight="oi"))
    message = await answer(guest)
    (attachment,) = message["attachments"]
    assert attachment["filename"] == "gex-spx-strikes-full-oi.png"
    assert "by strike" in attachment["description"]
    assert message["page"]["ephemeral_for"] == "guest"


async def test_a_public_chart_reaches_everybody_and_its_failure_only_the_asker(
    guest: Visitor, owner: Visitor, host: Host
) -> None:
    await guest.run("gex", sub("chart", symbol="SPX", public=True))
    seen = await answer(owner)
    assert seen["attachments"]
    assert seen["page"]["ephemeral_for"] is None
    host.charts.error = TransientError("The chart worker is busy.")
    await guest.run("gex", sub("chart", symbol="NDX", public=True))
    while (message := await answer(guest))["content"] != "The chart worker is busy.":
        pass
    assert message["page"]["ephemeral_for"] == "guest"
    assert len(await owner.messages()) == 1


async def test_menu_and_form_change_the_levels_in_place(guest: Visitor) -> None:
    await guest.run("gex", sub("levels", symbol="SPX"))
    message = await answer(guest)
    scopes = message["components"][0]["components"][0]
    chosen = {"custom_id": scopes["custom_id"], "component_type": MENU, "values": ["zero"]}
    assert (await guest.interact("component", message_id=message["id"], **chosen))[0] == 202
    changed = await answer(guest)
    assert changed["id"] == message["id"]
    assert "zero" in changed["embeds"][0]["title"]
    await press(guest, changed, "Other symbol…")
    form = await guest.next("modal")
    field = form["components"][0]["component"]
    filled = [{"type": 18, "component": {"type": 4, "custom_id": field["custom_id"], "value": "ndx"}}]
    await guest.interact("modal", interaction_id=form["interaction_id"], custom_id=form["custom_id"], components=filled)
    other = await answer(guest)
    assert other["id"] == message["id"]
    assert other["embeds"][0]["title"].startswith("NDX")


@pytest.mark.parametrize("text", ["figures", card_text([["figures"]])])
async def test_buttons_of_a_live_message_answer_whoever_clicks_in_private(
    guest: Visitor, owner: Visitor, bot: GexBot, sandbox: Sandbox, text: str
) -> None:
    channel_id = sandbox.channel_ids["gex-spx"]
    buttons = partial(live_buttons, "NDX", Choices(scope="zero", weight="vol"))
    await DiscordChannel(bot, channel_id, buttons=lambda _: buttons()).send(text, nonce="n1")
    live = await answer(guest)
    await answer(owner)
    shown = {}
    for label in ("Chart", "Levels", "Explain"):
        assert await press(guest, live, label) == 202
        shown[label] = await answer(guest)
        assert shown[label]["page"]["ephemeral_for"] == "guest"
        assert shown[label]["id"] != live["id"]
    assert shown["Chart"]["attachments"][0]["filename"] == "gex-ndx-strikes-zero-vol.png"
    assert "zero" in shown["Levels"]["embeds"][0]["title"]
    assert shown["Explain"]["embeds"][0]["title"].startswith("NDX")
    assert await press(owner, live, "Levels") == 202
    assert (await answer(owner))["page"]["ephemeral_for"] == "owner"


async def test_a_button_whose_ticker_nobody_follows_any_more_is_answered_too(
    guest: Visitor, bot: GexBot, sandbox: Sandbox
) -> None:
    row = {"type": 1, "components": [{"type": 2, "style": 2, "label": "Levels", "custom_id": "gex-live:levels:TSLA::"}]}
    path = Route("POST", "/channels/{channel_id}/messages", channel_id=sandbox.channel_ids["gex-spx"])
    await bot.http.request(path, json={"content": "of another process", "components": [row]})
    assert await press(guest, await answer(guest), "Levels") == 202
    assert (await answer(guest))["content"].startswith("TSLA is not followed here.")


async def test_an_unknown_symbol_is_one_private_sentence(guest: Visitor) -> None:
    await guest.run("gex", sub("status", symbol="TSLA", public=True))
    message = await answer(guest)
    assert message["content"] == "TSLA is not followed here. Available: SPX, NDX."
    assert message["page"]["ephemeral_for"] == "guest"


async def test_the_owner_steers_the_stream(owner: Visitor, host: Host) -> None:
    await owner.run("stream", sub("start"))
    message = await answer(owner)
    assert message["content"] == "Connected: 2 symbols, first data after 40 ms."
    assert host.stream.orders == ["start"]


async def test_a_guest_is_not_offered_operator_commands_and_is_refused_when_it_forces_one(
    guest: Visitor, host: Host
) -> None:
    assert {command["name"] for command in (await guest.state())["commands"]} == {"gex", "alert", "about", "help"}
    assert (await guest.run("stream", sub("start")))[0] == 403
    await guest.run("stream", sub("start"), force=True)
    message = await answer(guest)
    assert "for the bot's operators" in message["content"]
    assert message["page"]["ephemeral_for"] == "guest"
    assert host.stream.orders == []


async def test_the_owner_logs_in_at_schwab_with_a_link_and_a_form(owner: Visitor, host: Host) -> None:
    await owner.run("token", sub("login"))
    message = await answer(owner)
    assert message["page"]["ephemeral_for"] == "owner"
    assert button(message, "Open Schwab's login page")["url"] == "https://schwab.example/authorize?state=s1"
    assert await press(owner, message, "Paste the redirect URL") == 202
    form = await owner.next("modal")
    field = form["components"][0]["component"]
    address = "https://127.0.0.1:8182/?code=C0.x%40&session=1&state=s1"
    filled = [{"type": 18, "component": {"type": 4, "custom_id": field["custom_id"], "value": address}}]
    await owner.interact("modal", interaction_id=form["interaction_id"], custom_id=form["custom_id"], components=filled)
    done = await answer(owner)
    assert done["id"] == message["id"]
    assert done["content"].startswith("You are logged in at Schwab.")
    assert not done["components"]
    assert host.login.finished == [("s1", address)]


async def test_operators_get_a_direct_message(bot: GexBot, sandbox: Sandbox) -> None:
    bot.tell_operators("The Schwab login is over. Log in again.")
    await bot.mail.delivered()
    sent = [record for record in sandbox.traffic.requests if record.method == "POST"]
    assert sent[-1].status == 200
    assert "The Schwab login is over." in str(sent[-1].body)
