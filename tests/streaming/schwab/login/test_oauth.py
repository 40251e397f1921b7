import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from streaming.errors import (
    ConfigurationError,
    ContractError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
)
from streaming.schwab.login import oauth

REDIRECT = "https://127.0.0.1:8182/?code=C0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.abc%40&session=11-22&state=s1"
CODE = "C0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.abc@"
MANGLED = (
    '{"error":"unsupported_token_type","error_description":"400 Bad Request: "{"error_description":'
    '"Exception while authenticating refresh token [tokenDigest=x]","error":"refresh_token_authentication_error"}""}'
)


def test_the_authorise_url_carries_the_callback_and_the_state():
    url = oauth.authorize_url(
        "https://api.schwabapi.com", client_id="key", callback_url="https://127.0.0.1:8182/", state="s1"
    )
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://api.schwabapi.com/v1/oauth/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["key"],
        "redirect_uri": ["https://127.0.0.1:8182/"],
        "state": ["s1"],
    }


@pytest.mark.parametrize(
    "pasted",
    [
        REDIRECT,
        f"  <{REDIRECT}>\n",
        CODE,
        CODE.replace("@", "%40"),
        REDIRECT.replace("%40", "%2540"),
        REDIRECT.replace("%40", "@"),
    ],
)
def test_the_code_is_decoded_exactly_once(pasted):
    assert oauth.parse_redirect(pasted) == CODE


def test_a_plus_in_a_code_is_a_plus():
    assert oauth.parse_redirect("https://127.0.0.1/?code=C0.a+b%2Fc%40") == "C0.a+b/c@"


def test_the_state_must_be_ours():
    assert oauth.parse_redirect(REDIRECT, state="s1") == CODE
    with pytest.raises(RequestError, match="another login"):
        oauth.parse_redirect(REDIRECT, state="s2")


@pytest.mark.parametrize(
    "pasted", ["", "  ", "https://127.0.0.1:8182/", "https://127.0.0.1/?session=1", "I have no idea"]
)
def test_what_holds_no_code_is_refused(pasted):
    with pytest.raises(RequestError, match="no code"):
        oauth.parse_redirect(pasted)


@pytest.mark.parametrize(
    "pasted",
    [
        REDIRECT + ".",
        REDIRECT.replace("&", "&amp;"),
        f"`{REDIRECT}`",
        f"**{REDIRECT}**,",
        f"\u201e{REDIRECT}\u201c",
        f"the address: {REDIRECT} (that is all)",
        REDIRECT[:50] + "\r\n   " + REDIRECT[50:],
        REDIRECT.replace("&", "\u200b&"),
        "https://127.0.0.1:8182/?state=s1&code=C0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.abc%40",
    ],
)
def test_what_copying_adds_is_understood(pasted):
    assert oauth.parse_redirect(pasted, state="s1") == CODE


@pytest.mark.parametrize("end", ["&session=11-22", "", "&session=11-22&stat", "&session=11-22&state=", "&state=s"])
def test_an_address_without_its_end_is_called_cut_short(end):
    with pytest.raises(oauth.CutShortError, match="cut short"):
        oauth.parse_redirect(REDIRECT.partition("&session")[0] + end, state="s1")


@pytest.mark.parametrize("pasted", ["https://[", "https://[::1/?code=x&state=s1", "?error=%3Cscript%3E"])
def test_what_is_no_address_is_one_sentence(pasted):
    with pytest.raises(RequestError) as caught:
        oauth.parse_redirect(pasted, state="s1")
    assert "<" not in caught.value.sentence


def test_a_refusal_in_the_redirect_is_told():
    with pytest.raises(RequestError, match="access_denied"):
        oauth.parse_redirect("https://127.0.0.1:8182/?error=access_denied&state=s1")


def test_basic_authorisation_is_key_and_secret():
    app = oauth.AppKey(SecretStr("key"), SecretStr("secret"))
    assert base64.b64decode(oauth.basic_authorization(app).removeprefix("Basic ")) == b"key:secret"


def test_an_app_is_told_from_another_without_its_key():
    key, other = (oauth.AppKey(SecretStr(name), SecretStr("s")).fingerprint for name in ("key", "other"))
    assert key != other
    assert "key" not in key


def test_a_grant_is_read_and_hides_its_tokens():
    grant = oauth.parse_grant(
        b'{"expires_in":1800,"token_type":"Bearer","scope":"api","refresh_token":"rrr@","access_token":"aaa@","id_token":"i"}'
    )
    assert (grant.access_token, grant.refresh_token, grant.expires_in_s, grant.id_token) == (
        "aaa@",
        "rrr@",
        1800.0,
        "i",
    )
    assert "aaa@" not in repr(grant)
    assert "rrr@" not in repr(grant)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html><body>200</body></html>", b"ok"])
def test_a_success_that_is_a_page_is_weather(body):
    with pytest.raises(TransientError):
        oauth.parse_grant(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"access_token":"","refresh_token":"r"}',
        b'{"access_token":7,"refresh_token":"r"}',
        '{"access_token":"caf\u00e9","refresh_token":"r"}'.encode(),
        b'{"access_token":"a b","refresh_token":"r"}',
    ],
)
def test_an_answer_without_a_token_that_a_header_can_carry_is_a_contract_error(body):
    with pytest.raises(ContractError):
        oauth.parse_grant(body)


