"""What a file's bytes are wrapped in, and what they are when they are no chain. Pure.

People send tables packed, in a zip of one file, in UTF-16 as spreadsheets save them, or a web page in a table's place.
"""

import io
import re
import struct
import zipfile
import zlib
from typing import Final

from streaming.errors import ContractError
from streaming.process import packed

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_LAYERS: Final = 3
_PEEK: Final = 4096
_LONGEST_QUOTE: Final = 60
_WORKBOOK: Final = "[Content_Types].xml"
_ENCRYPTED: Final = 1
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the library raises on the bytes of a zip, depending on where they are wrong."""
_UNPACK: Final = "Unpack it and give the table in it."
_SAVE_AS_CSV: Final = "Save it as CSV from the program that made it."
_OTHERS: Final = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _SAVE_AS_CSV),
    b"%PDF": ("a PDF", "Download the table itself and try again."),
    b"PAR1": ("a Parquet file", "Write it as CSV with pandas or DuckDB."),
    b"SQLite format 3": ("a SQLite database", "Write its table as CSV."),
    b"7z\xbc\xaf": ("a 7-Zip archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", _UNPACK),
    b"BZh": ("packed with bzip2", _UNPACK),
    b"\xfd7zXZ": ("packed with xz", _UNPACK),
}
_WEB_PAGE: Final = re.compile(rb"\s*<(?:!doctype\s+html|!--|html|head|body|\?xml)", re.IGNORECASE)
_TITLE: Final = re.compile(rb"<title[^>]*>([^<]{1,400})", re.IGNORECASE)


def unwrapped(payload: bytes) -> bytes:
    """The text inside, in UTF-8 and without a byte order mark.

    ContractError where it cannot be unpacked, holds more than `packed.MOST_UNPACKED`, or is a kind of file that holds
    no text.
    """
    for _ in range(_MOST_LAYERS):
        if payload.startswith(packed.MAGIC):
            payload = packed.unpack(payload)
        elif payload.startswith(_ZIP):
            payload = _member(payload)
        else:
            break
    for magic, (kind, remedy) in _OTHERS.items():
        if payload.startswith(magic):
            raise ContractError(f"This is {kind}.", remedy=remedy)
    return _utf8(payload)


def refusal(text: bytes, *, otherwise: str) -> ContractError:
    """What to say of text that is no chain; `otherwise` where it is nothing that is known."""
    if _WEB_PAGE.match(text):
        title = _TITLE.search(text[:_PEEK])
        called = f" titled {_quoted(title[1])}" if title is not None else ""
        return ContractError(
            f"This is a web page{called}, not a table.", remedy="Download the table itself and try again."
        )
    return ContractError(otherwise)


def _quoted(raw: bytes) -> str:
    words = " ".join(raw.decode("utf-8", "replace").split())
    return repr("".join(one for one in words if one.isprintable())[:_LONGEST_QUOTE])


def _utf8(payload: bytes) -> bytes:
    encoding = _UTF16.get(payload[:2]) or _unmarked_utf16(payload[:_PEEK])
    if encoding is None:
        return payload.removeprefix(_BOM)
    return payload.decode(encoding, "replace").removeprefix("\ufeff").encode()


def _unmarked_utf16(head: bytes) -> str | None:
    """Text of plain letters in UTF-16 has a zero in every other byte, and in no other."""
    even, odd = head[::2], head[1::2]
    if not odd or head.count(0) == 0:
        return None
    if odd.count(0) > 0.9 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.9 * len(even) and odd.count(0) == 0 else None


def _member(payload: bytes) -> bytes:
    """The only file in a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            return _only(archive)
    except _DAMAGE as error:
        raise ContractError("The zip is damaged or cut off.", remedy="Download it again.") from error


def _only(archive: zipfile.ZipFile) -> bytes:
    listed = archive.infolist()
    if any(item.filename == _WORKBOOK for item in listed):
        raise ContractError("This is an Excel workbook.", remedy=_SAVE_AS_CSV)
    inside = [item for item in listed if not item.is_dir() and not _is_hidden(item.filename)]
    if len(inside) != 1:
        raise ContractError(f"The zip holds {len(inside)} files.", remedy="Unpack it and give one of them.")
    if inside[0].flag_bits & _ENCRYPTED:
        raise ContractError("The zip asks for a password.", remedy=_UNPACK)
    if inside[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ContractError("The zip is packed in a way that is not read here.", remedy=_UNPACK)
    with archive.open(inside[0]) as member:
        content = member.read(packed.MOST_UNPACKED + 1)
    if len(content) > packed.MOST_UNPACKED:
        raise ContractError(f"The zip holds more than {packed.MOST_UNPACKED // 1_000_000} MB.")
    return content


def _is_hidden(name: str) -> bool:
    """Whether a file is one that macOS adds of its own accord."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
