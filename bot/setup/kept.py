"""What a backup holds, as records one after another. Pure: bytes in, records out, and back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from streaming.bus import keys
from streaming.errors import UNREADABLE, RequestError

KeyKind = Literal["string", "hash", "set", "zset", "list"]
_LENGTH_BYTES: Final = 4
_LONGEST: Final = 64_000_000
"""Of one record; a key of five thousand alerts takes about two."""
_RULES: Final = f"{keys.ALERTS}:rules".encode()


class Settings(msgspec.Struct, frozen=True, kw_only=True, tag="settings"):
    """What the first machine was told."""

    text: str
    """Its `.env`, byte for byte; empty where there was none."""
    outside: dict[str, str] = {}
    """What came from the environment and from files of secrets instead."""


class Login(msgspec.Struct, frozen=True, kw_only=True, tag="login"):
    """The Schwab login in the shape of schwab-py, not encrypted."""

    content: bytes


class RedisKey(msgspec.Struct, frozen=True, kw_only=True, tag="redis"):
    """One key of Redis; `values` are what the command that writes it takes (`kept_keys`), so a hash is flat."""

    name: bytes
    kind: KeyKind
    values: list[bytes]
    expires_ms: int | None = None
    """An instant; None for ever."""


class DayRows(msgspec.Struct, frozen=True, kw_only=True, tag="day"):
    """A `DayReport` of the history as JSON."""

    content: bytes


Kept = Settings | Login | RedisKey | DayRows
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Kept]] = msgspec.msgpack.Decoder(Kept)


def written(records: Iterable[Kept]) -> Iterator[bytes]:
    """Each record behind its length."""
    for record in records:
        content = _ENCODER.encode(record)
        yield len(content).to_bytes(_LENGTH_BYTES, "big") + content


def read(parts: Iterable[bytes], *, name: str) -> Iterator[Kept]:
    """The records of bytes that come in pieces of any size; RequestError for what `written` did not write."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while (end := _end(waiting, name)) is not None:
            yield _record(bytes(waiting[_LENGTH_BYTES:end]), name)
            del waiting[:end]
    if waiting:
        raise _unreadable(name)


def _end(waiting: bytearray, name: str) -> int | None:
    """Where the first record ends; None while it is not there as a whole."""
    length = int.from_bytes(waiting[:_LENGTH_BYTES], "big")
    if length > _LONGEST:
        raise _unreadable(name)
    end = _LENGTH_BYTES + length
    return end if len(waiting) >= max(end, _LENGTH_BYTES) and length else None


def _record(content: bytes, name: str) -> Kept:
    try:
        return _DECODER.decode(content)
    except UNREADABLE:
        raise _unreadable(name) from None


def in_words(kept: Sequence[Kept]) -> str:
    """What there is, for a person."""
    redis = [record for record in kept if isinstance(record, RedisKey)]
    rules = sum(len(record.values) // 2 for record in redis if record.name == _RULES)
    days = sum(isinstance(record, DayRows) for record in kept)
    login = "the Schwab login" if any(isinstance(record, Login) for record in kept) else "no Schwab login"
    own = f"{rules} alert{'s' * (rules != 1)}, {len(redis)} key{'s' * (len(redis) != 1)} of Redis"
    return f"the settings, {login}, {own}, {days} day row{'s' * (days != 1)}"


def _unreadable(name: str) -> RequestError:
    return RequestError(f"{name} holds something that this version cannot read.", remedy="Restore it with a later one.")
