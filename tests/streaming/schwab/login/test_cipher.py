import pytest
from pydantic import SecretStr

from streaming.errors import ConfigurationError
from streaming.schwab.login.cipher import TokenCipher, is_sealed, new_key


def cipher(key=None):
    return TokenCipher(SecretStr(key or new_key()))


def test_what_is_sealed_is_opened_with_the_same_key_and_shows_nothing():
    key = new_key()
    sealed = cipher(key).seal(b"refresh@")
    assert is_sealed(sealed)
    assert b"refresh" not in sealed
    assert cipher(key).open(sealed, where="x") == b"refresh@"


def test_without_a_key_nothing_changes():
    assert TokenCipher(None).seal(b"{}") == b"{}"
    assert TokenCipher(None).open(b"{}", where="x") == b"{}"


def test_what_is_not_sealed_is_read_with_a_key_too():
    assert cipher().open(b"{}", where="x") == b"{}"


@pytest.mark.parametrize(
    ("key", "words"), [(None, "is encrypted and SCHWAB_TOKEN_KEY is not set"), ("other", "another key than")]
)
def test_a_missing_or_wrong_key_is_one_sentence_that_names_file_and_setting(key, words):
    sealed = cipher().seal(b"refresh@")
    reader = TokenCipher(None) if key is None else cipher()
    with pytest.raises(ConfigurationError, match=words) as caught:
        reader.open(sealed, where="tokens.json")
    assert "tokens.json" in caught.value.sentence
    assert "SCHWAB_TOKEN_KEY" in caught.value.sentence
    assert caught.value.remedy


def test_a_key_that_is_none_is_refused_without_being_repeated():
    with pytest.raises(ConfigurationError, match="not a Fernet key") as caught:
        cipher("my-secret-key")
    assert "my-secret-key" not in caught.value.sentence
