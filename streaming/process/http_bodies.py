"""An HTTP client that unpacks no more than a body may hold: half a megabyte of gzip can be a gigabyte of zeros."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from streaming.errors import ContractError
from streaming.process.certificates import trusted
from streaming.process.packed import GZIP_WINDOW, MOST_UNPACKED, Unpacker

_WINDOWS: Final = {"gzip": GZIP_WINDOW, "x-gzip": GZIP_WINDOW, "deflate": zlib.MAX_WBITS}


def open_client(*, timeout_s: float, most_bytes: int = MOST_UNPACKED) -> httpx.AsyncClient:
    """A client whose answers raise ContractError while they are read when they hold more than `most_bytes`."""

    async def bound(response: httpx.Response) -> None:
        bound_body(response, most_bytes=most_bytes)

    return httpx.AsyncClient(
        timeout=timeout_s,
        verify=trusted(),
        headers={"Accept-Encoding": "gzip"},
        event_hooks={"response": [bound]},
    )


def bound_body(response: httpx.Response, *, most_bytes: int) -> None:
    """Let a body that has not been read yet come unpacked and counted, in the place of httpx's own unpacking."""
    encoding = response.headers.pop("Content-Encoding", "identity").strip().lower()
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  # of an asynchronous client
    response.stream = _BoundedStream(response.stream, encoding, most_bytes)


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, raw: httpx.AsyncByteStream, encoding: str, most_bytes: int) -> None:
        self._raw = raw
        self._encoding = encoding
        self._most = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._encoding in {"identity", ""}:
            async for piece in self._counted():
                yield piece
            return
        window = _WINDOWS.get(self._encoding)
        if window is None:
            raise ContractError("An answer is packed in a way that was not asked for.")
        unpacker = Unpacker(most_bytes=self._most, window=window)
        async for piece in self._counted():
            yield unpacker.feed(piece)

    async def _counted(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._raw:
            size += len(piece)
            if size > self._most:
                raise ContractError(f"An answer holds more than {self._most // 1_000_000} MB.")
            yield piece

    async def aclose(self) -> None:
        await self._raw.aclose()
