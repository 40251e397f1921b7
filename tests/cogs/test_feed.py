from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus


class Feed:
    """A `FeedRunner` with a board in the room's channel and one in another server."""

    def __init__(self, *channel_ids):
        self.channel_ids = channel_ids

    def everywhere(self):
        boards = [
            BoardStatus(
                channel_id=channel_id, ticker="SPX", state="open", reason="open", until=None, message_id=1,
                counters=BoardCounters(),
            )
            for channel_id in self.channel_ids
        ]  # fmt: skip
        return FeedStatus(boards=tuple(boards), listening=True)


def watched(room):
    services = room.bot.services
    object.__setattr__(services, "feed", Feed(room.channel.id, 999))
    return f"<#{room.channel.id}> SPX **open**"


async def test_operators_see_this_servers_boards_and_how_many_there_are_elsewhere(room):
    line = watched(room)
    answer = (await room.operator.slash(room.channel, "feed status")).response
    assert answer.ephemeral
    assert line in answer.content
    assert "<#999>" not in answer.content
    assert "1 more in other servers." in answer.content


async def test_who_manages_the_server_is_no_operator_and_sees_only_its_boards(room):
    line = watched(room)
    room.bot.operators = type(room.bot.operators)(set(), lambda: None)
    answer = (await room.operator.slash(room.channel, "feed status")).response
    assert line in answer.content
    assert "other servers" not in answer.content


async def test_a_guest_is_refused_at_run_time(room):
    watched(room)
    root = room.env.backend.find_command("feed", room.guild.id, type=1)
    room.guild.set_command_permissions(int(root["id"]), {room.guest: True})
    answer = (await room.guest.slash(room.channel, "feed status")).response
    assert answer.ephemeral
    assert "members who may manage this server" in answer.content
    assert room.env.errors


async def test_the_status_of_a_ticker_names_the_live_messages_of_the_server(room):
    line = watched(room)
    (embed,) = (await room.guest.slash(room.channel, "gex status", symbol="SPX")).response.embeds
    (field,) = [field for field in embed.fields if field.name == "Live messages here"]
    assert line in field.value


async def test_without_a_feed_that_is_said(room):
    object.__setattr__(room.bot.services, "feed", None)
    assert "GEX_FEED_ENABLED" in (await room.operator.slash(room.channel, "feed status")).response.content
