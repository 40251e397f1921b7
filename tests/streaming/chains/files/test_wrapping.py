"""What files are wrapped in, and what they are when they are no chain."""

import contextlib
import gzip
import io
import zipfile
from unittest.mock import patch

import pytest

from streaming.chains.files.wrapping import refusal, unwrapped
from streaming.errors import ContractError
from streaming.process import packed

TEXT = "Expiration Date,Calls,μ\n" * 20


def zipped(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return whole.getvalue()


@pytest.mark.parametrize(
    "payload",
    [
        TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.encode("utf-16"), b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("μ", "m").encode("utf-16-le"), TEXT.replace("μ", "m").encode("utf-16-be"),
        gzip.compress(TEXT.encode()), zipped(("a/chain.csv", TEXT.encode())),
        zipped(("chain.csv", TEXT.encode("utf-16"))),
        zipped(("chain.csv.gz", gzip.compress(TEXT.encode()))),
        zipped(("chain.csv", TEXT.encode()), ("__MACOSX/._chain.csv", b"x"), (".DS_Store", b"x")),
    ],
    ids=[
        "plain", "marked", "UTF-16", "UTF-16 of the other order", "unmarked", "unmarked of the other order", "gzip",
        "zip", "UTF-16 in a zip", "gzip in a zip", "zip of a Mac",
    ],
)  # fmt: skip
def test_the_text_inside_is_the_same(payload: bytes):
    assert unwrapped(payload).decode().replace("m", "μ") == TEXT


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (zipped(("a.csv", b"1"), ("b.csv", b"2")), "holds 2 files"),
        (zipped(), "holds 0 files"),
        (zipped(("[Content_Types].xml", b"1"), ("xl/workbook.xml", b"2")), "Excel workbook"),
        (zipped(("a.csv", TEXT.encode()))[:-40], "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1\x15", "a Parquet file"),
        (b"\x28\xb5\x2f\xfd\x00", "packed with zstd"),
    ],
)
def test_what_holds_no_text_is_named_with_what_helps(payload: bytes, words: str):
    with pytest.raises(ContractError, match=words) as caught:
        unwrapped(payload)
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_is_damaged_is_refused_wherever_that_is(kind: int):
    whole = zipped(("a.csv", TEXT.encode()), kind=kind)
    for place in range(4, len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        with contextlib.suppress(ContractError):
            unwrapped(bytes(damaged))


def test_a_password_and_other_ways_to_pack_are_refused_by_name():
    with pytest.raises(ContractError, match="packed in a way"):
        unwrapped(zipped(("a.csv", TEXT.encode()), kind=zipfile.ZIP_BZIP2))
    locked = bytearray(zipped(("a.csv", b"x")))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ContractError, match="password"):
        unwrapped(bytes(locked))


def test_a_zip_is_not_unpacked_beyond_the_bound():
    with patch.object(packed, "MOST_UNPACKED", 1_000_000), pytest.raises(ContractError, match="more than 1 MB"):
        unwrapped(zipped(("a.csv", b"\0" * 1_000_001)))


@pytest.mark.parametrize("start", [b"", b"\n <!-- x -->", b"<?xml version='1.0'?>", b"<!DOCTYPE html>"])
def test_a_web_page_is_called_one_by_its_title(start: bytes):
    page = start + b"<html><head><title>Just a\n moment...\x1b[2J</title></head></html>"
    said = refusal(page, otherwise="Else.")
    assert str(said) == "This is a web page titled 'Just a moment...[2J', not a table."
    assert "Download" in said.remedy


def test_other_text_is_called_what_the_caller_says():
    assert str(refusal(b"hello", otherwise="Else.")) == "Else."
