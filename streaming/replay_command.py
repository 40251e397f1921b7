"""`python -m streaming replay`: captured frames through the real session and publisher into Redis."""

from collections.abc import Callable
from pathlib import Path

from streaming.bus.publisher import TradingEventPublisher
from streaming.clock import SystemClock
from streaming.runtime import open_bus
from streaming.settings import StreamSettings
from streaming.sources.replay import replay_frames


async def replay(settings: StreamSettings, file: str, speed: float, *, say: Callable[[str], None]) -> int:
    """Replay one file and say what was published. RequestError when the file holds no frames."""
    async with (
        open_bus(settings, announce=say) as (redis, _),
        TradingEventPublisher(redis) as publisher,
    ):
        report = await replay_frames(Path(file), speed=speed, sink=publisher, clock=SystemClock())
        say(f"{report.frames} frames, {report.events} events, {report.malformed} malformed lines")
    return 0
