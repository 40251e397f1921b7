"""Who may hand an order to the engine process, and when."""

import asyncio

import pytest

from streaming.engine import engine_host
from streaming.engine.engine_host import OrderGate


class Orders:
    """Orders that each last until `end` names them; `begun` says in which order they got their turns."""

    def __init__(self) -> None:
        self.turns = OrderGate()
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def give(self, *names: str) -> None:
        """Chains have small letters, questions capitals."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._carry_out(name)))
        await settled()

    async def _carry_out(self, name: str) -> None:
        async with self.turns.to_load() if name.islower() else self.turns.to_ask():
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def all(self) -> None:
        for name in self._ends:
            await self.end(name)
        await asyncio.gather(*self._tasks)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_asked_goes_before_the_chains_that_are_queued():
    orders = Orders()
    await orders.give("a", "b", "c")
    assert orders.begun == ["a"]
    await orders.give("A", "B")
    assert orders.begun == ["a", "A", "B"]
    await orders.end("a")
    assert orders.begun == ["a", "A", "B"], "chains wait until all is answered"
    await orders.end("A")
    await orders.end("B")
    assert orders.begun == ["a", "A", "B", "b"]
    await orders.give("C")
    await orders.end("b")
    assert orders.begun[4:] == ["C"]
    await orders.all()
    assert orders.begun[5:] == ["c"]


async def test_a_chain_waits_for_what_is_expected_and_no_longer():
    orders = Orders()
    orders.turns.expect(0.01)
    await orders.give("a", "A")
    assert orders.begun == ["A"]
    await orders.end("A")
    assert orders.begun == ["A"], "more may be asked still"
    await asyncio.sleep(0.015)
    await settled()
    assert orders.begun == ["A", "a"]
    await orders.all()


async def test_a_chain_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_host, "_PATIENCE_S", 0.01)
    orders = Orders()
    await orders.give("A", "a")
    assert orders.begun == ["A"]
    async with asyncio.timeout(5):
        while orders.begun != ["A", "a"]:
            await asyncio.sleep(0.005)
    await orders.all()


async def test_a_turn_that_ends_in_an_error_is_over():
    orders = Orders()
    for turn in (orders.turns.to_ask, orders.turns.to_load):
        with pytest.raises(ValueError, match="broken"):
            async with turn():
                raise ValueError("broken")
    await orders.give("a")
    assert orders.begun == ["a"]
    await orders.all()
