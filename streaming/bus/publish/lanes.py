"""The publisher's side of a Redis Cluster: a delivery for each stream, since each may be on another server.

Each keeps the order of its own stream; what stands in one stream's way keeps the next batch of all of them waiting.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from streaming.bus.cluster import is_cluster
from streaming.bus.events import KINDS
from streaming.bus.lease import Fence, LeaseLostError
from streaming.bus.publish.buffer import Entry
from streaming.bus.publish.delivery import BatchDelivery
from streaming.bus.publish.stream_budget import StreamBudget


@dataclass(frozen=True, slots=True)
class _LaneBudget:
    """One stream's part of the budget of all."""

    budget: StreamBudget
    number: int

    @property
    def caps(self) -> Sequence[int]:
        return (self.budget.caps[self.number],)

    def caps_for(self, entries: Sequence[Entry]) -> Sequence[int]:
        numbered = [(place, self.number, payload) for place, _, payload in entries]
        return (self.budget.caps_for(numbered)[self.number],)


class LaneDelivery:
    """What a `BatchDelivery` is to one server, to all that own a stream."""

    def __init__(self, redis: Redis, *, budget: StreamBudget | None, answer_s: float) -> None:
        budgets = [None if budget is None else _LaneBudget(budget, number) for number in range(len(KINDS))]
        self._lanes = [
            BatchDelivery(redis, budget=own, answer_s=answer_s, kinds=(kind,))
            for own, kind in zip(budgets, KINDS, strict=True)
        ]

    @property
    def pending(self) -> Sequence[Entry]:
        """What is not settled, stream by stream."""
        return [entry for lane in self._lanes for entry in lane.pending]

    @pending.setter
    def pending(self, entries: Sequence[Entry]) -> None:
        for number, lane in enumerate(self._lanes):
            lane.pending = [(place, 0, payload) for place, kind, payload in entries if kind == number]

    @property
    def waiting(self) -> int:
        """Events that are not acknowledged."""
        return sum(lane.waiting for lane in self._lanes)

    @property
    def held(self) -> int:
        """Events that are executed and that no copy has confirmed yet."""
        return sum(lane.held for lane in self._lanes)

    @property
    def connected(self) -> bool:
        """Whether any connection is open."""
        return any(lane.connected for lane in self._lanes)

    @property
    def delivered(self) -> int:
        """Events acknowledged."""
        return sum(lane.delivered for lane in self._lanes)

    @property
    def rejected(self) -> int:
        """Events refused for good."""
        return sum(lane.rejected for lane in self._lanes)

    @property
    def fenced(self) -> int:
        """Withheld because another process now holds the lease."""
        return sum(lane.fenced for lane in self._lanes)

    @property
    def resent(self) -> int:
        """Published again because nobody knows whether subscribers had them already."""
        return sum(lane.resent for lane in self._lanes)

    @property
    def unacknowledged(self) -> int:
        """Executed and given up before any copy confirmed them."""
        return sum(lane.unacknowledged for lane in self._lanes)

    @property
    def connects(self) -> int:
        """Connections made, beyond the first of each stream counted as one."""
        return max(sum(lane.connects for lane in self._lanes) - len(self._lanes) + 1, 0)

    def put_up(self, fence: Fence | None) -> None:
        """From now on send only what the holder of this lease may; None for what needs none."""
        for lane in self._lanes:
            lane.put_up(fence)

    def give_up(self) -> int:
        """Forget what is pending, which another process has sent by now; how many events that were."""
        return sum(lane.give_up() for lane in self._lanes)

    async def flush(self) -> None:
        """Send all that is pending; TransientError or LeaseLostError of any stream once all have been tried."""
        outcomes = await asyncio.gather(*(lane.flush() for lane in self._lanes), return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if errors:
            raise next((error for error in errors if isinstance(error, LeaseLostError)), errors[0])

    async def disconnect(self) -> None:
        """Drop all connections; what is pending stays."""
        for lane in self._lanes:
            await lane.disconnect()


Delivery = BatchDelivery | LaneDelivery


def delivery_for(redis: Redis, *, budget: StreamBudget | None, answer_s: float) -> Delivery:
    """What brings batches to this Redis."""
    kind = LaneDelivery if is_cluster(redis) else BatchDelivery
    return kind(redis, budget=budget, answer_s=answer_s)
