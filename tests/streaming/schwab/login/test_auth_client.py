import asyncio
import base64
import gzip
import itertools
import json
import math
import multiprocessing
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from streaming.clock import SystemClock
from streaming.errors import (
    ConfigurationError,
    ContractError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
)
from streaming.schwab.login.oauth import AppKey
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from tests.support.clock import ManualClock
from tests.support.http import open_http_server
from tests.support.schwab_login import CALLBACK, LOGIN_AT, TokenEndpoint, auth_client, refused, stored
from tests.support.waiting import until


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def endpoint():
    return TokenEndpoint()


@pytest.fixture
async def server(endpoint):
    async with open_http_server(endpoint) as server:
        yield server


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def test_a_token_with_time_left_is_used_as_it_is(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    assert await auth.access_token() == "access-0"
    assert endpoint.refreshes == 0


async def test_a_token_near_its_end_is_refreshed_and_stored(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=299)
    auth = auth_client(http, store, server.url, clock)
    assert await auth.access_token() == "access-1"
    assert await auth.access_token() == "access-1"
    token = store.load()
    assert (token.access_token, token.refresh_token, token.login_at) == ("access-1", "refresh-0@", LOGIN_AT)
    assert token.expires_at == clock.now() + timedelta(seconds=1800)
    assert endpoint.refreshes == 1


async def test_the_request_is_what_schwab_wants(tmp_path, clock, server, http):
    await auth_client(http, stored(tmp_path, clock), server.url, clock).refresh()
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/oauth/token")
    assert seen.form == {"grant_type": "refresh_token", "refresh_token": "refresh-0@"}
    assert base64.b64decode(seen.headers["Authorization"].removeprefix("Basic ")) == b"app-key:app-secret"
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_many_askers_spend_one_refresh(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=0), server.url, clock)
    assert set(await asyncio.gather(*(auth.access_token() for _ in range(20)))) == {"access-1"}
    assert endpoint.refreshes == 1


async def test_two_clients_on_one_file_spend_one_refresh(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=0)
    first = auth_client(http, store, server.url, clock)
    second = auth_client(http, TokenStore(store.path), server.url, clock)
    assert await asyncio.gather(first.access_token(), second.access_token()) == ["access-1", "access-1"]
    assert endpoint.refreshes == 1


async def test_a_rejected_token_is_refreshed_once_for_everybody(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    tokens = await asyncio.gather(*(auth.access_token(rejected="access-0") for _ in range(5)))
    assert set(tokens) == {"access-1"}
    assert await auth.access_token(rejected="access-0") == "access-1"
    assert endpoint.refreshes == 1


async def test_a_forced_refresh_gives_another_token(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    assert (await auth.refresh()).access_token == "access-1"
    assert (await auth.refresh()).access_token == "access-2"


async def test_a_refused_login_is_not_tried_again_at_once(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=0)
    auth = auth_client(http, store, server.url, clock)
    endpoint.answer = refused(400, "unsupported_token_type")
    for _ in range(3):
        with pytest.raises(LoginRequiredError):
            await auth.access_token()
    assert endpoint.refreshes == 1
    assert "another login" in auth.status().last_error
    endpoint.answer = None
    await auth.exchange_code("C0.fresh@")
    assert await auth.access_token() == "access-2"
    assert auth.status().last_error is None


LOOK_S = 5
"""How often the token is wanted while the login is refused."""


@pytest.mark.parametrize("word", ["invalid_client", "invalid_grant", "unsupported_token_type"])
async def test_a_refusal_is_asked_again_every_5_to_15_minutes_counted_and_ends_by_itself(
    tmp_path, clock, endpoint, server, http, *, word, caplog
):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=0), server.url, clock)
    endpoint.answer = refused(401 if word == "invalid_client" else 400, word)
    asked_at = []
    for _ in range(7200 // LOOK_S):
        before = endpoint.refreshes
        with pytest.raises(OperatorError):
            await auth.access_token()
        if endpoint.refreshes > before:
            asked_at.append(clock.monotonic())
        clock.advance(LOOK_S)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert len(pauses) >= 7
    assert all(300 <= pause <= 900 + LOOK_S for pause in pauses)
    assert auth.status().refusals == endpoint.refreshes
    assert not caplog.records
    endpoint.answer = None
    clock.advance(900)
    assert (await auth.access_token()).startswith("access-")
    assert (auth.status().refusals, auth.status().last_error) == (0, None)


@pytest.mark.parametrize("word", ["invalid_client", "invalid_grant"])
async def test_a_live_token_is_used_to_its_end_whatever_is_refused(tmp_path, clock, endpoint, server, http, *, word):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=250), server.url, clock)
    endpoint.answer = refused(400, word)
    for _ in range(25):
        assert await auth.access_token() == "access-0"
        clock.advance(10)
    assert endpoint.refreshes == 1
    with pytest.raises(OperatorError):
        await auth.access_token()
    with pytest.raises(OperatorError):
        await auth.keep_fresh()


