"""`python -m streaming sim`: a local Schwab for other programs to talk to (specs/simulator.md)."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from streaming.clock import Clock, ShiftedClock, SystemClock
from streaming.process.logs import Say, say
from streaming.sim.prices.hours import simulated_start
from streaming.sim.prices.instruments import MOST_PLAIN_SHARES

if TYPE_CHECKING:
    from streaming.sim.world.market import Market

APP_KEY: Final = "SimulatedAppKey00000000000000000"
APP_SECRET: Final = "SimulatedSecret0"  # noqa: S105 - opens nothing but the simulator
"""As long as Schwab's, since some clients check that."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("sim", help="serve a local Schwab with a simulated market")
    command.add_argument("--port", type=int, default=0, metavar="N", help="port on loopback; 0 takes a free one")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same market")
    command.add_argument("--chain", type=Path, default=None, metavar="FILE", help="start from this option chain")
    command.add_argument(
        "--always-open", action="store_true", help="trade at any hour; without a chain, in the machine's own time"
    )
    command.add_argument(
        "--shares",
        type=_shares,
        default=0,
        metavar="N",
        help="so many more shares, without options, named QAAA, QAAB, …",
    )
    command.set_defaults(func=run)


def _shares(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number <= MOST_PLAIN_SHARES:
        raise argparse.ArgumentTypeError(f"must be a number up to {MOST_PLAIN_SHARES:,}")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; RequestError for a chain that cannot be read, UnavailableError for a taken port."""
    clock, market = build(
        chain=arguments.chain,
        seed=arguments.seed,
        always_open=arguments.always_open,
        now=datetime.now(UTC),
        shares=arguments.shares,
    )
    return asyncio.run(serve(market, clock, port=arguments.port, say=say))


def build(
    *, chain: Path | None, seed: int, always_open: bool, now: datetime, shares: int = 0
) -> "tuple[Clock, Market]":
    """The market and the clock that moves it.

    A chain's market begins at its quote time, a made-up one at 10:30 of a session; one that is always open
    runs in real time, so that it fits programs that do.
    """
    from streaming.chains.files.chain_files import load_chain
    from streaming.sim.world.market import Market

    if chain is not None:
        real = load_chain(chain)
        return ShiftedClock(real.asof), Market.from_chain(real, seed=seed, always_open=always_open, shares=shares)
    clock = SystemClock() if always_open else ShiftedClock(simulated_start(now))
    return clock, Market.generate(start_at=clock.now(), seed=seed, always_open=always_open, shares=shares)


async def serve(market: "Market", clock: Clock, *, port: int, say: Say) -> int:
    """Serve until interrupted; says where, and with which app key and secret."""
    from streaming.sim.local_schwab import open_sim

    async with open_sim(
        market, clock, port=port, client_id=APP_KEY, client_secret=APP_SECRET, login_clock=SystemClock()
    ) as sim:
        say(f"Simulated Schwab: {sim.url}")
        say(f"SCHWAB_API_URL={sim.url} SCHWAB_CLIENT_ID={APP_KEY} SCHWAB_CLIENT_SECRET={APP_SECRET}")
        say(f"Faults and facts: {sim.url}/sim/control")
        if not market.is_open:
            say("The market is closed; `--always-open` lets it trade.")
        await asyncio.Event().wait()
    return 0
