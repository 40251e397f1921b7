"""Encryption of the stored login with a key from the settings.

In a file Fernet, behind the mark that Schwabdev uses too; in Redis AES-256-GCM with a key of its own, made of
the same setting.
"""

import secrets
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from streaming.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_MARK: Final = b"enc:"
_SHARED_MARK: Final = b"gcm1:"
_SHARED: Final = b"gexcord shared login 1"
"""What the key is for, and what the sealed text is about: nothing else opens with it."""
_NONCE_BYTES: Final = 12
KEY_SETTING: Final = "SCHWAB_TOKEN_KEY"
_NEW_KEY: Final = "`python -m streaming token new-key` prints one."


class TokenCipher:
    """Seals and opens bytes with one key; without a key bytes stay as they are and sealed ones are refused.

    `named` is how the key is called in errors: the setting, or where else it came from.
    """

    def __init__(self, key: SecretStr | None, *, named: str = KEY_SETTING) -> None:
        self._named = named
        self._fernet = None if key is None else _fernet(key, named)

    def seal(self, clear: bytes) -> bytes:
        """The encrypted form, or without a key the same bytes."""
        return clear if self._fernet is None else _MARK + self._fernet.encrypt(clear)

    def open(self, stored: bytes, *, where: str) -> bytes:
        """The clear bytes of either form; ConfigurationError when the key is missing or another one."""
        if not is_sealed(stored):
            return stored
        if self._fernet is None:
            raise ConfigurationError(
                f"{where} is encrypted and {self._named} is not set.", remedy=f"Set {self._named} to its key."
            )
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(stored.removeprefix(_MARK))
        except InvalidToken:
            raise ConfigurationError(
                f"{where} was encrypted with another key than {self._named}.",
                remedy="Give the key it was encrypted with, or move the file away and log in again.",
            ) from None


class SharedCipher:
    """Seals and opens what lies where other machines and their operators can read it.

    What is sealed `about` one thing does not open as another.
    """

    def __init__(self, key: SecretStr, *, about: bytes = _SHARED) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        _fernet(key, KEY_SETTING)
        self._about = about
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=about)
        self._aes = AESGCM(derived.derive(urlsafe_b64decode(key.get_secret_value())))

    def seal(self, clear: bytes) -> bytes:
        """A mark, a fresh nonce, and the encrypted form, which nobody can change unnoticed."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _SHARED_MARK + nonce + self._aes.encrypt(nonce, clear, self._about)

    def open(self, sealed: bytes, *, where: str) -> bytes:
        """The clear bytes; ConfigurationError when another key sealed them, or somebody changed them."""
        from cryptography.exceptions import InvalidTag

        body = sealed.removeprefix(_SHARED_MARK)
        try:
            return self._aes.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], self._about)
        except (InvalidTag, ValueError):
            raise ConfigurationError(
                f"{where} was encrypted with another {KEY_SETTING} than this one, or changed by somebody.",
                remedy=f"Give every machine the same {KEY_SETTING}, or log in again after `token logout`.",
            ) from None


def is_sealed(stored: bytes) -> bool:
    """Whether the bytes say of themselves that they are encrypted."""
    return stored.startswith(_MARK)


def new_key() -> str:
    """A fresh key, as `SCHWAB_TOKEN_KEY` takes it."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode("ascii")


def _fernet(key: SecretStr, named: str) -> "Fernet":
    from cryptography.fernet import Fernet

    try:
        return Fernet(key.get_secret_value())
    except ValueError:
        raise ConfigurationError(f"{named} is not a Fernet key.", remedy=_NEW_KEY) from None