async def test_a_refusal_while_the_token_lives_is_known_to_whoever_keeps_it_fresh(
    tmp_path, clock, endpoint, server, http
):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=250), server.url, clock)
    endpoint.answer = refused(401, "invalid_client")
    with pytest.raises(ConfigurationError, match="key or secret"):
        await auth.keep_fresh()
    assert await auth.access_token() == "access-0"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(
            status=401, text="<html><title>401</title>invalid_client</html>", content_type="text/html"
        ),
        lambda: web.Response(status=401),
        lambda: web.Response(status=200, text="<html>hello</html>", content_type="text/html"),
        lambda: web.json_response({"ok": True}),
        lambda: web.json_response({"error": "invalid_client"}, status=503),
    ],
)
async def test_an_answer_that_judges_nobody_costs_a_short_pause_only(
    tmp_path, clock, endpoint, server, http, *, answer
):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=250), server.url, clock)
    endpoint.answer = answer
    for _ in range(240):
        assert await auth.access_token() == "access-0"
        clock.advance(1)
    assert 3 <= endpoint.refreshes <= 12
    endpoint.answer = None
    clock.advance(60)
    assert (await auth.access_token()).startswith("access-")


async def test_another_file_and_another_secret_are_tried_at_once(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=0)
    app = AppKey(SecretStr("app-key"), SecretStr("wrong"))
    auth = auth_client(http, store, server.url, clock, corrected=lambda: app)
    endpoint.answer = refused(401, "invalid_client")
    for _ in range(3):
        with pytest.raises(OperatorError):
            await auth.access_token()
    assert endpoint.refreshes == 1
    stored(tmp_path, clock, seconds_left=-1)
    with pytest.raises(OperatorError):
        await auth.access_token()
    assert endpoint.refreshes == 2
    app = AppKey(SecretStr("app-key"), SecretStr("app-secret"))
    endpoint.answer = None
    assert await auth.access_token() == "access-3"
    sent = server.seen[-1].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"app-key:app-secret"


@pytest.mark.parametrize("life", [0, 1800000, 1e300, True, math.nan, "1800"])
async def test_a_grant_of_an_impossible_life_is_counted_and_lasts_half_an_hour(
    tmp_path, clock, endpoint, server, http, *, life
):
    store = stored(tmp_path, clock)
    body = json.dumps({"access_token": "odd", "refresh_token": "refresh-0@", "expires_in": life})
    endpoint.answer = lambda: web.Response(text=body, content_type="application/json")
    auth = auth_client(http, store, server.url, clock)
    await auth.refresh()
    assert store.load().expires_at == clock.now() + timedelta(seconds=1800)
    assert auth.status().odd_grants == 1


async def test_a_grant_without_a_refresh_token_keeps_the_stored_one(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock)
    endpoint.answer = lambda: web.json_response({"access_token": "other", "expires_in": 1800})
    await auth_client(http, store, server.url, clock).refresh()
    assert (store.load().access_token, store.load().refresh_token) == ("other", "refresh-0@")


