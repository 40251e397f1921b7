import pytest
import simcord

from streaming.errors import LoginRequiredError, RequestError
from streaming.status import HistoryStatus, RecorderStatus, SourceStatus

COMMANDS = [
    "stream start",
    "stream stop",
    "stream restart",
    "stream status",
    "stream symbols list",
    "token status",
    "token refresh",
    "token login",
]


def thought_first(room):
    """Whether the first answer to the last command was a private "is thinking"."""
    first = next(request for request in room.env.http_requests if request.path.endswith("/callback"))
    return first.json == {"type": 5, "data": {"flags": 64}}


async def test_an_operator_starts_and_stops_and_sees_what_happened(room):
    started = await room.operator.slash(room.channel, "stream start")
    assert thought_first(room)
    assert started.response.ephemeral
    assert started.response.content == "Connected: 2 symbols, first data after 40 ms."
    assert room.host.stream.orders == ["start"]


async def test_an_operator_changes_what_is_streamed(room):
    added = await room.operator.slash(room.channel, "stream symbols add", symbols="AAPL, /ES")
    assert thought_first(room)
    assert added.response.ephemeral and added.response.content == "AAPL, /ES: done."
    removal = await room.operator.slash(room.channel, "stream symbols remove", symbols="SPY")
    await room.operator.click(removal.response, label="Remove")
    listed = await room.operator.slash(room.channel, "stream symbols list")
    assert "Added: AAPL" in listed.response.content
    assert room.host.symbols.orders == [("add", "AAPL, /ES"), ("remove", "SPY")]


async def test_what_is_no_symbol_is_answered_with_the_remedy(room):
    room.host.symbols.error = RequestError("'???' is not a symbol.", remedy="Use SPY.")
    result = await room.operator.slash(room.channel, "stream symbols add", symbols="???")
    assert result.response.content == "'???' is not a symbol. Use SPY."
    assert room.env.errors


async def test_the_box_for_removal_offers_what_is_streamed(room):
    offered = await room.operator.autocomplete(room.channel, "stream symbols remove", "symbols", "sp")
    assert [choice["value"] for choice in offered] == ["SPY"]


async def test_status_names_state_rates_and_symbols(room):
    result = await room.operator.slash(room.channel, "stream status")
    assert result.response.ephemeral
    assert "**Stream: live**" in result.response.content
    assert "SPY 0s" in result.response.content


async def test_an_operators_error_arrives_with_its_remedy(room):
    room.host.stream.error = LoginRequiredError("The Schwab login is over.", remedy="Log in again.")
    result = await room.operator.slash(room.channel, "stream start")
    assert result.response.content == "The Schwab login is over. Log in again."
    assert result.response.ephemeral
    assert result.followups == []
    assert room.env.errors


async def test_a_guest_is_not_offered_operator_commands(room):
    assert not any(name.startswith(("stream", "token")) for name in room.guest.available_commands(room.channel))
    assert any(name.startswith("stream") for name in room.operator.available_commands(room.channel))
    with pytest.raises(simcord.SetupError, match="not visible"):
        await room.guest.slash(room.channel, "stream start")


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_member_who_is_offered_a_command_but_is_no_operator_is_refused_privately(room, command):
    root = room.env.backend.find_command(command.split()[0], room.guild.id, type=1)
    room.guild.set_command_permissions(int(root["id"]), {room.guest: True})
    result = await room.guest.slash(room.channel, command)
    assert result.response.ephemeral
    assert "for the bot's operators" in result.response.content
    assert room.host.stream.orders == []
    assert room.host.login.refreshes == 0
    assert room.env.errors


async def test_status_also_names_where_the_snapshots_come_from(room):
    room.host.sources = (SourceStatus(name="gexbot", tickers=("QQQ",), state="needs_action", last_error="Correct it."),)
    result = await room.operator.slash(room.channel, "stream status")
    assert "**Stream: live**" in result.response.content
    assert "**Source gexbot: needs you** · QQQ" in result.response.content
    assert "Last error: Correct it." in result.response.content


async def test_status_also_tells_what_is_recorded(room):
    room.host.recorder = RecorderStatus(state="failed", path=".recordings", last_error="The disk is full.")
    result = await room.operator.slash(room.channel, "stream status")
    assert "**Recorder: failed** · .recordings" in result.response.content
    assert "Last error: The disk is full." in result.response.content
    room.host.history = HistoryStatus(state="keeping", path=".history", days=3, last_day="2026-11-27")
    content = (await room.operator.slash(room.channel, "stream status")).response.content
    assert "**History: keeping** · .history" in content and "3 days kept, the last 2026-11-27" in content
    room.host.recorder = None
    assert "Recorder" not in (await room.operator.slash(room.channel, "stream status")).response.content
