import asyncio
import json
import multiprocessing
import os
import signal
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streaming.errors import ConfigurationError, ContractError, TransientError
from streaming.schwab.token_store import Token, TokenStore, parse_token

LOGIN_AT = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
TOKEN = Token(
    access_token="I0.access@",
    refresh_token="refresh@",
    expires_at=datetime(2026, 8, 20, 13, 40, tzinfo=UTC),
    login_at=LOGIN_AT,
    refreshed_at=datetime(2026, 8, 20, 13, 10, tzinfo=UTC),
    id_token="a.b.c",
)


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path / ".tokens" / "schwab_token.json")


def test_what_is_saved_is_loaded(store):
    store.save(TOKEN)
    assert store.load() == TOKEN


def test_no_file_is_no_token(store):
    assert store.load() is None


def test_the_file_is_private_in_a_private_folder(store):
    old = os.umask(0)
    try:
        store.save(TOKEN)
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_saving_again_keeps_the_file_private_and_leaves_nothing_behind(store):
    store.save(TOKEN)
    store.path.chmod(0o644)
    store.save(TOKEN)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [item.name for item in store.path.parent.iterdir()] == [store.path.name]


def test_the_file_has_schwab_pys_shape(store):
    store.save(TOKEN)
    document = json.loads(store.path.read_text())
    assert document["creation_timestamp"] == int(LOGIN_AT.timestamp())
    assert document["token"]["token_type"] == "Bearer"
    assert document["token"]["expires_at"] == 1787233200
    assert {"access_token", "refresh_token", "id_token", "scope", "expires_in"} < set(document["token"])


def test_the_repr_hides_the_secrets():
    assert "I0.access@" not in repr(TOKEN)
    assert "refresh@" not in repr(TOKEN)
    assert "a.b.c" not in repr(TOKEN)


@pytest.mark.parametrize(
    "document",
    [
        {
            "creation_timestamp": 1786968000,
            "token": {"access_token": "a", "refresh_token": "r", "expires_at": 1787233200},
        },
        {"access_token": "a", "refresh_token": "r", "expires_at": "1787233200.0", "creation_timestamp": 1786968000},
        {
            "access_token_issued": "2026-08-20T12:00:00",
            "refresh_token_issued": "2026-08-17T12:00:00",
            "token_dictionary": {"access_token": "a", "refresh_token": "r", "expires_at": 1787233200000},
        },
        {
            "creation_timestamp": 1786968000,
            "tokens": {"token": {"access_token": "a", "refresh_token": "r", "expires_at": 1787233200}},
        },
    ],
)
def test_known_shapes_are_read(document):
    token = parse_token(json.dumps(document).encode(), where="x")
    assert (token.access_token, token.refresh_token) == ("a", "r")
    assert token.login_at == LOGIN_AT
    assert token.expires_at == datetime(2026, 8, 20, 13, 40, tzinfo=UTC)


def test_an_unknown_age_stays_unknown():
    raw = json.dumps({"timestamp": 1787233200, "token": {"refresh_token": "r"}}).encode()
    token = parse_token(raw, where="x")
    assert (token.login_at, token.expires_at, token.access_token) == (None, None, "")


def test_an_unknown_age_is_not_written_as_now(store):
    store.save(Token("a", "r"))
    assert "creation_timestamp" not in json.loads(store.path.read_text())
    assert store.load() == Token("a", "r")


@pytest.mark.parametrize(
    "raw", [b"", b"\x80\x04K\x01.", b"[]", b"{}", b'{"token":{"refresh_token":""}}', b'{"token":5}']
)
def test_what_holds_no_token_is_a_contract_error_that_names_the_file(raw):
    with pytest.raises(ContractError, match=r"tokens\.json"):
        parse_token(raw, where="tokens.json")


def test_an_unusable_place_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    store = TokenStore(tmp_path / "file" / "token.json")
    with pytest.raises(ConfigurationError) as caught:
        store.save(TOKEN)
    assert "SCHWAB_TOKEN_PATH" in caught.value.sentence
    assert "refresh@" not in caught.value.sentence


async def test_the_lock_excludes_another_store_on_the_same_file(store):
    other = TokenStore(store.path)
    async with store.locked():
        with pytest.raises(TransientError):
            async with other.locked(timeout_s=0.05):
                pass
    async with other.locked(timeout_s=0.05):
        pass


async def test_the_lock_lets_tasks_in_one_after_another(store):
    inside = 0
    most = 0

    async def visit():
        nonlocal inside, most
        async with store.locked():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    await asyncio.gather(*(visit() for _ in range(8)))
    assert most == 1


async def test_a_cancelled_visitor_gives_the_lock_back(store):
    async with asyncio.timeout(5):
        task = asyncio.ensure_future(_hold(store))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with store.locked(timeout_s=0.1):
            pass


async def _hold(store):
    async with store.locked():
        await asyncio.sleep(60)


async def test_leftovers_of_a_dead_writer_are_swept_away(store):
    store.save(TOKEN)
    leftover = store.path.parent / f".{store.path.name}.abc.tmp"
    leftover.write_text("half")
    async with store.locked():
        pass
    assert not leftover.exists()
    assert store.load() == TOKEN


def _write_for_ever(path: str) -> None:
    store = TokenStore(Path(path))
    number = 0
    while True:
        number += 1
        store.save(Token(f"access-{number}" * 50, f"refresh-{number}", login_at=LOGIN_AT))


def test_a_killed_writer_leaves_a_whole_token(store):
    store.save(Token("access-0" * 50, "refresh-0", login_at=LOGIN_AT))
    context = multiprocessing.get_context("fork")
    for attempt in range(10):
        writer = context.Process(target=_write_for_ever, args=(str(store.path),))
        writer.start()
        time.sleep(0.01 + 0.003 * attempt)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        token = store.load()
        number = token.refresh_token.removeprefix("refresh-")
        assert token.access_token == f"access-{number}" * 50
        assert token.login_at == LOGIN_AT
