"""Snapshots as they come in: bounded before they are parsed, parsed once for all readers, off the loop when large."""

import asyncio
from typing import Final

from streaming.bus.mishaps import breaching
from streaming.bus.snapshots.classic import MOST_BYTES, parse_snapshot
from streaming.errors import ContractError
from streaming.model import GexSnapshot

_LARGE: Final = 256_000
"""Bytes; less takes a few milliseconds at most, and every snapshot of ours is less."""
_SAME_WITHIN_MS: Final = 500
"""What comes again later is another message of the same words: of one without a time the time of receipt counts."""
_KEPT: Final = 16
_KEPT_BYTES: Final = 4_000_000

Outcome = GexSnapshot | ContractError


class SnapshotIntake:
    """Parses each payload once, however many readers of one process receive it."""

    def __init__(self) -> None:
        self._outcomes: dict[bytes, tuple[int, Outcome | asyncio.Task[Outcome]]] = {}
        self._bytes = 0
        self.parsed = 0
        """Payloads taken apart since the start."""

    async def read(self, payload: bytes, *, received_ms: int) -> GexSnapshot:
        """The snapshot in a payload; ContractError for anything that is none, or too large."""
        if len(payload) > MOST_BYTES:  # before anything of it is kept
            raise ContractError(f"A snapshot of {len(payload):,} bytes is too large: {MOST_BYTES:,} are read.")
        since_ms, outcome = self._outcomes.get(payload, (0, None))
        if outcome is None or abs(received_ms - since_ms) > _SAME_WITHIN_MS:
            outcome = self._begin(payload, received_ms)
            self._keep(payload, received_ms, outcome)
        if isinstance(outcome, asyncio.Task):
            outcome = await asyncio.shield(outcome)
        if isinstance(outcome, ContractError):
            raise ContractError(str(outcome))
        return outcome

    def _begin(self, payload: bytes, received_ms: int) -> Outcome | asyncio.Task[Outcome]:
        self.parsed += 1
        if len(payload) <= _LARGE:
            return _parse(payload, received_ms)
        return asyncio.create_task(asyncio.to_thread(_parse, payload, received_ms), name="a large snapshot")

    def _keep(self, payload: bytes, received_ms: int, outcome: Outcome | asyncio.Task[Outcome]) -> None:
        stale = [key for key, (since_ms, _) in self._outcomes.items() if abs(received_ms - since_ms) > _SAME_WITHIN_MS]
        for key in stale:  # each is a quarter of a megabyte
            self._forget(key)
        self._outcomes[payload] = (received_ms, outcome)
        self._bytes += len(payload)
        while len(self._outcomes) > _KEPT or (self._bytes > _KEPT_BYTES and len(self._outcomes) > 1):
            self._forget(next(iter(self._outcomes)))

    def _forget(self, payload: bytes) -> None:
        del self._outcomes[payload]
        self._bytes -= len(payload)


def _parse(payload: bytes, received_ms: int) -> Outcome:
    try:
        with breaching(payload):
            return parse_snapshot(payload, received_ms=received_ms)
    except ContractError as error:
        return error
