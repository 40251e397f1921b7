"""Request bodies as Discord accepts them: JSON, or multipart with `payload_json` and `files[n]`."""

import json
import mimetypes
import re
import struct
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import BodyPartReader, web

from bot.sandbox.world.api_errors import invalid_json, too_large

FILE_BYTES: Final = 10 * 1024 * 1024
REQUEST_BYTES: Final = 25 * 1024 * 1024
_FILE_FIELD = re.compile(r"files\[(\d+)\]")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart request; `index` is the n of `files[n]`."""

    index: int
    filename: str
    data: bytes

    @property
    def content_type(self) -> str:
        """By the name, as Discord tells it."""
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    @property
    def size_px(self) -> tuple[int, int] | None:
        """Width and height of a PNG, None for anything else."""
        if not self.data.startswith(_PNG_SIGNATURE) or len(self.data) < 24:  # noqa: PLR2004 - IHDR ends its sizes there
            return None
        width, height = struct.unpack(">II", self.data[16:24])
        return width, height


async def read_body(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    """The JSON body and the files of a request; raises 50109 for broken JSON, 40005 for too many bytes."""
    if request.content_type.startswith("multipart/"):
        return await _read_multipart(request)
    if not request.body_exists:
        return None, ()
    try:
        return _parse(await request.read()), ()
    except web.HTTPRequestEntityTooLarge:
        raise too_large() from None


async def _read_multipart(request: web.Request) -> tuple[Any, tuple[Upload, ...]]:
    body: Any = {}
    uploads: list[Upload] = []
    left = REQUEST_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = await _read_part(part, min(left, FILE_BYTES))
        left -= len(data)
        field = _FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            body = _parse(data)
        elif field is not None:
            uploads.append(Upload(int(field[1]), part.filename or "file", data))
    return body, tuple(uploads)


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise too_large()
    return bytes(data)


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        raise invalid_json() from None
