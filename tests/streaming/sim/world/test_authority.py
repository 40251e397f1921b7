import base64
from datetime import UTC, datetime
from random import Random

import pytest

from streaming.sim.world.authority import Authority, RefusedError
from tests.support.clock import ManualClock

CALLBACK = "https://127.0.0.1:8182"
BASIC = "Basic " + base64.b64encode(b"key:secret").decode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 8, 20, 14, 0, tzinfo=UTC))


@pytest.fixture
def authority(clock) -> Authority:
    return Authority("key", "secret", clock, Random(1), callback_url=CALLBACK)


def exchange(authority: Authority, code: str, redirect_uri: str = CALLBACK) -> dict:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return authority.exchange(BASIC, form)


def refresh(authority: Authority, token: str) -> dict:
    return authority.exchange(BASIC, {"grant_type": "refresh_token", "refresh_token": token})


def test_a_code_buys_the_tokens_of_production(authority):
    token = exchange(authority, authority.authorize(CALLBACK))
    assert set(token) == {"expires_in", "token_type", "scope", "refresh_token", "access_token", "id_token"}
    assert (token["expires_in"], token["token_type"], token["scope"]) == (1800, "Bearer", "api")
    assert token["refresh_token"].endswith("@")
    assert token["access_token"].endswith("@")
    assert token["id_token"].count(".") == 2
    assert authority.accepts(token["access_token"])


def test_codes_end_in_an_at_sign_live_30_seconds_and_work_once(authority, clock):
    code = authority.authorize(CALLBACK)
    assert code.startswith("C0.")
    assert code.endswith("@")
    clock.advance(29.0)
    exchange(authority, code)
    with pytest.raises(RefusedError):
        exchange(authority, code)
    late = authority.authorize(CALLBACK)
    clock.advance(30.0)
    with pytest.raises(RefusedError):
        exchange(authority, late)


def test_a_code_left_percent_encoded_is_refused(authority):
    with pytest.raises(RefusedError) as caught:
        exchange(authority, authority.authorize(CALLBACK).replace("@", "%40"))
    assert caught.value.body["error"] == "unsupported_token_type"


def test_the_callback_must_be_equal_byte_for_byte(authority):
    with pytest.raises(RefusedError):
        authority.authorize(CALLBACK + "/")
    with pytest.raises(RefusedError):
        exchange(authority, authority.authorize(CALLBACK), CALLBACK.upper())


def test_a_refresh_returns_the_same_refresh_token_and_a_new_access_token(authority):
    token = authority.sign_in()
    again = refresh(authority, token["refresh_token"])
    assert again["refresh_token"] == token["refresh_token"]
    assert again["access_token"] != token["access_token"]
    assert authority.accepts(token["access_token"])


def test_access_ends_after_half_an_hour(authority, clock):
    token = authority.sign_in()
    clock.advance(1799.0)
    assert authority.accepts(token["access_token"])
    clock.advance(1.0)
    assert not authority.accepts(token["access_token"])


def test_a_login_ends_seven_days_after_it_whatever_was_refreshed(authority, clock):
    token = authority.sign_in()
    for _ in range(6):
        clock.advance(86400.0)
        refresh(authority, token["refresh_token"])
    clock.advance(86400.0)
    with pytest.raises(RefusedError) as caught:
        refresh(authority, token["refresh_token"])
    assert caught.value.status == 400
    assert '"error":"refresh_token_authentication_error"' in caught.value.body["error_description"]


def test_a_new_login_voids_the_earlier_one(authority):
    old, new = authority.sign_in(), authority.sign_in()
    assert not authority.accepts(old["access_token"])
    assert authority.accepts(new["access_token"])
    with pytest.raises(RefusedError):
        refresh(authority, old["refresh_token"])


@pytest.mark.parametrize("basic", [None, "", "Basic ", "Bearer x", "Basic " + base64.b64encode(b"key:wrong").decode()])
def test_a_wrong_client_is_unauthorized(authority, basic):
    with pytest.raises(RefusedError) as caught:
        authority.exchange(basic, {"grant_type": "refresh_token", "refresh_token": "x"})
    assert (caught.value.status, caught.value.body["error"]) == (401, "invalid_client")


def test_a_missing_parameter_is_an_invalid_request(authority):
    with pytest.raises(RefusedError) as caught:
        authority.exchange(BASIC, {"grant_type": "refresh_token"})
    assert caught.value.body["error"] == "invalid_request"


def test_tokens_can_be_ended_at_will(authority):
    token = authority.sign_in()
    authority.expire_access()
    assert not authority.accepts(token["access_token"])
    refresh(authority, token["refresh_token"])
    authority.expire_login()
    with pytest.raises(RefusedError):
        refresh(authority, token["refresh_token"])
