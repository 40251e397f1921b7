"""What `specs/operations.md` says of upgrading: a stored record is read by an older and by a newer version."""

import msgspec
import pytest

from bot.alerts.rules import AlertState
from bot.feed.ledger import Chore, LedgerEntry
from bot.setup.kept import DayRows, Kept, Login, RedisKey, Settings
from streaming.bus.codec import decode_snapshot, encode_snapshot
from streaming.history.history_files import DayReport
from tests.support.alerts import rule
from tests.support.snapshots import snapshot

STORED = [
    LedgerEntry(session="2026-11-20", message_id=7),
    Chore(channel_id=1, message_id=2),
    rule(),
    AlertState(side=1),
    DayReport(ticker="SPX", day="2026-11-20"),
]


@pytest.mark.parametrize("record", STORED, ids=lambda record: type(record).__name__)
def test_a_record_of_a_newer_version_is_read_without_what_is_new_in_it(record):
    newer = {**msgspec.to_builtins(record), "of_the_next_version": [1]}
    assert msgspec.json.decode(msgspec.json.encode(newer), type=type(record)) == record


@pytest.mark.parametrize("record", STORED, ids=lambda record: type(record).__name__)
def test_a_record_of_an_older_version_needs_only_what_was_there_from_the_beginning(record):
    fields = msgspec.structs.fields(record)
    first = {field.name: getattr(record, field.name) for field in fields if field.required}
    assert isinstance(msgspec.json.decode(msgspec.json.encode(first), type=type(record)), type(record))
    assert len(first) < len(fields)


def test_a_snapshot_of_a_newer_version_is_read():
    newer = {**msgspec.json.decode(encode_snapshot(snapshot())), "of_the_next_version": [1]}
    assert decode_snapshot(msgspec.json.encode(newer)) == snapshot()


@pytest.mark.parametrize("kind", [Settings, Login, RedisKey, DayRows], ids=lambda kind: kind.__name__)
def test_a_backup_of_a_newer_version_is_read_without_what_is_new_in_its_records(kind):
    told = {"text": "", "name": b"k", "kind": "string", "values": [b"1"], "content": b"", "of_the_next_version": [1]}
    named = {field.name for field in msgspec.structs.fields(kind)} | {"of_the_next_version"}
    record = {"type": kind.__struct_config__.tag} | {name: value for name, value in told.items() if name in named}
    assert isinstance(msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Kept), kind)
