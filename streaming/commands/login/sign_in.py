"""`token login`: from the authorise URL to a stored login, by a local listener or by a pasted address."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Final

from streaming.errors import GexcordError, LoginRequiredError, RequestError, UnavailableError
from streaming.process.logs import Say
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.listener import LoginListener, open_login_listener
from streaming.schwab.login.oauth import CutShortError, LoginAttempt

_WAIT_S: Final = 600.0
_TRIES: Final = 3
_REST_WITHIN_S: Final = 0.5
"""The lines of one paste follow each other at once."""


async def sign_in(
    auth: SchwabAuthClient,
    callback_url: str,
    *,
    paste: bool,
    say: Say,
) -> None:
    """Have a person log in and store the result; RequestError when nobody does.

    Without `paste`, and where the callback's port is free on this machine, the redirect is caught there;
    else a person pastes the address on which the browser ended.
    """
    attempt = auth.begin_login()
    async with AsyncExitStack() as stack:
        listener = None if paste else await _listener(stack, callback_url, attempt.state, say)
        say("1. Open this address, sign in with the brokerage login, choose the accounts and allow the app:")
        say(f"   {attempt.url}")
        if listener is None:
            await _by_paste(auth, attempt, say)
        else:
            await auth.finish_login(attempt, await _caught(listener, say))


async def _listener(stack: AsyncExitStack, callback_url: str, state: str, say: Say) -> LoginListener | None:
    try:
        return await stack.enter_async_context(open_login_listener(callback_url, state=state))
    except UnavailableError as error:
        say(f"{error} The address must be pasted instead.")
        return None


async def _caught(listener: LoginListener, say: Say) -> str:
    say("2. The browser comes back to this machine and warns of its certificate, which was made just now: go on.")
    say("   A browser on another machine? Stop with Ctrl+C and use `python -m streaming token login --paste`.")
    return await listener.redirect(timeout_s=_WAIT_S)


async def _by_paste(auth: SchwabAuthClient, attempt: LoginAttempt, say: Say) -> None:
    """Three tries: a code lives for 30 seconds, and addresses are pasted in many shapes."""
    say("2. The browser ends on a page that does not load. Paste its whole address here within 30 seconds:")
    problem: GexcordError = RequestError("No address was pasted.", remedy="Run the command again in a terminal.")
    typing = _Typing()
    for left in reversed(range(_TRIES)):
        if not (line := await typing.line()):
            break
        try:
            if line.strip():
                return await _finish(auth, attempt, typing, line)
        except (RequestError, LoginRequiredError) as error:
            problem = error
        if left:
            say(f"   {problem.sentence}")
            say(f"   {left} more of {_TRIES} tries: open the address above anew, and paste where it ends:")
    raise problem


async def _finish(auth: SchwabAuthClient, attempt: LoginAttempt, typing: "_Typing", pasted: str) -> None:
    """Exchange an address; one that is cut short goes on in the next line where a line break came into it."""
    while True:
        try:
            await auth.finish_login(attempt, pasted)
        except CutShortError:
            if not (rest := await typing.rest()):
                raise
            pasted += rest
        else:
            return


class _Typing:
    """Lines of standard input; at a terminal Ctrl+C ends the waiting, which a reading thread would not notice."""

    def __init__(self) -> None:
        self._held = ""

    async def line(self, *, within_s: float | None = None) -> str:
        """The next line; empty at the end of the input, or at a terminal where none comes `within_s`."""
        held, self._held = self._held, ""
        if held:
            return held
        if not sys.stdin.isatty():
            return await asyncio.to_thread(_read_line)
        return _read_line() if await _typed(within_s) else ""

    async def rest(self) -> str:
        """What belongs to the line before, if anything; an address of its own is kept for `line`."""
        following = await self.line(within_s=_REST_WITHIN_S)
        if "://" in following:
            self._held = following
            return ""
        return following.strip()


async def _typed(within_s: float | None) -> bool:
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        async with asyncio.timeout(within_s):
            await typed.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(sys.stdin)
    return True


def _read_line() -> str:
    line: str = sys.stdin.readline()
    return line
