"""streaming/bus/redis_connection.py"""

import asyncio
import time

import pytest
from redis.exceptions import ResponseError

from streaming.bus.redis_connection import answering, open_redis, redact_url
from streaming.bus.server.embedded import free_port
from streaming.errors import ConfigurationError, TransientError, UnavailableError


async def test_an_opened_client_answers(redis_url):
    async with open_redis(redis_url) as redis:
        assert await redis.ping() is True


async def test_what_is_asked_at_once_waits_for_a_connection_where_all_are_in_use(redis_url):
    """As the boards of a process that begins do. redis-py raises from the hundredth connection on."""
    async with open_redis(redis_url) as redis:
        found = await asyncio.gather(*(redis.incr("asked") for _ in range(400)))
        assert sorted(found) == list(range(1, 401))
        assert len(await redis.client_list()) <= 100 + 1
        waiting = [asyncio.create_task(redis.incr("asked")) for _ in range(400)]
        await asyncio.sleep(0)
        for task in waiting[:390]:
            task.cancel()
        assert all(await asyncio.gather(*waiting[390:]))


async def test_a_server_that_is_not_there_is_one_sentence_without_the_password():
    url = f"redis://admin:hunter2@127.0.0.1:{free_port()}/0"
    with pytest.raises(UnavailableError) as caught:
        async with open_redis(url):
            pass
    sentence = caught.value.sentence
    assert "127.0.0.1" in sentence
    assert "REDIS_URL" in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence
    assert "admin" not in sentence
    assert caught.value.exit_status == 69


async def test_a_wrong_password_is_said_to_be_a_refused_login(redis_url):
    with pytest.raises(UnavailableError, match="refuses the login") as caught:
        async with open_redis(redis_url.replace("redis://", "redis://nobody:hunter2@")):
            pass
    assert "hunter2" not in caught.value.sentence


async def test_a_url_that_cannot_be_read_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        async with open_redis("redis://host:notaport/0"):
            pass


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:secret@host:6380/2?password=secret", "rediss://***@host:6380/2"),
        ("redis://:p@ss@host:1/0", "redis://***@host:1/0"),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
    ],
)
def test_a_shown_url_holds_no_credentials(url, shown):
    assert redact_url(url) == shown


async def test_a_silent_server_becomes_a_transient_error_in_time():
    started = time.monotonic()
    with pytest.raises(TransientError, match="while waiting for nothing"):
        async with answering("waiting for nothing", within_s=0.05):
            await asyncio.sleep(5)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("query", ["", "?socket_timeout=5"])
async def test_a_cancelled_command_always_ends_its_task(redis_url, query):
    async def command_after_command(redis):
        while True:
            await redis.ping()

    async with open_redis(redis_url + query) as redis:
        for n in range(60):
            task = asyncio.create_task(command_after_command(redis))
            for _ in range(n):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=2)
            assert done


async def test_a_library_error_does_not_pass_the_adapter(redis):
    await redis.set("text", "x")
    with pytest.raises(TransientError, match="while counting"):
        async with answering("counting"):
            await redis.incr("text")


async def test_a_failure_keeps_the_librarys_words_for_the_log_and_gives_a_remedy(redis):
    await redis.set("text", "x")
    with pytest.raises(TransientError) as caught:
        async with answering("counting"):
            await redis.incr("text")
    assert "ResponseError" not in caught.value.sentence
    assert isinstance(caught.value.__cause__, ResponseError)
    assert caught.value.sentence.endswith("Try again in a moment; the operators see more in the log.")


async def test_a_database_that_does_not_exist_is_a_wrong_setting_not_a_silent_server(redis_url):
    with pytest.raises(ConfigurationError) as caught:
        async with open_redis(f"{redis_url.rpartition('/')[0]}/999"):
            pass
    assert "database" in str(caught.value) and "REDIS_URL" in caught.value.sentence
    assert "Start it" not in caught.value.sentence