class Rewriting(ManualClock):
    """While anybody waits, another program finishes writing the file."""

    def __init__(self):
        super().__init__()
        self.finish = lambda: None

    async def sleep(self, seconds):
        await super().sleep(seconds)
        self.finish()


@pytest.mark.parametrize("half", [b"", b'{"token": {"acc', None])
async def test_a_file_that_is_spoilt_or_away_for_a_moment_is_read_again(tmp_path, server, http, half):
    clock = Rewriting()
    store = stored(tmp_path, clock)
    whole = store.path.read_bytes()
    auth = auth_client(http, store, server.url, clock)
    store.path.unlink() if half is None else store.path.write_bytes(half)
    clock.finish = lambda: store.path.write_bytes(whole)
    assert await auth.access_token() == "access-0"


async def test_a_file_that_may_not_be_read_any_more_ends_no_token_that_lives(tmp_path, clock, server, http):
    store = stored(tmp_path, clock, seconds_left=1000)
    auth = auth_client(http, store, server.url, clock)
    assert await auth.access_token() == "access-0"
    stored(tmp_path, clock, seconds_left=900)
    store.load = unreadable
    assert await auth.access_token() == "access-0"
    with pytest.raises(ConfigurationError, match="Permission denied"):
        await auth.keep_fresh()
    clock.advance(1000)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        await auth.access_token()


def unreadable():
    raise ConfigurationError("The token file t.json cannot be used: Permission denied.")


async def test_a_logout_during_a_refresh_is_not_undone(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=0)
    auth = auth_client(http, store, server.url, clock)

    def answer():
        store.path.unlink()
        return web.json_response({"access_token": "late", "refresh_token": "refresh-0@", "expires_in": 1800})

    endpoint.answer = answer
    with pytest.raises(LoginRequiredError, match="no Schwab login"):
        await auth.access_token()
    assert not store.path.exists()


async def test_an_explicit_refresh_asks_again(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    endpoint.answer = refused(401, "invalid_client")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="key or secret"):
            await auth.refresh()
    assert endpoint.refreshes == 2


async def test_a_passing_failure_keeps_the_old_token(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=100)
    auth = auth_client(http, store, server.url, clock)
    endpoint.answer = refused(503, "down")
    assert await auth.access_token() == "access-0"
    clock.advance(101)
    with pytest.raises(TransientError):
        await auth.access_token()
    assert store.load().refresh_token == "refresh-0@"
    endpoint.answer = None
    clock.advance(60)
    assert await auth.access_token() == "access-3"


async def test_a_failing_login_server_is_asked_ever_more_seldom(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=0), server.url, clock)
    endpoint.answer = refused(503, "down")
    for _ in range(600):
        with pytest.raises(TransientError) as caught:
            await auth.access_token()
        assert 0 <= (caught.value.retry_after_s or 0) <= 60
        clock.advance(1)
    assert 12 <= endpoint.refreshes <= 30


async def test_a_wish_to_wait_is_respected(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=0), server.url, clock)
    endpoint.answer = lambda: web.Response(status=429, headers={"Retry-After": "120"})
    for _ in range(100):
        with pytest.raises(TransientError):
            await auth.access_token()
        clock.advance(1)
    assert endpoint.refreshes == 1
    endpoint.answer = None
    clock.advance(21)
    assert await auth.access_token() == "access-2"


async def test_a_login_and_a_logout_of_another_program_count_at_once(tmp_path, clock, server, http):
    store = stored(tmp_path, clock)
    auth = auth_client(http, store, server.url, clock)
    assert await auth.access_token() == "access-0"
    other = TokenStore(store.path)
    other.save(Token("access-other", "refresh-other@", expires_at=clock.now() + timedelta(minutes=30)))
    assert await auth.access_token() == "access-other"
    other.delete()
    for _ in range(3):
        with pytest.raises(LoginRequiredError, match="no Schwab login"):
            await auth.access_token()


