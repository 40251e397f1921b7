"""Gateway events one by one: an odd one costs only itself, and what may have mended a place is passed on."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any, Final

import discord

log = logging.getLogger(__name__)

OnPlaceChanged = Callable[[int | None], None]
"""Takes the id of a channel or thread of which something changed, or None when it may have been any."""
Parser = Callable[[Any], None]

_ESSENTIAL: Final = "READY"
"""Without it there is no session to go on with."""
_OF_ONE_CHANNEL: Final = frozenset({"CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"})
_OF_A_SERVER: Final = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"})
_MEMBER: Final = "GUILD_MEMBER_UPDATE"
_THREADS_IN_SIGHT: Final = "THREAD_LIST_SYNC"
"""Sent when the bot begins to see a channel, with the threads in it."""
_MOST_KINDS: Final = 100
_LONGEST_ID: Final = 20
_WITH_THREADS: Final = (discord.TextChannel, discord.ForumChannel)


class GatewayEvents:
    """Stands between the gateway and discord.py's readers of events."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._callbacks: list[OnPlaceChanged] = []
        self._kinds: set[tuple[str, str]] = set()
        self.unread = 0
        """Events that discord.py could not read, since the start."""

    def on_place_changed(self, callback: OnPlaceChanged) -> None:
        """Have a change of channels, threads, roles or the bot's own membership told, whether or not it mends anything.

        The callback is called between two events, so it only takes note; what it raises is logged.
        """
        self._callbacks.append(callback)

    def guarded(self, parsers: Mapping[str, Parser]) -> dict[str, Parser]:
        """The same readers, each unable to end the connection over an event that lacks what it looks for."""
        return {name: partial(self._read, name, parser) for name, parser in parsers.items()}

    def _read(self, name: str, parser: Parser, data: Any) -> None:
        try:
            parser(data)
        except Exception as error:
            if name == _ESSENTIAL:
                raise
            self._note(name, error)
        self._pass_on(name, data)

    def _note(self, name: str, error: Exception) -> None:
        """One line for each kind of trouble, without the event's own words; repeats are only counted."""
        self.unread += 1
        kind = (name, type(error).__name__)
        level = logging.DEBUG if kind in self._kinds or len(self._kinds) >= _MOST_KINDS else logging.WARNING
        self._kinds.add(kind)
        log.log(level, "a gateway event %s cannot be read and is skipped (%s in %s)", *kind, place_in_code(error))

    def _pass_on(self, name: str, data: Any) -> None:
        if not self._callbacks:
            return
        for channel_id in self._places(name, data):
            for callback in self._callbacks:
                try:
                    callback(channel_id)
                except Exception:  # whoever listens must not end the connection
                    log.exception("a change of a place could not be passed on")

    def _places(self, name: str, data: Any) -> Iterator[int | None]:
        user = self._client.user
        if name in _OF_A_SERVER or (name == _MEMBER and user is not None and _id_in(data, "user", "id") == user.id):
            yield None
        elif name in _OF_ONE_CHANNEL and (channel_id := _id_in(data, "id")) is not None:
            yield channel_id
            yield from self._threads_of(channel_id)
        elif name == _THREADS_IN_SIGHT:
            yield from (found for thread in _threads(data) if (found := _id_in(thread, "id")) is not None)

    def _threads_of(self, channel_id: int) -> Iterable[int]:
        """A thread has the overwrites of the channel it is in."""
        channel = self._client.get_channel(channel_id)
        return (thread.id for thread in channel.threads) if isinstance(channel, _WITH_THREADS) else ()


def _id_in(data: Any, *path: str) -> int | None:
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return int(data) if isinstance(data, str) and data.isdecimal() and len(data) <= _LONGEST_ID else None


def _threads(data: Any) -> Iterable[Any]:
    threads = data.get("threads") if isinstance(data, Mapping) else None
    return threads if isinstance(threads, list) else ()


def place_in_code(error: Exception) -> str:
    """Where an error was raised, as file and line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"
