"""What asks first: done once it is confirmed by who asked and still may, and noted then."""

from streaming.errors import LoginRequiredError


async def test_what_all_servers_would_notice_is_done_only_once_it_is_confirmed(room):
    asked = await room.operator.slash(room.channel, "stream stop")
    assert asked.response.ephemeral and "in every server" in asked.response.content
    assert (room.host.stream.orders, room.host.noted.texts) == ([], [])
    await room.operator.click(asked.response, label="Stop the stream")
    edited = [one.json["content"] for one in room.env.http_requests if one.method == "PATCH"]
    assert edited == ["The stream has stopped."]
    assert room.host.stream.orders == ["stop"]
    (noted,) = room.host.noted.texts
    assert '"words":"stream stop"' in noted
    restart = await room.operator.slash(room.channel, "stream restart")
    await room.operator.click(restart.response, label="Cancel")
    assert room.host.stream.orders == ["stop"]
    assert len(room.host.noted.texts) == 1


async def test_who_is_no_operator_any_more_confirms_nothing(room):
    asked = await room.operator.slash(room.channel, "stream stop")
    room.bot.operators = type(room.bot.operators)({12345}, lambda: None)
    await room.operator.click(asked.response, label="Stop the stream")
    assert (room.host.stream.orders, room.host.noted.texts) == ([], [])
    assert room.env.errors


async def test_an_order_that_fails_says_so_in_place_of_the_question_and_is_not_noted(room):
    room.host.stream.error = LoginRequiredError("The Schwab login is over.", remedy="Log in again.")
    asked = await room.operator.slash(room.channel, "stream restart")
    clicked = await room.operator.click(asked.response, label="Restart the stream")
    assert [told.content for told in clicked.followups] == ["The Schwab login is over. Log in again."]
    assert room.host.noted.texts == []
    assert room.env.errors
