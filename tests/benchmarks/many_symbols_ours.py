"""The streamer in a process of its own, for `many_symbols`: what `python -m streaming start` runs, without tickers.

The first line of standard input is a JSON object: the simulator's `url` and `clock`, the `token` file, `redis` and the
`symbols`. Prints a line of JSON ten times a second: `connects`, whether the session has `settled`, how many `requests`
it has made, how many symbols were `heard` over this connection, and the longest that one callback `held` the event loop
since the last line, in microseconds by the wall and of the processor. Each further line of input is answered by a line
with what `/stream status` and `/stream symbols list` would show.
"""

import asyncio
import gc
import json
import logging
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from streaming.clock import ShiftedClock, instant_of
from streaming.settings import StreamSettings
from streaming.status import SymbolList
from streaming.streamer.runtime import open_runtime
from streaming.streamer.streamer import Streamer
from tests.benchmarks.stream_ours import LoopWatch

_TELL_S = 0.1


def _told(streamer: Streamer, watch: LoopWatch) -> Mapping[str, object]:
    client = None if streamer._parts is None else streamer._parts.client
    connection = None if client is None else client._connection
    told = {"connects": 0 if client is None else client._counters.connects, "held": watch.take()}
    if connection is not None:
        told["settled"] = connection._session.settled
        told["requests"] = connection._session._last_id
        told["heard"] = len(connection._watch.arrived_s)
    return told


async def _tell(streamer: Streamer, watch: LoopWatch) -> None:
    while True:
        print(json.dumps(_told(streamer, watch)), flush=True)
        await asyncio.sleep(_TELL_S)


async def _answer(streamer: Streamer, symbols: Sequence[str]) -> None:
    """Show what an operator would see; the bot's rooms are only imported now, for their memory is not the stream's."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        from bot.render.operations import stream_text, symbols_text

        status = streamer.status()
        shown = [
            stream_text(status, streamer._runtime.clock.now()),
            symbols_text(SymbolList(configured=tuple(symbols)), status),
        ]
        left_out = {service: len(names) for service, names in status.left_out.items()}
        print(json.dumps({"shown": shown, "left_out": left_out}), flush=True)


async def _stream(order: Mapping[str, Any]) -> None:
    start_ms, began_s = order["clock"]
    clock = ShiftedClock(instant_of(start_ms), began_s=began_s)
    settings = StreamSettings(
        _env_file=None,
        schwab_client_id=SecretStr("id"),
        schwab_client_secret=SecretStr("secret"),
        schwab_api_url=order["url"],
        schwab_symbols=tuple(order["symbols"]),
        schwab_token_path=Path(order["token"]),
        redis_url=order["redis"],
        redis_events=tuple(order["events"]),
    )
    watch = LoopWatch()
    async with open_runtime(settings, clock, tell=lambda _line: None) as runtime:
        streamer = Streamer(runtime, (), rng=random.Random(1), tell=logging.getLogger(__name__).warning)
        gc.freeze()  # as the program does once it has started
        watch.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(streamer.run(lambda: None), name="streamer")
            group.create_task(_tell(streamer, watch), name="tell")
            group.create_task(_answer(streamer, order["symbols"]), name="answer")


def main() -> None:
    order = json.loads(sys.stdin.buffer.raw.readline())  # no byte more: the rest is read without blocking
    with suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_stream(order))


if __name__ == "__main__":
    main()
