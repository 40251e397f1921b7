"""`/help` and `/about`: each person reads what is theirs."""


async def test_help_offers_everybody_the_commands_of_readers_and_those_of_few_only_to_them(room):
    reader = (await room.guest.slash(room.channel, "help")).response
    assert reader.ephemeral
    lines = reader.content.split("\n")
    assert lines[1].startswith("`/gex status` The figures of the live message")
    assert any(line.startswith("`/alert pause` ") for line in lines)
    assert not any(line.startswith(("`/stream", "`/admin", "`/feed")) for line in lines)
    operator = (await room.operator.slash(room.channel, "help")).response.content
    assert "`/admin` health, audit: the bot itself, for operators" in operator
    assert "`/feed`" in operator and len(operator) <= 2000
    room.bot.operators = type(room.bot.operators)({1}, lambda: None)
    manager = (await room.operator.slash(room.channel, "help")).response.content
    assert "`/feed`" in manager and "`/stream`" not in manager


async def test_about_names_version_source_and_who_runs_it(room):
    answer = (await room.guest.slash(room.channel, "about")).response
    assert answer.ephemeral
    assert f"**Who runs this copy:** <@{room.operator.id}>" in answer.content
    assert "https://github.com/" in answer.content
