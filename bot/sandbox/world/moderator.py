"""A moderator who deletes what the bot posts, as people and other bots do."""

import asyncio
from dataclasses import dataclass, field

from bot.sandbox.world.changes import Change, MessageCreated
from bot.sandbox.world.records import Message
from bot.sandbox.world.world import World


@dataclass(slots=True)
class _Watch:
    left: float
    after_s: float


@dataclass(slots=True)
class Moderator:
    """Deletes the next posts of the bot in watched channels, each a moment after it came."""

    world: World
    _watches: dict[int, _Watch] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.world.listen(self._see)

    def watch(self, channel_id: int, count: float, after_s: float) -> None:
        """Delete the next `count` messages of the bot in a channel, each `after_s` seconds after it came."""
        self._watches[channel_id] = _Watch(count, after_s)

    def rest(self) -> None:
        """Watch nothing any more and forget what was about to be deleted."""
        self._watches.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _see(self, change: Change) -> None:
        if not isinstance(change, MessageCreated) or change.message.author != self.world.bot:
            return
        watch = self._watches.get(change.message.channel_id)
        if watch is not None and watch.left > 0:
            watch.left -= 1
            self._timers.add(asyncio.get_running_loop().call_later(watch.after_s, self._delete, change.message))

    def _delete(self, message: Message) -> None:
        channel = self.world.channels.get(message.channel_id)
        if channel is not None and channel.messages.get(message.id) is message:
            self.world.remove(message)
