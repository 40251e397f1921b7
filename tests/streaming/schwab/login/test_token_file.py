"""streaming/schwab/login/token_file.py: one judgement of the token file, for the doctor and for --check."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streaming.process.findings import worst
from streaming.schwab.login.token_file import file_findings
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    store = TokenStore(tmp_path / "private" / "token.json")
    store.save(Token("a", "r", NOW, NOW - timedelta(days=2)))
    return store


def found(store, *, now=NOW, encrypts=False):
    return [(each.verdict, each.subject, each.status) for each in file_findings(store, now, encrypts=encrypts)]


def test_a_good_login_is_two_lines_and_the_age_is_the_one_that_counts(store):
    assert found(store) == [("ok", "token file", 0), ("ok", "login", 0)]
    assert worst(file_findings(store, NOW, encrypts=False)).sentence.startswith("the login lasts until 2026-08-25")


@pytest.mark.parametrize(
    ("login_at", "verdict", "status"),
    [(NOW - timedelta(days=7), "FAIL", 77), (NOW + timedelta(hours=1), "warn", 0), (None, "warn", 0)],
)
def test_the_age_of_a_login_is_judged(store, login_at, verdict, status):
    store.save(Token("a", "r", NOW, login_at))
    assert found(store)[-1] == (verdict, "login", status)


def test_a_file_or_folder_that_others_may_use_is_a_warning(store):
    store.path.chmod(0o640)
    store.path.parent.chmod(0o777)
    sentences = [each.sentence for each in file_findings(store, NOW, encrypts=False)]
    assert sentences[0].endswith(f"Run chmod 700 {store.path.parent}.")
    assert sentences[1].endswith(f"(mode 0640). Run chmod 600 {store.path}.")


def test_a_file_that_should_be_sealed_and_is_not_is_a_warning(store):
    assert found(store, encrypts=True)[0] == ("warn", "token file", 0)


def test_no_file_is_a_login_to_make_and_leaves_no_folder_behind(tmp_path):
    store = TokenStore(tmp_path / "new" / "token.json")
    assert found(store) == [("FAIL", "token file", 77)]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_wrong_setting_before_it_is_a_missing_login():
    finding = worst(file_findings(TokenStore(Path("/proc/x/token.json")), NOW, encrypts=False))
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert "SCHWAB_TOKEN_PATH" in finding.sentence


def test_a_file_that_holds_no_token_fails(store):
    store.path.write_text("{")
    assert found(store)[-1][:2] == ("FAIL", "token file")
