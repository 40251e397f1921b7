"""The process of the demo's stand-ins: `python -m bot.demo`, told by its input, until that closes.

The page comes first, so the market and what it needs are imported last.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bot.demo.stand_in_process import CLIENT_ID, CLIENT_SECRET, Answer, Bots, Places, Refused, SignedIn, StandInOrder
from bot.sandbox.local_discord import Sandbox, open_sandbox
from streaming.clock import ShiftedClock
from streaming.errors import RequestError, UnavailableError
from streaming.process.framing import FrameReader, frame, take_pipes
from streaming.process.loopback import LoopbackPort, loopback_port
from streaming.sim.prices.hours import simulated_start

if TYPE_CHECKING:
    from bot.demo.machinery import Machinery
    from streaming.option_chain import OptionChain
    from streaming.sim.sim_server import SimServer
    from streaming.sim.world.market import Market

Say = Callable[[Answer], None]
_USUAL: Final = ("SPX", "NDX")


def main() -> None:
    """Make what is ordered, and serve it."""
    pipe, answers = take_pipes()

    def say(answer: Answer) -> None:
        answers.write(frame(msgspec.msgpack.encode(answer)))
        answers.flush()

    if (body := pipe.read()) is None:
        return
    try:
        asyncio.run(serve(msgspec.msgpack.decode(body, type=StandInOrder), pipe, say))
    except (RequestError, UnavailableError) as error:
        say(Refused(isinstance(error, RequestError), str(error), error.remedy))


async def serve(order: StandInOrder, pipe: FrameReader, say: Say) -> None:
    """Until the pipe closes. RequestError for a file that is no chain, UnavailableError for a port that is taken."""
    chain = None if order.chain is None else _load(Path(order.chain))
    clock = ShiftedClock(simulated_start(datetime.now(UTC)) if chain is None else chain.asof)
    channels = {ticker: f"gex-{ticker.lower()}" for ticker in _tickers(chain)}
    async with (
        loopback_port(0, whose="the local Schwab") as place,
        open_sandbox(port=order.port, channels=tuple(channels.values())) as sandbox,
    ):
        ids = {ticker: sandbox.channel_ids[name] for ticker, name in channels.items()}
        say(_places(sandbox, ids, place, clock))
        market = await asyncio.to_thread(_market, chain, clock.now(), order.seed)
        async with _schwab(place, clock, market) as sim:
            say(SignedIn(msgspec.json.encode(sim.issue_token())))
            machinery = _machinery(sandbox, sim, two=order.two)
            gc.freeze()
            gc.enable()
            while (body := await asyncio.to_thread(pipe.read)) is not None:
                machinery.bots = msgspec.msgpack.decode(body, type=Bots)


def _load(path: Path) -> "OptionChain":
    from streaming.chains.files.chain_files import load_chain

    return load_chain(path)


def _tickers(chain: "OptionChain | None") -> tuple[str, ...]:
    """The demo's two channels: SPX and NDX, or the real chain's ticker first and one of them beside it."""
    if chain is None:
        return _USUAL
    return (chain.ticker, "NDX" if chain.ticker == "SPX" else "SPX")


def _places(sandbox: Sandbox, channel_ids: dict[str, int], schwab: LoopbackPort, clock: ShiftedClock) -> Places:
    return Places(
        page_url=sandbox.page_url,
        api_url=sandbox.api_url,
        gateway_url=sandbox.gateway_url,
        bot_token=sandbox.token,
        owner_id=sandbox.owner_id,
        channel_ids=channel_ids,
        schwab_url=f"http://{schwab.address}",
        start_at=clock.start_at,
        began_s=clock.began_s,
    )


def _market(chain: "OptionChain | None", start_at: datetime, seed: int) -> "Market":
    """In a thread, with all that is imported for it and for Schwab, so that the page answers meanwhile."""
    import_module("streaming.sim.local_schwab")
    from streaming.sim.world.market import Market

    if chain is not None:
        return Market.from_chain(chain, seed=seed)
    return Market.generate(start_at=start_at, seed=seed, always_open=True)


@asynccontextmanager
async def _schwab(place: LoopbackPort, clock: ShiftedClock, market: "Market") -> AsyncIterator["SimServer"]:
    """Serve the market."""
    from streaming.sim.local_schwab import open_sim

    async with open_sim(market, clock, place=place, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as sim:
        yield sim


def _machinery(sandbox: Sandbox, sim: "SimServer", *, two: bool) -> "Machinery":
    """Let the panel tell of more than Discord; gives what is to know of the bots."""
    from bot.demo.machinery import Machinery, machine_parts, schwab_parts

    machinery = Machinery()
    sandbox.backstage.add(*schwab_parts(sim), *machine_parts(machinery, two=two))
    return machinery
