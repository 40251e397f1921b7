"""One bounded GET, and what its failure means: the machine's move, a person's, or the other side's breach."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from streaming.clock import Clock
from streaming.errors import ContractError, OperatorError, RequestError, TransientError
from streaming.process.certificates import trusted
from streaming.process.packed import unpack
from streaming.schwab.http_errors import retry_after_s

USER_AGENT: Final = "Gexcord/0.1"
_CONNECT_S: Final = 5.0
_SILENCE_S: Final = 10.0


class SlowDownError(TransientError):
    """The other side asks for fewer requests (HTTP 429)."""


@dataclass(frozen=True, slots=True)
class Server:
    """Whom we ask, and what a person can do about its refusals."""

    who: str
    refused_remedy: str
    """After 401 and 403."""
    unknown_remedy: str
    """After 400 and 404, which speak of one ticker."""
    most_bytes: int
    within_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The body, and by what to ask whether it has changed."""

    body: bytes
    etag: str | None = None
    last_modified: str | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for news only."""
        known = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in known.items() if value is not None}


def open_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that follows nobody elsewhere, so that a key stays where it belongs."""
    return httpx.AsyncClient(
        transport=transport,
        verify=trusted(),
        timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"},
        follow_redirects=False,
    )


async def download(
    client: httpx.AsyncClient,
    url: str,
    server: Server,
    *,
    about: str,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    keep_packed: bool = False,
) -> Answer | None:
    """The answer, or None when nothing has changed (HTTP 304). No error repeats the address.

    With `keep_packed` a gzip body is left for somebody else to unpack.

    Raises TransientError, OperatorError (401, 403), RequestError (400, 404: `about` is unknown there) or
    ContractError.
    """
    try:
        async with asyncio.timeout(server.within_s), client.stream("GET", url, headers=headers) as response:
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                return None
            _require_ok(response, server, about, clock)
            body = await _body(response, server, keep_packed=keep_packed)
            return Answer(body, response.headers.get("etag"), response.headers.get("last-modified"))
    except TimeoutError:
        raise TransientError(f"{server.who} did not answer within {server.within_s:.0f} s.") from None
    except httpx.HTTPError as error:
        raise TransientError(f"{server.who} cannot be reached ({type(error).__name__}).") from None


async def _body(response: httpx.Response, server: Server, *, keep_packed: bool) -> bytes:
    """The body, unpacked in a thread: megabytes would hold the loop for tens of milliseconds."""
    body, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > server.most_bytes:
            raise ContractError(f"{server.who} sent more than {server.most_bytes // 1_000_000} MB.")
        body.append(part)
    whole = b"".join(body)
    match response.headers.get("content-encoding", "identity").lower():
        case "gzip" if not keep_packed:
            return await asyncio.to_thread(unpack, whole, most_bytes=server.most_bytes)
        case "identity" | "gzip":
            return whole
        case _:
            raise ContractError(f"{server.who} packed its answer in a way that was not asked for.")


def _require_ok(response: httpx.Response, server: Server, about: str, clock: Clock) -> None:
    status, who = response.status_code, server.who
    match status:
        case HTTPStatus.OK:
            return
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise OperatorError(f"{who} refuses us (HTTP {status}).", remedy=server.refused_remedy)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.NOT_FOUND:
            raise RequestError(f"{who} does not know {about} (HTTP {status}).", remedy=server.unknown_remedy)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise SlowDownError(
                f"{who} asks for fewer requests (HTTP 429).", retry_after_s=retry_after_s(response, clock)
            )
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TransientError(f"{who} has trouble (HTTP {status}).", retry_after_s=retry_after_s(response, clock))
        case _:
            raise ContractError(f"{who} answered with HTTP {status}, which is not an answer.")
