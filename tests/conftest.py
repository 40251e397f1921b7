"""Fixtures every room of the test tree may use."""

import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
from hypothesis import settings
from redis.asyncio import Redis

from streaming.bus.redis_connection import open_redis
from tests.support.captured import CAPTURED
from tests.support.redis_server import plain_redis

# a slow machine is no wrong answer, and the same commit must pass or fail twice alike; the fuzzer is what explores
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
# folders that need what a fresh clone of an ordinary user does not have; nothing of them is reported as skipped
collect_ignore = [
    folder for folder, there in (("captured", CAPTURED.is_dir()), ("as_root", os.geteuid() == 0)) if not there
]


LONG: Final = ("fuzz", "e2e", "conformance", "third_party")
"""Folders whose files take minutes of waiting, the longest first: begun before the others, they are over in time."""


gc.disable()
"""Until all tests are found: they stay, so looking through them for garbage was a quarter of the collection."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    gc.freeze()
    gc.enable()
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.path.parts), len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Programs that tests start must hear SIGINT, even when the run itself was started deaf to it in a background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A program that a test runs in this process sets up the log; the next test finds it as it was."""
    before = {logger: logger.level for logger in _loggers()}
    yield
    logging.captureWarnings(capture=False)
    for logger in _loggers():
        logger.setLevel(before.get(logger, logging.NOTSET))
        for handler in [own for own in logger.handlers if type(own).__module__ == "streaming.process.logs"]:
            logger.removeHandler(handler)


def _loggers() -> list[logging.Logger]:
    named = [known for known in logging.root.manager.loggerDict.values() if isinstance(known, logging.Logger)]
    return [logging.root, *named]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real server on loopback for the whole run; do not kill it, `embedded_redis()` is for that."""
    with plain_redis(tmp_path_factory.mktemp("redis")) as (url, _):
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the session's server, emptied for this test."""
    async with open_redis(redis_url) as client:
        await client.flushall()
        yield client
