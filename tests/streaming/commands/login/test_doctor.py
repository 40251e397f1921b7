"""streaming/commands/login/doctor.py: the callback that a bot serves; the rest is test_token.py's."""

import httpx
import pytest
from aiohttp.test_utils import make_mocked_request

from streaming.commands.login.doctor import Doctor
from streaming.schwab.login.callback_port import callback_port, serve_callback
from streaming.schwab.login.pending_login import PendingLogin
from streaming.schwab.login.served_callback import ServedCallback
from streaming.schwab.login.token_store import TokenStore
from streaming.settings import StreamSettings
from tests.support.clock import ManualClock
from tests.support.shared_login import KEY, MemoryPassing

ADDRESS = "https://bot.example/schwab"


async def examined(tmp_path, lead):
    """What is said of the callback where the tunnel leads to what `lead` answers."""
    settings = StreamSettings(_env_file=None, schwab_callback_url=ADDRESS, schwab_callback_bind="127.0.0.1:8183")
    said = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(lead)) as http:
        store = TokenStore(tmp_path / "token.json")
        await Doctor(settings, store, None, http=http, clock=ManualClock(), say=said.append).examine()
    return [line for line in said if "callback" in line][-1]


async def test_a_tunnel_that_leads_to_the_bot_is_well_and_one_that_hides_its_name_is_told(tmp_path):
    settings = StreamSettings(_env_file=None, schwab_callback_url=ADDRESS, schwab_callback_bind="127.0.0.1:8183")
    port = callback_port(settings, object(), ManualClock(), tell=print)
    async with serve_callback(port.callback, "127.0.0.1", 0) as number, httpx.AsyncClient() as through:

        async def kept(request):
            place = request.url.copy_with(scheme="http", host="127.0.0.1", port=number)
            found = await through.get(place, headers={"Host": "bot.example"})
            return httpx.Response(found.status_code, content=found.content)

        async def changed(request):
            found = await through.get(request.url.copy_with(scheme="http", host="127.0.0.1", port=number))
            return httpx.Response(found.status_code, content=found.content)

        assert await examined(tmp_path, kept) == f"ok    callback: {ADDRESS} leads to the bot."
        assert "name the proxy in SCHWAB_CALLBACK_PROXIES" in await examined(tmp_path, changed)


async def test_a_bot_whose_redis_does_not_answer_is_not_taken_for_something_else(tmp_path):
    passing = MemoryPassing()
    passing.away = True
    callback = ServedCallback(object(), ADDRESS, ManualClock(), pending=PendingLogin(passing, key=KEY, name="here"))

    async def lead(request):
        asked = make_mocked_request("GET", request.url.raw_path.decode(), {"Host": "bot.example"})
        answer = await callback.handle(asked)
        return httpx.Response(answer.status, text=answer.text)

    said = await examined(tmp_path, lead)
    assert said.startswith(f"warn  callback: {ADDRESS} leads to the bot, but Redis does not answer it")


@pytest.mark.parametrize("status", [200, 302, 400, 404, 502])
async def test_a_tunnel_that_leads_elsewhere_is_told(tmp_path, status):
    said = await examined(tmp_path, lambda _request: httpx.Response(status, text="Bad gateway"))
    assert said.startswith("warn") and f"(HTTP {status}). The proxy or tunnel must lead to 127.0.0.1:8183" in said


async def test_a_tunnel_that_is_down_is_told(tmp_path):
    def away(_request):
        raise httpx.ConnectError("nobody")

    assert "Is the proxy or tunnel up" in await examined(tmp_path, away)
