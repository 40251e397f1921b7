import asyncio
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from streaming.errors import ConfigurationError, ContractError, TransientError
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token

ROOT = Path(__file__).resolve().parents[4]
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


def test_an_unknown_age_is_not_written_as_now(store):
    store.save(Token("a", "r"))
    assert "creation_timestamp" not in json.loads(store.path.read_text())
    assert store.load() == Token("a", "r")


@pytest.fixture
def key():
    return SecretStr(new_key())


def test_with_a_key_the_file_shows_nothing_and_reads_back(store, key):
    TokenStore(store.path, key=key).save(TOKEN)
    assert b"refresh@" not in store.path.read_bytes()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert TokenStore(store.path, key=key).load() == TOKEN


def test_a_file_from_before_the_key_is_read_and_encrypted_when_saved_next(store, key):
    store.save(TOKEN)
    encrypting = TokenStore(store.path, key=key)
    assert encrypting.load() == TOKEN
    assert b"refresh@" in store.path.read_bytes()
    encrypting.save(TOKEN)
    assert b"refresh@" not in store.path.read_bytes()


def test_without_its_key_an_encrypted_file_is_one_sentence(store, key):
    TokenStore(store.path, key=key).save(TOKEN)
    for other in (None, SecretStr(new_key())):
        with pytest.raises(ConfigurationError, match="SCHWAB_TOKEN_KEY"):
            TokenStore(store.path, key=other).load()


def test_a_file_without_a_token_is_named(store):
    store.path.parent.mkdir()
    store.path.write_text("{}")
    with pytest.raises(ContractError, match=r"schwab_token\.json holds no refresh token"):
        store.load()


def test_each_save_is_another_version(store):
    versions = [store.version()]
    for _ in range(3):
        store.save(TOKEN)
        versions.append(store.version())
    assert versions[0] is None
    assert len(set(versions)) == len(versions)


def test_an_env_file_is_never_written(tmp_path):
    (tmp_path / ".env").write_text("MINE=1\n")
    with pytest.raises(ConfigurationError, match=r"\.env is not the place"):
        TokenStore(tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == "MINE=1\n"


def test_an_unusable_place_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    store = TokenStore(tmp_path / "file" / "token.json")
    with pytest.raises(ConfigurationError) as caught:
        store.save(TOKEN)
    assert "SCHWAB_TOKEN_PATH" in caught.value.sentence
    assert "refresh@" not in caught.value.sentence


@pytest.fixture
def linked(tmp_path):
    """A token path that is a relative link to another one in a folder that is itself reached by a link."""
    real = tmp_path / "vault"
    real.mkdir(mode=0o700)
    (tmp_path / "door").symlink_to(real, target_is_directory=True)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "token.json").symlink_to("../door/schwab.json")
    return TokenStore(home / "token.json"), real / "schwab.json"


async def test_a_link_stays_and_the_file_is_written_where_it_points_with_the_lock_beside_it(linked):
    store, real = linked
    assert (store.load(), store.version()) == (None, None)
    async with store.locked():
        store.save(TOKEN)
    assert store.path.is_symlink() and real.is_file() and not real.is_symlink()
    assert (store.load(), TokenStore(real).load()) == (TOKEN, TOKEN)
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert sorted(path.name for path in real.parent.iterdir()) == ["schwab.json", "schwab.json.lock"]
    assert [path.name for path in store.path.parent.iterdir()] == ["token.json"]
    before = store.version()
    TokenStore(real).save(TOKEN)
    assert store.version() != before
    store.delete()
    assert (store.path.is_symlink(), real.exists()) == (True, False)


async def test_by_the_link_and_by_the_file_there_is_one_lock(linked):
    store, real = linked
    async with store.locked():
        with pytest.raises(TransientError):
            async with TokenStore(real).locked(timeout_s=0.05):
                pass


def planted(link, monkeypatch):
    """Make a link another user's, or us another user than the one who made it."""
    if os.geteuid() == 0:
        os.lchown(link, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)


@pytest.mark.parametrize("which", ["file", "folder"])
async def test_a_link_that_another_user_planted_is_not_followed(linked, tmp_path, monkeypatch, which):
    store, real = linked
    store.save(TOKEN)
    before = real.read_bytes()
    planted(store.path if which == "file" else tmp_path / "door", monkeypatch)
    for use in (store.load, lambda: store.save(TOKEN), store.delete):
        with pytest.raises(ConfigurationError, match="another user's"):
            use()
    with pytest.raises(ConfigurationError, match="another user's"):
        async with store.locked():
            pass
    assert store.version() is None
    assert real.read_bytes() == before


async def test_a_lock_or_a_leftover_that_somebody_planted_as_a_link_is_not_followed(store, tmp_path):
    store.save(TOKEN)
    victim = tmp_path / "victim"
    lock = store.path.with_name(store.path.name + ".lock")
    lock.unlink(missing_ok=True)
    lock.symlink_to(victim)
    with pytest.raises(ConfigurationError, match=r"\.lock cannot be used"):
        async with store.locked():
            pass
    assert not victim.exists()
    lock.unlink()
    victim.write_text("mine")
    (store.path.parent / f".{store.path.name}.x.tmp").symlink_to(victim)
    async with store.locked():
        store.save(TOKEN)
    assert victim.read_text() == "mine"


def test_links_in_a_circle_and_what_is_no_file_are_one_sentence(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b" " * 1_000_001)
    for name in ("a", "pipe", "huge", "."):
        with pytest.raises(ConfigurationError, match="cannot be used"):
            TokenStore(tmp_path / name).load()


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


def test_a_writer_killed_at_any_instant_leaves_the_old_or_the_new_token(tmp_path):
    """`GEXCORD_CRASHES=1000` for the long run."""
    crashes = int(os.environ.get("GEXCORD_CRASHES", "40"))
    code = [sys.executable, "-m", "tests.benchmarks.token_crash", "--kills", str(crashes), "--folder", str(tmp_path)]
    ran = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, timeout=30 + crashes, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{crashes} writers killed" in ran.stdout
