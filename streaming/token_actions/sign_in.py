"""`token login`: from the authorise URL to a stored login, by a local listener or by a pasted address."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Final

from streaming.errors import RequestError, UnavailableError
from streaming.schwab.auth_client import SchwabAuthClient
from streaming.schwab.login_listener import LoginListener, open_login_listener
from streaming.token_actions.report import Say

_WAIT_S: Final = 600.0


async def sign_in(
    auth: SchwabAuthClient,
    callback_url: str,
    *,
    paste: bool,
    say: Say,
    wait_s: float = _WAIT_S,
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
        redirect = await (_pasted(say) if listener is None else _caught(listener, say, wait_s))
        await auth.finish_login(attempt, redirect)


async def _listener(stack: AsyncExitStack, callback_url: str, state: str, say: Say) -> LoginListener | None:
    try:
        return await stack.enter_async_context(open_login_listener(callback_url, state=state))
    except UnavailableError as error:
        say(f"{error} The address must be pasted instead.")
        return None


async def _caught(listener: LoginListener, say: Say, wait_s: float) -> str:
    say("2. The browser comes back to this machine and warns of its certificate, which was made just now: go on.")
    say("   A browser on another machine? Stop with Ctrl+C and use `python -m streaming token login --paste`.")
    return await listener.redirect(timeout_s=wait_s)


async def _pasted(say: Say) -> str:
    say("2. The browser ends on a page that does not load. Paste its whole address here within 30 seconds:")
    pasted = (await _typed_line()).strip()
    if not pasted:
        raise RequestError("No address was pasted.", remedy="Run the command again in a terminal.")
    return pasted


async def _typed_line() -> str:
    """A line of standard input; at a terminal Ctrl+C ends the waiting, which a reading thread would not notice."""
    if not sys.stdin.isatty():
        return await asyncio.to_thread(_read_line)
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return _read_line()


def _read_line() -> str:
    line: str = sys.stdin.readline()
    return line
