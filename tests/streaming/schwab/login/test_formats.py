import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from streaming.errors import ContractError
from streaming.schwab.login.formats import encode_token, parse_token, token_document
from streaming.schwab.login.tokens import Token

LOGIN_AT = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
EXPIRES_AT = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)
NOW = datetime(2026, 8, 20, 13, 10, tzinfo=UTC)
LOGIN_S, EXPIRES_S = 1786968000, 1787233200
BARE = {"access_token": "a", "refresh_token": "r", "expires_at": EXPIRES_S}
CAMEL = {"accessToken": "a", "refreshToken": "r", "expiresAt": EXPIRES_S * 1000}
SNAPSHOT = {"token": "r", "rotated_at": "2026-08-20T13:00:00Z"}


def read(document, **options):
    return parse_token(json.dumps(document).encode(), where="tokens.json", **options)


def packed(document):
    """As some programs put it into a variable or a secret of their cloud."""
    return base64.b64encode(json.dumps(document).encode()).decode()


def nested(levels, inner):
    for level in range(levels):
        inner = {("token", "tokens")[level % 2]: inner}
    return inner


@pytest.mark.parametrize(
    ("document", "login_at", "expires_at"),
    [
        ({"creation_timestamp": LOGIN_S, "token": BARE}, LOGIN_AT, EXPIRES_AT),
        ({"creation_timestamp": LOGIN_S * 1000, "token": BARE}, LOGIN_AT, EXPIRES_AT),
        ({**BARE, "creation_timestamp": LOGIN_S}, LOGIN_AT, EXPIRES_AT),
        ({**BARE, "expires_at": str(EXPIRES_S)}, None, EXPIRES_AT),
        ({**BARE, "expires_at": EXPIRES_S + 0.5}, None, EXPIRES_AT + timedelta(seconds=0.5)),
        ({**BARE, "expires_at": EXPIRES_S * 1000}, None, EXPIRES_AT),
        ({**BARE, "expires_at": "2026-08-20T13:40:00Z"}, None, EXPIRES_AT),
        ({**BARE, "obtained_at": EXPIRES_S - 1800}, None, EXPIRES_AT),
        (
            {
                "access_token_issued": "2026-08-20T13:10:00",
                "refresh_token_issued": "2026-08-17T12:00:00",
                "token_dictionary": {"access_token": "a", "refresh_token": "r", "expires_in": 1800},
            },
            LOGIN_AT,
            EXPIRES_AT,
        ),
        ({"timestamp": LOGIN_S, "token": BARE}, None, EXPIRES_AT),
        (
            {
                "refresh": "r",
                "refresh_expires_in": "2026-08-24T12:00:00Z",
                "access": "a",
                "access_expires_in": "2026-08-20T13:40:00Z",
                "type": "Bearer",
            },
            LOGIN_AT,
            EXPIRES_AT,
        ),
        ({"refresh": "r", "refresh_expires_in": 604800, "access": "a", "access_expires_in": 1800}, None, None),
        ({"updated_at": LOGIN_S, "tokens": BARE, "refresh_rotated_at": EXPIRES_S}, LOGIN_AT, EXPIRES_AT),
        ({"updated_at": LOGIN_S - 999, "creation_timestamp": LOGIN_S, "tokens": BARE}, LOGIN_AT, EXPIRES_AT),
        ({"creation_timestamp": LOGIN_S, "tokens": nested(9, BARE)}, LOGIN_AT, EXPIRES_AT),
        ({"creation_timestamp": EXPIRES_S, "token": {**BARE, "creation_timestamp": LOGIN_S}}, LOGIN_AT, EXPIRES_AT),
        (CAMEL, None, EXPIRES_AT),
        ({**CAMEL, "refreshTokenExpiresAt": (LOGIN_S + 604800) * 1000}, LOGIN_AT, EXPIRES_AT),
        ({"refreshTokenIssued": "2026-08-17T12:00:00", "tokenDictionary": CAMEL}, LOGIN_AT, EXPIRES_AT),
        (json.dumps({"creation_timestamp": LOGIN_S, "token": BARE}), LOGIN_AT, EXPIRES_AT),
        ({"creation_timestamp": LOGIN_S, "token": json.dumps(BARE)}, LOGIN_AT, EXPIRES_AT),
        (
            {"ARN": "arn:x", "Name": "schwab", "SecretString": json.dumps({"creation_timestamp": LOGIN_S, **BARE})},
            LOGIN_AT,
            EXPIRES_AT,
        ),
        ({"SecretString": json.dumps({"schwab": json.dumps(BARE)})}, None, EXPIRES_AT),
        (
            {"SecretString": json.dumps({"VersionId": '{"a": 1}', "value": json.dumps({"token": BARE})})},
            None,
            EXPIRES_AT,
        ),
        ({"name": "projects/1/x", "payload": {"data": packed(BARE), "dataCrc32c": "123"}}, None, EXPIRES_AT),
        ({"metadata": {"name": "x"}, "data": {"token.json": packed({"token": BARE})}}, None, EXPIRES_AT),
        ({"lease_duration": 0, "data": {"data": CAMEL, "metadata": {}}}, None, EXPIRES_AT),
        ({"SecretBinary": packed(json.dumps(BARE))}, None, EXPIRES_AT),
        (packed({"creation_timestamp": LOGIN_S, "token": packed(BARE).rstrip("=")}), LOGIN_AT, EXPIRES_AT),
    ],
)
def test_every_known_shape_is_read(document, login_at, expires_at):
    token = read(document, now=NOW + timedelta(hours=1))
    assert (token.access_token, token.refresh_token) == ("a", "r")
    assert (token.login_at, token.expires_at) == (login_at, expires_at)