async def test_what_cannot_be_stored_is_said_and_used_all_the_same(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock, seconds_left=0)
    auth = auth_client(http, store, server.url, clock)
    store.save = unable
    assert await auth.access_token() == "access-1"
    assert await auth.access_token() == "access-1"
    assert "No space left" in auth.status().last_error
    assert endpoint.refreshes == 1
    with pytest.raises(ConfigurationError, match="No space left"):
        await auth.keep_fresh()


def unable(_token):
    raise ConfigurationError("The token file t.json cannot be used: No space left on device.")


async def test_logins_are_told_apart_without_being_shown(tmp_path, clock, server, http):
    store = TokenStore(tmp_path / "t.json")
    auth = auth_client(http, store, server.url, clock)
    assert auth.login_id() == "none"
    store.save(Token("a", "r@", login_at=LOGIN_AT))
    assert auth.login_id() == str(int(LOGIN_AT.timestamp()))
    store.save(Token("a", "r@"))
    assert auth.login_id().startswith("saved-")
    assert "r@" not in auth.login_id()


@pytest.mark.parametrize(
    ("status", "error", "raised"),
    [
        (400, "unsupported_token_type", None),
        (401, "invalid_client", ConfigurationError),
        (503, "down", TransientError),
    ],
)
async def test_whether_the_app_is_known_is_asked_without_touching_the_login(
    tmp_path, clock, endpoint, server, http, *, status, error, raised
):
    store = stored(tmp_path, clock)
    endpoint.answer = refused(status, error)
    with pytest.raises(raised) if raised else nullcontext():
        await auth_client(http, store, server.url, clock).check_app()
    assert "refresh-0@" not in server.seen[0].form.values()
    assert store.load().access_token == "access-0"


async def test_a_wish_to_wait_is_handed_on(tmp_path, clock, endpoint, server, http):
    endpoint.answer = lambda: web.Response(status=429, headers={"Retry-After": "17"})
    with pytest.raises(TransientError) as caught:
        await auth_client(http, stored(tmp_path, clock), server.url, clock).refresh()
    assert caught.value.retry_after_s == 17.0


