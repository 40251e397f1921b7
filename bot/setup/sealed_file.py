"""Bytes under a passphrase, in chunks that prove themselves and their place. No file is opened here.

    magic (8) | version, log2 n, r, p (a byte each) | salt (16) | proof (16)
    chunks of 64 KiB, the last one shorter, each with its tag of 16 bytes behind it

The key comes from the passphrase by scrypt with n, r, p and the salt. The proof is the tag of nothing, so that another
passphrase is told from a damaged file. A chunk's nonce is its number and whether it is the last, and every chunk is
bound to the header: none can be changed, moved, left out or cut off unnoticed.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, BinaryIO, Final

from streaming.errors import RequestError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"GEXCORD\0"
VERSION: Final = 1
CHUNK_BYTES: Final = 65_536
_HEADER: Final = Struct(">8sBBBB16s")
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_PROOF_NONCE: Final = b"\xff" * 12
_LARGEST: Final = (18, 8, 4)
"""log2 n, r and p that are still computed: a quarter of a GB."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess at the passphrase takes: 128 MB and about half a second."""

    log2_n: int = 17
    r: int = 8
    p: int = 1


USUAL: Final = Cost()


def seal(target: BinaryIO, parts: Iterable[bytes], passphrase: str, *, cost: Cost = USUAL) -> None:
    """Write `parts`, one after another, as a sealed file."""
    header = _HEADER.pack(MAGIC, VERSION, cost.log2_n, cost.r, cost.p, secrets.token_bytes(_SALT_BYTES))
    key = _key(header, passphrase)
    target.write(header + key.encrypt(_PROOF_NONCE, b"", header))
    number, waiting = 0, bytearray()
    for part in parts:
        waiting += part
        while len(waiting) > CHUNK_BYTES:
            target.write(key.encrypt(_nonce(number, last=False), bytes(waiting[:CHUNK_BYTES]), header))
            del waiting[:CHUNK_BYTES]
            number += 1
    target.write(key.encrypt(_nonce(number, last=True), bytes(waiting), header))


def unseal(source: BinaryIO, passphrase: str, *, name: str) -> Iterator[bytes]:
    """The bytes that were sealed, chunk by chunk.

    RequestError for a file of another kind or a newer version, another passphrase, or at the chunk from which on it is
    damaged or cut off; what came before is as it was written.
    """
    header = source.read(_HEADER.size)
    _check(header, name)
    key = _key(header, passphrase)
    _open(key, _PROOF_NONCE, source.read(_TAG_BYTES), header, f"The passphrase does not open {name}.")
    damaged = f"{name} is damaged or cut off."
    sealed, number = source.read(CHUNK_BYTES + _TAG_BYTES), 0
    while following := source.read(CHUNK_BYTES + _TAG_BYTES):
        yield _open(key, _nonce(number, last=False), sealed, header, damaged)
        sealed, number = following, number + 1
    yield _open(key, _nonce(number, last=True), sealed, header, damaged)


def _check(header: bytes, name: str) -> None:
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        raise RequestError(f"{name}is not a Gexcord backup.")
    _, version, *cost, _ = _HEADER.unpack(header)
    if version > VERSION:
        raise RequestError(
            f"{name} was written by a newer Gexcord (form {version}, this one reads {VERSION}).",
            remedy="Restore it with that version or a later one.",
        )
    if not all(1 <= value <= largest for value, largest in zip(cost, _LARGEST, strict=True)):
        raise RequestError(f"{name} is damaged or cut off.")


def _key(header: bytes, passphrase: str) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    _, _, log2_n, r, p, salt = _HEADER.unpack(header)
    return AESGCM(Scrypt(salt=salt, length=_KEY_BYTES, n=2**log2_n, r=r, p=p).derive(passphrase.encode()))


def _open(key: "AESGCM", nonce: bytes, sealed: bytes, header: bytes, otherwise: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return key.decrypt(nonce, sealed, header)
    except (InvalidTag, ValueError):  # too short to hold a tag
        raise RequestError(otherwise) from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