def test_the_origins_snapshot_of_a_refresh_token_says_nothing_of_the_login():
    token = read(SNAPSHOT)
    assert (token.refresh_token, token.access_token, token.login_at) == ("r", "", None)


@pytest.mark.parametrize(
    "access_only", [{"token": "a", "issued_at": LOGIN_S, "expires_at": EXPIRES_S}, {"access_token": "a"}]
)
def test_an_access_token_alone_is_no_login(access_only):
    with pytest.raises(ContractError, match="an access token only"):
        read(access_only)


def test_the_innermost_refresh_token_counts():
    assert read({"refresh_token": "outer", "token": {"refresh_token": "inner"}}).refresh_token == "inner"
    assert read({"refresh_token": "outer", "token": {"refresh_token": ""}}).refresh_token == "outer"


@pytest.mark.parametrize("stamp", [0, -1, 12345, True, "soon", None, [], 1e300, "1e999", "nan"])
def test_a_time_that_cannot_be_is_unknown(stamp):
    assert read({"creation_timestamp": stamp, "token": BARE}).login_at is None


def test_a_login_in_the_future_is_not_believed():
    document = {"creation_timestamp": int(NOW.timestamp()) + 60, "token": BARE}
    assert read(document, now=NOW).login_at is None


def test_ten_levels_are_unwrapped_and_no_more():
    assert read(nested(10, BARE)).refresh_token == "r"
    with pytest.raises(ContractError):
        read(nested(11, BARE))


def test_optional_parts_are_kept_where_they_are():
    token = read({"token": {**BARE, "id_token": "x.y.z", "scope": "readonly"}})
    assert (token.id_token, token.scope) == ("x.y.z", "readonly")


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}", b'{"token":5}', b"\xff\xfe", b'"text"', b"[" * 100_000])
def test_what_holds_no_login_names_the_file(raw):
    with pytest.raises(ContractError, match=r"tokens\.json"):
        parse_token(raw, where="tokens.json")


def test_our_own_file_is_one_that_schwab_py_and_authlib_open():
    """Their contract: creation_timestamp, and a token whose expires_at is a whole number of seconds."""
    token = Token("a", "r", expires_at=EXPIRES_AT, login_at=LOGIN_AT, refreshed_at=NOW, id_token="i")
    document = json.loads(encode_token(token))
    assert type(document["creation_timestamp"]) is int
    inner = document["token"]
    assert type(inner["expires_at"]) is int
    assert inner["token_type"] == "Bearer"
    assert (inner["refresh_token"], inner["access_token"], inner["scope"]) == ("r", "a", "api")
    assert parse_token(encode_token(token), where="x") == token


def test_an_unknown_age_is_not_written():
    assert "creation_timestamp" not in token_document(Token("a", "r"))


def test_a_file_may_be_base64_over_several_lines_with_the_age_kept():
    lines = base64.encodebytes(json.dumps({"creation_timestamp": LOGIN_S, "token": BARE}).encode())
    token = parse_token(lines.replace(b"+", b"-").replace(b"/", b"_"), where="secret.txt")
    assert (token.refresh_token, token.login_at) == ("r", LOGIN_AT)


def test_nothing_is_opened_where_the_login_stands_already():
    assert read({**BARE, "note": json.dumps({"refresh_token": "another"})}).refresh_token == "r"


def test_of_very_many_texts_only_so_many_are_opened():
    with pytest.raises(ContractError, match="no refresh token"):
        read({f"text {number}": "{}x" for number in range(64)} | {"last": json.dumps(BARE)})


def test_text_that_hides_no_login_is_no_nest():
    assert read({"token": "r", "rotated_at": "2026-08-20T13:00:00Z", "tokens": "\ud800[1]"}).refresh_token == "r"
