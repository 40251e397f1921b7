"""The demo's surroundings, its page first: a local Discord that answers while the rest is still being imported.

So nothing heavy is imported at the top of this module, nor of what it stands on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.sandbox.local_discord import open_sandbox

if TYPE_CHECKING:
    from bot.demo_market import Demo
    from streaming.option_chain import OptionChain
    from streaming.ports import Tell

_USUAL: Final = ("SPX", "NDX")
_HEAVY: Final = ("bot.serve", "bot.demo_market")


@asynccontextmanager
async def open_demo(*, chain_path: Path | None, port: int, seed: int, tell: "Tell") -> AsyncIterator["Demo"]:
    """Open Discord, market and Schwab on loopback, tell the page's address, and yield what the bot needs.

    Raises RequestError when `chain_path` is not a readable option chain.
    """
    chain = None if chain_path is None else _load(chain_path)
    tickers = _tickers(chain)
    async with open_sandbox(port=port, channels=[f"gex-{ticker.lower()}" for ticker in tickers]) as sandbox:
        tell(f"Open {sandbox.page_url} in a browser (Ctrl+C ends the demo).")
        await asyncio.to_thread(_import_the_rest)
        from bot.demo_market import open_market

        async with open_market(sandbox, chain, tickers, seed=seed) as demo:
            tell(f"For other programs: {demo.api_line}")
            yield demo


def _import_the_rest() -> None:
    """In a thread, so that the page answers meanwhile."""
    for name in _HEAVY:
        import_module(name)


def _load(path: Path) -> "OptionChain":
    from streaming.chains.files.chain_files import load_chain

    return load_chain(path)


def _tickers(chain: "OptionChain | None") -> tuple[str, ...]:
    """The demo's two channels: SPX and NDX, or the real chain's ticker first and one of them beside it."""
    if chain is None:
        return _USUAL
    return (chain.ticker, "NDX" if chain.ticker == "SPX" else "SPX")
