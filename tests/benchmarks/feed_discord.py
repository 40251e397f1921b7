"""The local Discord of the feed's benchmark, in a process of its own: it notes every message and uses commands.

python -m tests.benchmarks.feed_discord CHANNELS [--silent]
"""

import argparse
import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.world.records import Change, Deed, MessageChange
from tests.support.asker import Asker

COMMANDS: Final = ("gex status", "gex levels", "feed status")
_COMMAND_EVERY_S: Final = 0.5
_SPOT: Final = re.compile(r"\b([5-9]\d{3})\.00\b")


@dataclass
class Seen:
    """What the local Discord saw of the bot.

    `writes` are its messages: channel, deed, instant, the price in it. `answers` are those to commands: the instant of
    the question, the command, the seconds that passed (None without an answer), and the answer's first line.
    """

    writes: list[tuple[int, str, float, int]] = field(default_factory=list)
    answers: list[tuple[float, str, float | None, str]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)


async def serve(count: int, *, silent: bool) -> None:
    """Until the standard input ends; then what was seen is printed."""
    seen = Seen()

    def note(change: Change) -> None:
        if isinstance(change, MessageChange) and change.message.ephemeral_for is None:
            found = _SPOT.search(change.message.content) if change.deed is not Deed.DELETE else None
            spot = int(found[1]) if found else 0
            seen.writes.append((change.message.channel_id, change.deed.name, time.monotonic(), spot))

    async with open_sandbox(channels=[f"board-{number}" for number in range(count)]) as sandbox:
        sandbox.world.listen(note)
        places = list(sandbox.channel_ids.values())
        head = {"api": sandbox.api_url, "gateway": sandbox.gateway_url, "token": sandbox.token, "channels": places}
        sys.stdout.write(json.dumps(head) + "\n")
        sys.stdout.flush()
        asking = asyncio.create_task(_ask(sandbox, seen, silent=silent), name="commands")
        await asyncio.to_thread(sys.stdin.read)
        asking.cancel()
        found = {"writes": seen.writes, "answers": seen.answers, **sandbox.traffic.summary}
        sys.stdout.write(json.dumps(found) + "\n")


async def _ask(sandbox: Sandbox, seen: Seen, *, silent: bool) -> None:
    """Each command in turn, in one channel after the other, however long the last one takes."""
    asker, places = Asker(sandbox), itertools.cycle(sandbox.channel_ids.values())
    if silent:
        return
    await asker.offered(COMMANDS[-1].split()[0])
    async with asyncio.TaskGroup() as group:
        for command, place in zip(itertools.cycle(COMMANDS), places, strict=False):
            group.create_task(_note_answer(asker, command, place, seen), name=command)
            await asyncio.sleep(_COMMAND_EVERY_S)


async def _note_answer(asker: Asker, command: str, place: int, seen: Seen) -> None:
    asked_s = time.monotonic()
    reply = await asker.ask(command, place)
    line = "" if reply is None else reply.text.partition("\n")[0]
    seen.answers.append((asked_s, command, None if reply is None else reply.after_s, line))


@asynccontextmanager
async def discord_elsewhere(count: int, *, silent: bool = False) -> AsyncIterator[tuple[dict[str, Any], Seen]]:
    """A local Discord in another process, `silent` without commands; what it saw is there after the block."""
    seen = Seen()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.feed_discord", str(count), *(["--silent"] if silent else [])),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 28,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield json.loads(await child.stdout.readline()), seen
    finally:
        child.stdin.close()
        found = json.loads(await child.stdout.readline())
        seen.writes = [tuple(row) for row in found["writes"]]
        seen.answers = [tuple(row) for row in found["answers"]]
        seen.statuses = found["statuses"]
        await child.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channels", type=int)
    parser.add_argument("--silent", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.channels, silent=arguments.silent))