async def test_a_compressed_error_body_is_understood(tmp_path, clock, endpoint, server, http):
    body = gzip.compress(b'{"error":"refresh_token_authentication_error"}')
    endpoint.answer = lambda: web.Response(status=400, body=body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(LoginRequiredError):
        await auth_client(http, stored(tmp_path, clock), server.url, clock).refresh()


async def test_an_unreachable_server_is_transient(tmp_path, clock, http):
    auth = auth_client(http, stored(tmp_path, clock, seconds_left=0), "http://127.0.0.1:9", clock)
    with pytest.raises(TransientError, match="cannot be reached"):
        await auth.access_token()


async def test_an_answer_without_tokens_keeps_the_old_one(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock)
    endpoint.answer = lambda: web.json_response({"ok": True})
    with pytest.raises(ContractError):
        await auth_client(http, store, server.url, clock).refresh()
    assert store.load().access_token == "access-0"


async def test_without_a_login_a_person_is_asked(tmp_path, clock, server, http):
    auth = auth_client(http, TokenStore(tmp_path / "none.json"), server.url, clock)
    with pytest.raises(LoginRequiredError, match="no Schwab login"):
        await auth.access_token()
    assert auth.status().present is False


async def test_a_spoilt_file_asks_for_a_login_too(tmp_path, clock, server, http):
    (tmp_path / "t.json").write_text("not json")
    auth = auth_client(http, TokenStore(tmp_path / "t.json"), server.url, clock)
    with pytest.raises(LoginRequiredError, match="not JSON"):
        await auth.access_token()
    assert "not JSON" in auth.status().last_error


async def test_a_code_is_exchanged_and_starts_the_seven_days(tmp_path, clock, server, http):
    store = TokenStore(tmp_path / "tokens" / "t.json")
    auth = auth_client(http, store, server.url, clock)
    await auth.exchange_code("https://127.0.0.1:8182/?code=C0.xyz%40&session=1&state=s", state="s")
    assert server.seen[0].form == {"grant_type": "authorization_code", "code": "C0.xyz@", "redirect_uri": CALLBACK}
    token = store.load()
    assert (token.refresh_token, token.login_at) == ("refresh-new@", clock.now())
    assert auth.status().login_ends_at == clock.now() + timedelta(days=7)


async def test_a_stale_code_says_so_and_keeps_the_login(tmp_path, clock, endpoint, server, http):
    store = stored(tmp_path, clock)
    endpoint.answer = refused(400, "unsupported_token_type")
    with pytest.raises(LoginRequiredError, match="30 seconds"):
        await auth_client(http, store, server.url, clock).exchange_code("C0.old@")
    assert store.load().access_token == "access-0"


async def test_a_redirect_without_a_code_asks_nobody(tmp_path, clock, endpoint, server, http):
    with pytest.raises(RequestError):
        await auth_client(http, stored(tmp_path, clock), server.url, clock).exchange_code("https://127.0.0.1:8182/")
    assert endpoint.refreshes == 0


async def test_the_status_tells_without_asking(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    await auth.refresh()
    status = auth.status()
    assert (status.configured, status.present, status.last_error) == (True, True, None)
    assert (status.login_ends_at, status.last_refresh_at) == (LOGIN_AT + timedelta(days=7), clock.now())
    assert endpoint.refreshes == 1


async def test_an_unknown_login_time_has_no_end(tmp_path, clock, server, http):
    auth = auth_client(http, stored(tmp_path, clock, login_at=None), server.url, clock)
    assert auth.status().login_ends_at is None


async def test_keeping_fresh_refreshes_before_each_expiry_and_survives_failures(
    tmp_path, clock, endpoint, server, http
):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    task = asyncio.ensure_future(auth.keep_fresh(check_s=60))
    await until(lambda: endpoint.refreshes >= 2)
    endpoint.answer = refused(503, "down")
    before = endpoint.refreshes
    await until(lambda: endpoint.refreshes >= before + 3)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_refusal_that_somebody_else_met_ends_the_keeping_fresh(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    endpoint.answer = refused(400, "invalid_grant")
    with pytest.raises(LoginRequiredError):
        await auth.access_token(rejected="access-0")
    with pytest.raises(LoginRequiredError, match="another login"):
        await auth.keep_fresh()
    assert endpoint.refreshes == 1


async def test_neither_secrets_nor_tokens_reach_an_error(tmp_path, clock, endpoint, server, http):
    auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
    for answer in (
        refused(400, "invalid_grant refresh-0@"),
        refused(500, "app-secret"),
        refused(401, "invalid_client"),
    ):
        endpoint.answer = answer
        with pytest.raises((OperatorError, TransientError)) as caught:
            await auth.refresh()
        assert not any(secret in caught.value.sentence for secret in ("refresh-0@", "access-0", "app-secret"))


def _ask_for_a_token(path: str, url: str, answers) -> None:
    async def ask():
        async with httpx.AsyncClient(trust_env=False) as http:
            return await auth_client(http, TokenStore(Path(path)), url, SystemClock()).access_token()

    answers.put(asyncio.run(ask()))


async def test_two_processes_spend_one_refresh(tmp_path, endpoint, server):
    store = stored(tmp_path, SystemClock(), seconds_left=0)
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    askers = [context.Process(target=_ask_for_a_token, args=(str(store.path), server.url, answers)) for _ in range(2)]
    for asker in askers:
        asker.start()
    found = [await asyncio.to_thread(answers.get, True, 30) for _ in askers]
    for asker in askers:
        await asyncio.to_thread(asker.join, 10)
    answers.close()
    assert found == ["access-1", "access-1"]
    assert endpoint.refreshes == 1
    assert json.loads(store.path.read_text())["token"]["access_token"] == "access-1"
