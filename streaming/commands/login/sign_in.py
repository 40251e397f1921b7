"""`token login`: from the authorise URL to a stored login, by a local listener or by a pasted address."""

import asyncio
import io
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
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
_QUIET_ZONE: Final = 2
_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
Browse = Callable[[str], bool]
"""Opens an address; False where that cannot be."""


async def sign_in(
    auth: SchwabAuthClient, callback_url: str, *, paste: bool, say: Say, columns: int = 0, browse: Browse | None = None
) -> None:
    """Have a person log in and store the result; RequestError when nobody does.

    Without `paste`, and where the callback's port is free on this machine, the redirect is caught there, and at a
    terminal an address may be pasted all the same; else a person pastes the address on which the browser ended. A
    terminal of enough `columns` shows a QR code too; `browse` opens a browser of this machine.
    """
    attempt = auth.begin_login()
    async with AsyncExitStack() as stack:
        listener = None if paste else await _listener(stack, callback_url, attempt.state, say)
        say("1. Open this address, sign in with the brokerage login, choose the accounts and allow the app:")
        say(f"   {attempt.url}")
        if (code := qr_code(attempt.url, columns)) is not None:
            say(code)
        if listener is None:
            say("2. The browser ends on a page that does not load. Paste its whole address here within 30 seconds:")
            await _by_paste(auth, attempt, say, _Typing())
            return
        if browse is not None and browse(attempt.url):
            say("   A browser on this machine opens it (unless you use --no-browser).")
        await _caught(auth, attempt, listener, say)


def qr_code(url: str, columns: int) -> str | None:
    """The address as light blocks on a dark terminal; None where the terminal is too narrow."""
    import segno

    code = segno.make(url, error="l", micro=False)
    if code.symbol_size(border=_QUIET_ZONE)[0] > columns:
        return None
    out = io.StringIO()
    code.terminal(out, border=_QUIET_ZONE, compact=True)
    return out.getvalue().rstrip("\n")


def browser_for(environment: Mapping[str, str], platform: str = sys.platform) -> Browse | None:
    """What opens a browser with a window of its own; None where there is no screen, as over SSH."""
    own_screen = platform in {"darwin", "win32"} or any(environment.get(name) for name in _SCREENS)
    return None if environment.get("SSH_CONNECTION") or not own_screen else webbrowser.open


async def _listener(stack: AsyncExitStack, callback_url: str, state: str, say: Say) -> LoginListener | None:
    try:
        return await stack.enter_async_context(open_login_listener(callback_url, state=state))
    except UnavailableError as error:
        say(f"{error} The address must be pasted instead.")
        return None


async def _caught(auth: SchwabAuthClient, attempt: LoginAttempt, listener: LoginListener, say: Say) -> None:
    say("2. The browser returns to this machine and warns about its certificate, which was made just now: continue.")
    if not sys.stdin.isatty() or sys.platform == "win32":  # whose loop cannot wait for keys
        say("   A browser on another machine? Stop with Ctrl+C and use `python -m streaming token login --paste`.")
        await auth.finish_login(attempt, await listener.redirect(timeout_s=_WAIT_S))
        return
    say("   On a phone or another machine it ends on a page that does not load: paste that page's address here.")
    await _by_paste(auth, attempt, say, _Typing(lambda: listener.redirect(timeout_s=_WAIT_S)))


async def _by_paste(auth: SchwabAuthClient, attempt: LoginAttempt, say: Say, typing: "_Typing") -> None:
    """Three tries: a code lives for 30 seconds, and addresses are pasted in many shapes."""
    problem: GexcordError = RequestError("No address was pasted.", remedy="Run the command again in a terminal.")
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
            say(f"   {left} more of {_TRIES} tries: open the address above again, and paste where it ends:")
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
    """Lines of standard input; at a terminal Ctrl+C ends the waiting, which a reading thread would not notice.

    What `instead` gives, if it comes first, stands for the line.
    """

    def __init__(self, instead: Callable[[], Awaitable[str]] | None = None) -> None:
        self._held = ""
        self._instead = instead

    async def line(self, *, within_s: float | None = None) -> str:
        """The next line; empty at the end of the input, or at a terminal where none comes `within_s`."""
        held, self._held = self._held, ""
        if held:
            return held
        if not sys.stdin.isatty():
            return await asyncio.to_thread(_read_line)
        if self._instead is not None and within_s is None:
            return await _first_of(self._instead())
        return _read_line() if await _typed(within_s) else ""

    async def rest(self) -> str:
        """What belongs to the line before, if anything; an address of its own is kept for `line`."""
        following = await self.line(within_s=_REST_WITHIN_S)
        if "://" in following:
            self._held = following
            return ""
        return following.strip()


async def _first_of(other: Awaitable[str]) -> str:
    """A typed line, or what comes before one."""
    tasks = asyncio.ensure_future(other), asyncio.ensure_future(_typed(None))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else _read_line()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


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
