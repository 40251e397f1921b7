import json
import pickle
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from streaming.errors import ConfigurationError, RequestError
from streaming.schwab.login.cipher import TokenCipher, new_key
from streaming.schwab.login.other_programs import OriginEnvironment, read_environment, read_file

LOGIN_AT = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 8, 20, 13, 10, tzinfo=UTC)
PLAIN = TokenCipher(None)
KEY = "fXhBKO3lwcMVCf8nG5Ydeg-NaBJQhCCWMzIgRBeynxM="


class Poison:
    opened = False

    def __reduce__(self):
        return (setattr, (Poison, "opened", True))


def database(path, *, key=None, version=4):
    """Schwabdev's file: with a key the values are encrypted; version 3 leaves the id_token clear."""
    seal = TokenCipher(SecretStr(key) if key else None).seal
    row = {
        "access_token_issued": "2026-08-20T13:00:00+00:00",
        "refresh_token_issued": "2026-08-17T12:00:00+00:00",
        "access_token": "a",
        "refresh_token": "r@",
        "id_token": "x.y.z",
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": "api",
    }
    for name in ("access_token", "refresh_token", *(("id_token",) if version == 4 else ())):
        row[name] = seal(row[name].encode()).decode()
    with closing(sqlite3.connect(path)) as connection:
        columns = ", ".join(f"{name} {'INTEGER' if name == 'expires_in' else 'TEXT'}" for name in row)
        connection.execute(f"CREATE TABLE schwabdev ({columns})")
        connection.execute(f"INSERT INTO schwabdev VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        connection.commit()
    return path


def test_a_json_file_is_read(tmp_path):
    path = tmp_path / "token.json"
    path.write_text(json.dumps({"creation_timestamp": 1786968000, "token": {"refresh_token": "r"}}))
    assert read_file(path, now=NOW, cipher=PLAIN).login_at == LOGIN_AT


@pytest.mark.parametrize(("key", "version"), [(None, 4), (KEY, 3), (KEY, 4)])
def test_schwabdevs_database_is_read_and_left_as_it_is(tmp_path, key, version):
    path = database(tmp_path / "tokens.db", key=key, version=version)
    before = path.read_bytes()
    token = read_file(path, now=NOW, cipher=TokenCipher(SecretStr(key) if key else None))
    assert (token.access_token, token.refresh_token, token.id_token) == ("a", "r@", "x.y.z")
    assert (token.login_at, token.expires_at) == (LOGIN_AT, datetime(2026, 8, 20, 13, 30, tzinfo=UTC))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["tokens.db"]


def test_an_encrypted_database_asks_for_its_key(tmp_path):
    path = database(tmp_path / "tokens.db", key=KEY)
    with pytest.raises(ConfigurationError, match="is encrypted"):
        read_file(path, now=NOW, cipher=PLAIN)
    with pytest.raises(ConfigurationError, match="another key than the key that was asked for"):
        read_file(path, now=NOW, cipher=TokenCipher(SecretStr(new_key()), named="the key that was asked for"))


def test_our_own_encrypted_file_is_read_with_its_key(tmp_path):
    cipher = TokenCipher(SecretStr(KEY))
    path = tmp_path / "t.json"
    path.write_bytes(cipher.seal(b'{"token":{"refresh_token":"r"}}') + b"\n")
    assert read_file(path, now=NOW, cipher=cipher).refresh_token == "r"


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_refused_and_never_opened(tmp_path, protocol):
    path = tmp_path / "token.pickle"
    path.write_bytes(pickle.dumps({"refresh_token": Poison()}, protocol))
    with pytest.raises(RequestError, match="is a Python pickle"):
        read_file(path, now=NOW, cipher=PLAIN)
    assert not Poison.opened


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"SQLite format 3\0 but torn", "not a token database"),
        (b"hello", "is not JSON"),
        (b"{}", "no refresh token"),
        (b" " * 1_100_000, "far too large"),
    ],
)
def test_a_file_without_a_login_is_named(tmp_path, content, words):
    path = tmp_path / "strange.file"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=words) as caught:
        read_file(path, now=NOW, cipher=PLAIN)
    assert "strange.file" in str(caught.value)


def test_another_programs_database_is_no_login(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
        connection.commit()
    with pytest.raises(RequestError, match="not a token database of Schwabdev"):
        read_file(tmp_path / "other.db", now=NOW, cipher=PLAIN)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"gone\.json cannot be read: No such file"):
        read_file(tmp_path / "gone.json", now=NOW, cipher=PLAIN)


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("variables", "refresh_token", "access_token", "login_at"),
    [
        (
            {"SCHWAB_TOKENS_JSON": '{"creation_timestamp": 1786968000, "token": {"refresh_token": "j"}}'},
            "j",
            "",
            LOGIN_AT,
        ),
        ({"SCHWAB_REFRESH_TOKEN": "r@", "SCHWAB_ACCESS_TOKEN": "a@"}, "r@", "a@", None),
        ({"SCHWAB_RTOKEN": "r2@", "SCHWAB_ATOKEN": "a2@"}, "r2@", "a2@", None),
    ],
)
def test_the_origins_variables_are_read(environment, variables, refresh_token, access_token, login_at):
    for name, value in variables.items():
        environment(name, value)
    token = read_environment(OriginEnvironment(), now=NOW)
    assert (token.refresh_token, token.access_token, token.login_at) == (refresh_token, access_token, login_at)


def test_the_origins_env_file_is_read_too(environment, tmp_path):
    (tmp_path / ".env").write_text("SCHWAB_RTOKEN=from-file@\nSCHWAB_SECRECT=s\n")
    origin = OriginEnvironment()
    assert read_environment(origin, now=NOW).refresh_token == "from-file@"
    assert origin.app_secret.get_secret_value() == "s"


@pytest.mark.parametrize(
    ("variables", "words"), [({}, "is set"), ({"SCHWAB_TOKENS_JSON": "{oops"}, "SCHWAB_TOKENS_JSON is not JSON")]
)
def test_variables_without_a_login_are_named(environment, variables, words):
    for name, value in variables.items():
        environment(name, value)
    with pytest.raises(RequestError, match=words) as caught:
        read_environment(OriginEnvironment(), now=NOW)
    assert "oops" not in caught.value.sentence
