"""`/admin`: what operators see of the process and of each other's orders."""

import msgspec

from bot.operate.audit import GivenOrder


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
    assert line.endswith(f"<@{room.operator.id}> in {room.guild.name}: `/stream symbols add symbols:AAPL`")


async def test_of_two_hundred_orders_those_that_do_not_fit_are_in_a_file(room):
    order = GivenOrder(at_ms=1_000, user_id=7, words="stream symbols add symbols:AAPL", interaction_id=1)
    room.host.noted.texts = [msgspec.json.encode(order).decode()] * 200
    answer = (await room.operator.slash(room.channel, "admin audit")).response
    (file,) = answer.attachments
    assert file.filename == "audit.txt"
    assert (await file.read()).count(b"\n") == 200
