"""Records of a backup, written one after another and read from pieces of any size."""

import pytest

from bot.setup.kept import DayRows, Login, RedisKey, Settings, read, written
from streaming.errors import RequestError

RECORDS = [
    Settings(text="A=1\n", outside={"B": "2"}),
    Login(content=b"{}"),
    RedisKey(name=b"gex:alerts:rules", kind="hash", values=[b"1", b"{}"], expires_ms=5),
    DayRows(content=b"[]" * 1000),
]
RAW = b"".join(written(RECORDS))


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_records_come_back_whatever_the_pieces_are(step):
    pieces = [RAW[at : at + step] for at in range(0, len(RAW), step)]
    assert list(read(pieces, name="a file")) == RECORDS


@pytest.mark.parametrize("raw", [RAW[:-1], RAW + b"\0", b"\xff\xff\xff\xff" + RAW, b"\0\0\0\1\xc1", bytes(8)])
def test_what_nobody_wrote_so_is_refused(raw):
    with pytest.raises(RequestError, match="a file holds something that this version cannot read"):
        list(read([raw], name="a file"))
