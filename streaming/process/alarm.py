"""Alarms for people who are told in their own way: a shell command, or a webhook."""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from contextlib import suppress
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.addresses import is_web_address
from streaming.clock import Clock
from streaming.ports import Progress, Tell
from streaming.process.http_bodies import open_client

_LOG: Final = logging.getLogger(__name__)
VARIABLE: Final = "GEXCORD_ALARM"
_KEPT: Final = ("PATH", "HOME", "LANG", "USER", "TMPDIR")
"""What a command gets of our environment, which may hold secrets."""
_WITHIN_S: Final = 30.0
_PAUSES_S: Final = (2.0, 15.0, 120.0)
_REPEAT_AFTER_S: Final = 3600.0
_MOST_WAITING: Final = 50


class AlarmBell:
    """Rings for each sentence once an hour at most, one after another, in the order in which they came.

    `order` is a command for the shell or the address of a webhook; without one nothing is ever rung.
    """

    def __init__(self, order: SecretStr | None, clock: Clock) -> None:
        self._order = None if order is None else order.get_secret_value()
        self._clock = clock
        self._waiting: deque[str] = deque(maxlen=_MOST_WAITING)
        self._rung_s: dict[str, float] = {}
        self._news = asyncio.Event()

    def ring(self, sentence: str) -> None:
        """Have a sentence told; returns at once."""
        now_s = self._clock.monotonic()
        self._rung_s = {text: at_s for text, at_s in self._rung_s.items() if now_s - at_s < _REPEAT_AFTER_S}
        if self._order is None or sentence in self._rung_s:
            return
        self._rung_s[sentence] = now_s
        if len(self._waiting) == _MOST_WAITING:
            _LOG.warning("ON_ALARM is %d sentences behind; never told: %s", _MOST_WAITING, self._waiting[0])
        self._waiting.append(sentence)
        self._news.set()

    def beside(self, tell: Tell) -> Tell:
        """Tells in the given way, and rings."""

        def both(sentence: str) -> None:
            tell(sentence)
            self.ring(sentence)

        return both

    async def run(self, progress: Progress) -> None:
        """Tell what was rung for, until cancelled; what cannot be told is tried four times and then logged."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._tell(self._waiting.popleft())
                progress()

    async def _tell(self, sentence: str) -> None:
        assert self._order is not None  # noqa: S101  # else nothing waits
        tell = _post if is_web_address(self._order) else _run
        for pause_s in (*_PAUSES_S, None):
            if (trouble := await tell(self._order, sentence)) is None:
                return
            if pause_s is None:
                _LOG.error("ON_ALARM could not tell anybody (%s): %s", trouble, sentence)
            else:
                await self._clock.sleep(pause_s)


async def _post(url: str, sentence: str) -> str | None:
    """Why the webhook did not take it, without its address, which may be a secret; None when it did."""
    try:
        async with open_client(timeout_s=_WITHIN_S) as http, asyncio.timeout(_WITHIN_S):
            answer = await http.post(url, json={"text": sentence, "content": sentence})
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return type(error).__name__
    return None if answer.is_success else f"HTTP {answer.status_code}"


async def _run(command: str, sentence: str) -> str | None:
    """Why the command failed, or None. The sentence is no part of it: nothing in it can be taken for a command."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {VARIABLE: sentence}
    try:
        process = await asyncio.create_subprocess_shell(
            command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=environment, start_new_session=True
        )
    except OSError as error:
        return error.strerror or type(error).__name__
    try:
        async with asyncio.timeout(_WITHIN_S):
            await process.communicate(f"{sentence}\n".encode())
    except TimeoutError:
        return f"the command took longer than {_WITHIN_S:.0f} s"
    finally:
        with suppress(ProcessLookupError):  # it has ended, and so has what it started
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return None if process.returncode == 0 else f"the command ended with {process.returncode}"
