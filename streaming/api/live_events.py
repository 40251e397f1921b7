"""Server-sent events of one symbol: each new snapshot, the newest where a client is slow, and its age in between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from streaming.model import GexSnapshot

REPEAT_S: Final = 3.0
"""Without a new snapshot the last one is told again after this, so that a client sees it age."""
_SEND_S: Final = 10.0
OPENING: Final = b"retry: 2000\n\n"
"""How long a client waits before it connects again."""
_NOTHING_YET: Final = b": nothing yet\n\n"
Send = Callable[[bytes], Awaitable[None]]
Tell = Callable[[GexSnapshot], bytes]
"""A snapshot as the payload of an event, with its age at this moment."""


def event(kind: str, identity: str, payload: bytes) -> bytes:
    """One event; the payload is JSON in one line."""
    return f"event: {kind}\nid: {identity}\ndata: ".encode() + payload + b"\n\n"


async def tell_events(
    snapshots: AsyncIterator[GexSnapshot],
    first: GexSnapshot | None,
    *,
    kind: str,
    tell: Tell,
    send: Send,
    repeat_s: float = REPEAT_S,
    send_s: float = _SEND_S,
) -> None:
    """Send `first` and what follows until cancelled, or until the snapshots end.

    TimeoutError when a client takes nothing for `send_s`. Whoever reads slowly gets the newest: `snapshots` has one
    slot, and nothing is read from it while something is being sent.
    """
    last, due = first, True
    while True:
        if due:
            async with asyncio.timeout(send_s):
                await send(_NOTHING_YET if last is None else event(kind, identity_of(last), tell(last)))
        try:
            async with asyncio.timeout(repeat_s):
                found = await anext(snapshots)
        except TimeoutError:
            due = True
            continue
        except StopAsyncIteration:
            return
        due = last is None or identity_of(found) != identity_of(last)
        last = found if due else last


def identity_of(snapshot: GexSnapshot) -> str:
    """Tells one snapshot of a symbol from the next."""
    return f"{snapshot.asof_ms}-{snapshot.computed_ms}-{snapshot.seq}"