@pytest.mark.parametrize(
    "life", ["0", "-5", "86401", "1800000", "1e300", "1e999", "NaN", "true", "null", '"1800"', "[]", "9" * 400]
)
def test_a_life_that_cannot_be_is_taken_for_half_an_hour_and_marked(life):
    grant = oauth.parse_grant(f'{{"access_token":"a","refresh_token":"r","expires_in":{life}}}'.encode())
    assert (grant.expires_in_s, grant.odd) == (1800.0, True)


@pytest.mark.parametrize("life", ["1", "1799.5", "86400"])
def test_a_life_that_can_be_is_believed(life):
    grant = oauth.parse_grant(f'{{"access_token":"a","refresh_token":"r","expires_in":{life}}}'.encode())
    assert (grant.expires_in_s, grant.odd) == (float(life), False)


def test_a_grant_without_a_refresh_token_leaves_the_spent_one_in_force():
    now = datetime(2026, 8, 20, 13, 0, tzinfo=UTC)
    grant = oauth.parse_grant(b'{"access_token":"a","expires_in":1800}')
    assert oauth.token_from(grant, now=now, login_at=None, spent="r0@").refresh_token == "r0@"
    with pytest.raises(ContractError, match="without a refresh token"):
        oauth.token_from(grant, now=now, login_at=now)


def test_a_refresh_never_moves_the_login():
    now, login_at = datetime(2026, 8, 20, 13, 0, tzinfo=UTC), datetime(2026, 8, 15, tzinfo=UTC)
    token = oauth.token_from(oauth.TokenGrant("a", "r", 1800.0), now=now, login_at=login_at)
    assert (token.login_at, token.refreshed_at, token.expires_at) == (login_at, now, now + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("status", "body", "age", "kind", "words"),
    [
        (400, MANGLED, timedelta(days=7, hours=1), LoginRequiredError, "weekly Schwab login is over"),
        (400, MANGLED, timedelta(days=2, hours=5), LoginRequiredError, "after 2 d 5 h"),
        (400, MANGLED, None, LoginRequiredError, "no longer accepts"),
        (400, '{"error":"invalid_grant"}', timedelta(days=8), LoginRequiredError, "weekly"),
        (
            401,
            '{"error":"invalid_client","error_description":"Unauthorized"}',
            timedelta(days=1),
            ConfigurationError,
            "secret",
        ),
        (
            401,
            '{"error":"invalid_client","error_description":"Unauthorized"}',
            timedelta(days=9),
            LoginRequiredError,
            "weekly",
        ),
        (
            401,
            '{"error":"invalid_client","error_description":"Unauthorized"}',
            None,
            LoginRequiredError,
            "or the stored login",
        ),
        (
            401,
            '{"error":"invalid_client","error_description":"refresh token invalid"}',
            timedelta(days=1),
            LoginRequiredError,
            "weekly",
        ),
        (400, '{"error":"invalid_client"}', timedelta(days=1), ConfigurationError, "secret"),
        (403, '{"error":"invalid_grant"}', timedelta(days=8), LoginRequiredError, "weekly"),
        (200, '{"error":"invalid_grant"}', timedelta(days=8), LoginRequiredError, "weekly"),
        (401, '{"message":"Unauthorized"}', timedelta(days=1), ConfigurationError, "secret"),
        (400, '{"error":"invalid_request"}', None, ContractError, "malformed"),
        (429, "", None, TransientError, "429"),
        (503, "upstream", None, TransientError, "503"),
        (403, "<HTML><HEAD><TITLE>Access Denied</TITLE>", None, TransientError, "firewall"),
        (400, "<html>Access Denied</html>", None, TransientError, "firewall"),
    ],
)
def test_a_refused_refresh_is_told_apart(status, body, age, kind, words):
    error = oauth.refresh_error(status, body, age=age, retry_after_s=7.0)
    assert type(error) is kind
    assert words in error.sentence
    if isinstance(error, OperatorError):
        assert error.remedy
    if isinstance(error, TransientError):
        assert error.retry_after_s == 7.0


@pytest.mark.parametrize(
    "body",
    [
        "<html><head><title>401 Authorization Required</title></head><body>401</body></html>",
        "<html>invalid_client invalid_grant unsupported_token_type</html>",
        "",
        "invalid_client",
        "refresh token invalid",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_page_an_empty_body_and_plain_text_refuse_nobody_whatever_they_say(status, body):
    for error in (
        oauth.refresh_error(status, body, age=timedelta(days=9), retry_after_s=None),
        oauth.exchange_error(status, body, retry_after_s=None),
    ):
        assert type(error) is TransientError


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("word", ["invalid_client", "invalid_grant", "invalid_request"])
def test_a_server_in_trouble_refuses_nobody_whatever_it_says(status, word):
    error = oauth.refresh_error(status, f'{{"error":"{word}"}}', age=None, retry_after_s=None)
    assert type(error) is TransientError


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, MANGLED, LoginRequiredError, "30 seconds"),
        (401, '{"error":"invalid_client"}', ConfigurationError, "SCHWAB_CLIENT_SECRET"),
        (500, "", TransientError, "500"),
    ],
)
def test_a_refused_code_is_told_apart(status, body, kind, words):
    error = oauth.exchange_error(status, body, retry_after_s=None)
    assert type(error) is kind
    assert words in error.sentence
