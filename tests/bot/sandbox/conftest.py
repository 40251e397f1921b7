"""A running local Discord and two people who look at its page."""

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.local_discord import Sandbox, open_sandbox
from tests.support.wire import Visitor, visit


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox(answer_within_s=0.6) as running:
        yield running


@pytest.fixture
async def owner(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "owner") as visitor:
        yield visitor


@pytest.fixture
async def guest(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "guest") as visitor:
        yield visitor
