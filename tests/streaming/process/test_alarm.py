import asyncio
import logging
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import SecretStr

from streaming.process.alarm import AlarmBell
from streaming.process.loopback import loopback_port
from streaming.settings import StreamSettings
from tests.support.clock import ManualClock
from tests.support.waiting import until


@asynccontextmanager
async def ringing(order, clock=None):
    bell = AlarmBell(None if order is None else SecretStr(order), clock or ManualClock())
    task = asyncio.create_task(bell.run(lambda: None))
    try:
        yield bell
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def serving(handler):
    application = web.Application()
    application.router.add_post("/{path:.*}", handler)
    async with loopback_port(0, whose="a test") as place:
        await place.serve(application)
        yield f"http://{place.address}"


async def test_a_command_gets_the_sentence_as_text_and_never_as_a_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SCHWAB_CLIENT_SECRET", "hidden")
    sentence = f'It ends; "$(touch {tmp_path}/x)" `touch {tmp_path}/x`'
    async with ringing(
        f'cd {tmp_path}; cat > in; printf %s "$GEXCORD_ALARM" > variable; env > env; mv in done'
    ) as bell:
        bell.ring(sentence)
        await until((tmp_path / "done").exists)
    assert (tmp_path / "done").read_text() == f"{sentence}\n"
    assert (tmp_path / "variable").read_text() == sentence
    assert "hidden" not in (tmp_path / "env").read_text()
    assert not (tmp_path / "x").exists()


async def test_a_webhook_is_asked_again_and_a_sentence_is_rung_once_an_hour(caplog):
    heard, clock = [], ManualClock()

    async def hook(request):
        heard.append(await request.json())
        return web.Response(status=503 if len(heard) == 1 else 204)

    async with serving(hook) as url, ringing(f"{url}/services/secret", clock) as bell:
        bell.ring("It ends.")
        bell.ring("It ends.")
        await until(lambda: len(heard) == 2)
        clock.advance(3601)
        bell.ring("It ends.")
        await until(lambda: len(heard) == 3)
    assert heard[1] == {"text": "It ends.", "content": "It ends."}


async def test_an_address_in_capitals_is_the_address_that_the_settings_took_it_for_and_no_command():
    heard = []

    async def hook(request):
        heard.append(await request.json())
        return web.Response()

    async with serving(hook) as url:
        settings = StreamSettings(_env_file=None, on_alarm=url.replace("http", "HTTP"))
        async with ringing(settings.on_alarm.get_secret_value()) as bell:
            bell.ring("It ends.")
            await until(lambda: heard)


async def test_of_more_than_fifty_that_wait_the_oldest_is_dropped_and_logged(caplog):
    bell = AlarmBell(SecretStr("true"), ManualClock())
    for number in range(52):
        bell.ring(f"Trouble {number}.")
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "ON_ALARM is 50 sentences behind; never told: Trouble 0.",
        "ON_ALARM is 50 sentences behind; never told: Trouble 1.",
    ]


async def test_what_nobody_could_be_told_is_logged_without_the_address(caplog):
    async with ringing("http://127.0.0.1:9/secret") as bell:
        bell.ring("It ends.")
        await until(lambda: "It ends." in caplog.text)
        bell.ring("Another.")
        await until(lambda: "Another." in caplog.text)
    assert "secret" not in caplog.text


async def test_a_command_that_fails_is_told_with_its_status(caplog):
    async with ringing("exit 3") as bell:
        bell.ring("It ends.")
        await until(lambda: "ended with 3" in caplog.text)


async def test_without_an_order_nothing_rings():
    told = []
    async with ringing(None) as bell:
        bell.beside(told.append)("It ends.")
        await asyncio.sleep(0)
    assert told == ["It ends."]
