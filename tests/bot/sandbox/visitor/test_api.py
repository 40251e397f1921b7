import aiohttp

from bot.sandbox.local_discord import Sandbox
from tests.support.wire import Visitor


async def test_the_state_names_guild_bot_people_and_channels(sandbox: Sandbox, owner: Visitor) -> None:
    state = await owner.state()
    assert (state["guild"]["id"], state["bot"]["name"], state["as"]) == (str(sandbox.guild_id), "Gexcord", "owner")
    assert [(person["key"], person["operator"]) for person in state["personas"]] == [("owner", True), ("guest", False)]
    assert [channel["name"] for channel in state["channels"]] == ["gex-spx", "gex-ndx"]
    assert state["commands"] == []


async def test_a_stranger_has_no_state_and_no_events(sandbox: Sandbox, owner: Visitor) -> None:
    for path in ("state", "events"):
        async with owner.http.get(f"{sandbox.page_url}api/page/{path}", params={"as": "nobody"}) as response:
            assert response.status == 404


async def test_the_page_itself_is_served(sandbox: Sandbox, owner: Visitor) -> None:
    async with owner.http.get(sandbox.page_url) as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_form_of_another_site_cannot_act_here(sandbox: Sandbox, owner: Visitor) -> None:
    async with owner.http.post(f"{sandbox.page_url}api/page/interact", data={"as": "owner"}) as response:
        assert response.status == 415


async def test_nonsense_is_refused_with_a_sentence(owner: Visitor) -> None:
    assert (await owner.interact("dance"))[0] == 404
    status, body = await owner.interact("command", command_id="1", options=[])
    assert (status, body["message"]) == (404, "Unknown application command")
    assert (await owner.interact("modal", interaction_id="5", components=[]))[0] == 400
    assert (await owner.interact("component", message_id="x", custom_id="y"))[0] == 400


async def test_changed_commands_reach_the_page_by_persona(sandbox: Sandbox, owner: Visitor, guest: Visitor) -> None:
    commands = [
        {"name": "open", "description": "d"},
        {"name": "closed", "description": "d", "default_member_permissions": "0"},
    ]
    sandbox.commands.overwrite(None, commands)
    assert [command["name"] for command in await owner.next("commands")] == ["open", "closed"]
    assert [command["name"] for command in await guest.next("commands")] == ["open"]


async def test_without_a_bot_a_command_fails_after_its_time(sandbox: Sandbox, owner: Visitor) -> None:
    sandbox.commands.overwrite(None, [{"name": "open", "description": "d"}])
    _, started = await owner.run("open")
    assert (await owner.next("interaction_failed"))["interaction_id"] == started["interaction_id"]


async def test_without_a_bot_autocomplete_offers_nothing_after_its_time(sandbox: Sandbox, owner: Visitor) -> None:
    option = {"type": 3, "name": "symbol", "description": "d", "autocomplete": True}
    sandbox.commands.overwrite(None, [{"name": "open", "description": "d", "options": [option]}])
    typed = [{"name": "symbol", "value": "s", "focused": True}]
    command_id = await owner.command_id("open")
    assert await owner.interact("autocomplete", command_id=command_id, options=typed) == (200, {"choices": []})


async def test_counters_and_bodies_can_be_read_from_outside(sandbox: Sandbox, owner: Visitor) -> None:
    headers = {"Authorization": f"Bot {sandbox.token}"}
    url = f"{sandbox.api_url}/channels/{sandbox.channel_ids['gex-spx']}/messages"
    for content, status in (("x", 200), ("x" * 2_001, 400)):
        async with owner.http.post(url, json={"content": content}, headers=headers) as response:
            assert response.status == status
    async with owner.http.get(f"{sandbox.page_url}api/page/traffic", params={"requests": "1"}) as response:
        told = await response.json()
    route = "POST /channels/{channel_id}/messages"
    assert (told["statuses"], told["violations"]) == ({"200": 1, "400": 1}, 1)
    assert told["routes"] == {f"{route} 200": 1, f"{route} 400": 1}
    assert told["requests"][0]["body"] == {"content": "x"}


async def test_a_page_that_goes_away_is_forgotten(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http:
        response = await http.get(f"{sandbox.page_url}api/page/events")
        await response.content.readline()
        assert sandbox.hub.viewers == 1
        response.close()
        sandbox.hub.end_all()


async def test_a_conversation_that_is_opened_shows_up_for_the_persona_it_is_with(
    sandbox: Sandbox, owner: Visitor, guest: Visitor
) -> None:
    opened = sandbox.world.direct_channel(sandbox.world.personas["guest"].member.user)
    channels = await guest.next("channels")
    assert [(channel["label"], channel["direct"]) for channel in channels] == [
        ("gex-spx", False),
        ("gex-ndx", False),
        ("Gexcord", True),
    ]
    assert channels == (await guest.state())["channels"]
    assert str(opened.id) not in {channel["id"] for channel in (await owner.state())["channels"]}
    assert owner.events.empty()
