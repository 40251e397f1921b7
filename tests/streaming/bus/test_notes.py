"""streaming/bus/notes.py on a real Redis."""

from datetime import timedelta

import pytest

from streaming.bus.notes import Notes, NoteTable
from streaming.bus.redis_connection import make_client
from streaming.errors import TransientError


async def test_a_text_survives_in_redis_until_it_is_released(redis):
    notes, later = (Notes(redis, "gexcord:commands:fingerprint", about="the fingerprint") for _ in range(2))
    assert await notes.get() is None
    await notes.set("abc")
    assert await later.get() == "abc"
    assert await redis.get("gexcord:commands:fingerprint") == b"abc"
    assert await later.release()
    assert not await notes.release()
    assert await notes.get() is None


async def test_a_name_is_claimed_by_the_first_for_a_while(redis):
    told, other = (Notes(redis, "gexcord:login:told", about="what was told") for _ in range(2))
    assert await told.claim("1:48h", ttl=timedelta(seconds=60))
    assert not await other.claim("1:48h", ttl=timedelta(seconds=60))
    assert await told.claim("1:24h", ttl=timedelta(seconds=60))
    assert 0 < await redis.ttl("gexcord:login:told:1:48h") <= 60
    assert await other.release("1:48h")
    assert not await told.release("1:48h")
    assert await told.claim("1:48h", ttl=timedelta(seconds=60))


async def test_a_table_is_read_and_replaced_as_a_whole(redis):
    table = NoteTable(redis, "notes", about="the notes")
    assert await table.read() == {}
    await table.replace({"a": "1", "b": "2"})
    await table.replace({"b": "3"})
    assert await table.read() == {"b": "3"}
    assert await redis.ttl("notes") == -1
    await table.replace({})
    assert not await redis.exists("notes")


async def test_names_of_a_table_are_claimed_and_exchanged_by_the_first(redis):
    table, other = (NoteTable(redis, "notes", about="the notes", keep=timedelta(days=1)) for _ in range(2))
    assert await table.claim("told")
    assert not await other.claim("told")
    assert await other.exchange("told", "worked")
    assert not await table.exchange("told", "worked")
    assert await table.has("worked") and not await table.has("told")
    assert 0 < await redis.ttl("notes") <= 86_400


@pytest.mark.parametrize(
    ("ask", "doing"),
    [
        (lambda notes: notes.get(), "reading"),
        (lambda notes: notes.set("x"), "storing"),
        (lambda notes: notes.claim("x", ttl=timedelta(seconds=1)), "remembering"),
        (lambda notes: notes.release(), "forgetting"),
    ],
)
async def test_a_redis_that_is_away_is_named_with_what_was_being_done(ask, doing):
    away = make_client("redis://127.0.0.1:1/0")
    with pytest.raises(TransientError, match=f"while {doing} the notes"):
        await ask(Notes(away, "notes", about="the notes"))
    await away.aclose()
