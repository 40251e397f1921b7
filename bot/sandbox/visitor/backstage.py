"""What goes on behind the page: gauges to read, levers that make trouble, and how long news stayed away after each.

The bot learns nothing of it: gauges read what the stand-ins count, and levers do what Discord, Schwab or a machine
would.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

from aiohttp import web

from bot.sandbox.rest.rest import json_response
from bot.sandbox.visitor.bodies import read_json
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Change, Deed, Json, MessageChange
from bot.sandbox.world.world import World

_TRIALS_KEPT: Final = 12
_LIVE_WITHIN_S: Final = 60.0
_NOT_FOUND, _CONFLICT = 404, 409


@dataclass(frozen=True, slots=True)
class GaugeLine:
    """A line of the panel. What `counts` only grows, and the page tells its rate."""

    name: str
    value: float | str
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Gauge:
    """Some lines under a title; `read` answers at once or says that there is nothing to read."""

    title: str
    read: Callable[[], Awaitable[Sequence[GaugeLine]]]


@dataclass(frozen=True, slots=True)
class Lever:
    """A button: trouble lasts while the context that `hold` gives is open, which is `lasts_s` seconds."""

    name: str
    label: str
    does: str
    hold: Callable[[], AbstractAsyncContextManager[None]]
    """What cannot be done is an ApiError of its entry, with a sentence for the person."""
    lasts_s: float = 0.0


@dataclass(slots=True)
class Trial:
    """A lever that was pulled, and when every channel that had been live had news again."""

    lever: Lever
    at: datetime
    ended_s: float | None = None
    silent: set[int] = field(default_factory=set)
    news_after_s: float | None = None

    def hear(self, channel_id: int, now_s: float) -> None:
        """A channel has news; the last one that was silent ends the trial."""
        if self.ended_s is not None and channel_id in self.silent:
            self.silent.discard(channel_id)
            if not self.silent:
                self.news_after_s = now_s - self.ended_s

    @property
    def told(self) -> Json:
        return {
            "name": self.lever.name,
            "label": self.lever.label,
            "at": self.at.isoformat(),
            "on": self.ended_s is None,
            "news_after_s": self.news_after_s,
        }


class Backstage:
    """The panel beside the messages."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._gauges: list[Gauge] = []
        self._levers: dict[str, Lever] = {}
        self._trials: deque[Trial] = deque(maxlen=_TRIALS_KEPT)
        self._news_s: dict[int, float] = {}
        self._let_go = asyncio.Event()
        self._lasting: set[asyncio.Task[None]] = set()
        world.listen(self._see)

    def add(self, *parts: Gauge | Lever) -> None:
        """Show more, below what is there."""
        for part in parts:
            if isinstance(part, Gauge):
                self._gauges.append(part)
            else:
                self._levers[part.name] = part

    async def facts(self) -> Json:
        """Everything the panel shows now."""
        rows = [[asdict(reading) for reading in await gauge.read()] for gauge in self._gauges]
        held = {trial.lever.name for trial in self._trials if trial.ended_s is None}
        return {
            "gauges": [{"title": gauge.title, "rows": lines} for gauge, lines in zip(self._gauges, rows, strict=True)],
            "levers": [_lever_json(lever, on=lever.name in held) for lever in self._levers.values()],
            "trials": [trial.told for trial in reversed(self._trials)],
        }

    async def pull(self, name: str) -> None:
        """Begin trouble that lasts as its lever says, or until all are let go; ApiError when it cannot begin."""
        lever = self._levers.get(name)
        if lever is None:
            raise ApiError(_NOT_FOUND, 0, "There is no such button.")
        if any(trial.lever is lever and trial.ended_s is None for trial in self._trials):
            raise ApiError(_CONFLICT, 0, "That is still going on.")
        trial, held = Trial(lever, self._world.clock.now()), AsyncExitStack()
        await held.enter_async_context(lever.hold())
        self._trials.append(trial)
        lasting = asyncio.create_task(self._see_through(trial, held, self._let_go), name=f"trouble: {name}")
        self._lasting.add(lasting)
        lasting.add_done_callback(self._lasting.discard)

    async def let_go(self) -> None:
        """End whatever lasts."""
        self._let_go.set()
        self._let_go = asyncio.Event()
        if self._lasting:
            await asyncio.wait(self._lasting)

    async def _see_through(self, trial: Trial, held: AsyncExitStack, let_go: asyncio.Event) -> None:
        async with held:
            try:
                async with asyncio.timeout(trial.lever.lasts_s):
                    await let_go.wait()
            except TimeoutError:
                pass  # it lasted as long as it was to
            finally:
                self._end(trial)

    def _end(self, trial: Trial) -> None:
        trial.ended_s = now_s = self._world.clock.monotonic()
        since_s = now_s - trial.lever.lasts_s - _LIVE_WITHIN_S
        trial.silent = {channel_id for channel_id, news_s in self._news_s.items() if news_s > since_s}

    def _see(self, change: Change) -> None:
        if not isinstance(change, MessageChange) or change.deed is Deed.DELETE:
            return
        message, world = change.message, self._world
        if message.author != world.bot or message.ephemeral_for is not None:
            return
        if world.channel(message.channel_id).recipient is None:
            now_s = self._news_s[message.channel_id] = world.clock.monotonic()
            for trial in self._trials:
                trial.hear(message.channel_id, now_s)

    async def ages(self) -> list[GaugeLine]:
        """How long ago each channel had news."""
        now_s, channels = self._world.clock.monotonic(), self._world.channels
        return [
            GaugeLine(f"#{channels[channel_id].name}", f"{now_s - news_s:.1f} s ago")
            for channel_id, news_s in sorted(self._news_s.items())
            if channel_id in channels
        ]


def _lever_json(lever: Lever, *, on: bool) -> Json:
    return {"name": lever.name, "label": lever.label, "does": lever.does, "lasts_s": lever.lasts_s, "on": on}


class BackstageRoutes:
    """The panel over the page's HTTP interface."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    def mount(self, app: web.Application) -> None:
        """Register the routes beside those of the page."""
        app.router.add_get("/api/page/backstage", self.facts)
        app.router.add_post("/api/page/trouble", self.trouble)

    async def facts(self, _request: web.Request) -> web.Response:
        """What the panel shows."""
        return json_response(await self._backstage.facts(), headers={"Cache-Control": "no-store"})

    async def trouble(self, request: web.Request) -> web.Response:
        """Pull the lever of a `name`, answered when the trouble has begun; without a name, end all trouble."""
        try:
            asked = await read_json(request)
            if "name" in asked:
                await self._backstage.pull(str(asked["name"]))
            else:
                await self._backstage.let_go()
        except ApiError as error:
            return json_response({"message": str(error)}, error.status)
        return json_response({})
