"""`/admin`: what operators see of the process and of each other's orders."""


async def test_operators_see_how_the_process_is(room):
    answer = (await room.operator.slash(room.channel, "admin health")).response
    assert answer.ephemeral
    assert "✅ Discord: connected" in answer.content


async def test_an_order_is_in_the_audit_and_what_only_reads_is_not(room):
    empty = (await room.operator.slash(room.channel, "admin audit")).response
    assert empty.ephemeral and empty.content.startswith("Nothing was changed")
    await room.operator.slash(room.channel, "stream symbols add", symbols="AAPL")
    await room.operator.slash(room.channel, "stream status")
    (line,) = (await room.operator.slash(room.channel, "admin audit")).response.content.split("\n")
    assert line.endswith(f"<@{room.operator.id}> in server {room.guild.id}: `/stream symbols add symbols:AAPL`")
