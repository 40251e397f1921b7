"""The alerts' scripts in Python over `MemoryStore`, and a Discord in memory for them."""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from bot.alerts import scripts
from bot.alerts.post import CALL_LIMIT_S, UnreachableError
from bot.alerts.rule_store import Entry
from bot.alerts.rules import Rule, Target
from bot.feed.channel import GoneMessageError
from bot.feed.pacing import Pacing
from streaming.bus import keys
from streaming.errors import OperatorError
from tests.support.memory_discord import MemoryDiscord, calling
from tests.support.memory_redis import MemoryStore, script

_DIRECT = 100
"""What a person's number is added to for that of the conversation with them."""


def place_of(target: Target) -> int:
    """The channel that a target's alerts stand in."""
    return _DIRECT + (target.user_id or 0) if target.channel_id is None else target.channel_id


def keep_rule(store: MemoryStore, rule: Rule) -> None:
    """As if somebody had set it yesterday."""
    store.hashes.setdefault(f"{keys.ALERTS}:rules", {})[str(rule.number)] = msgspec.json.encode(rule)


@script(scripts.COMMIT)
def commit(store: MemoryStore, names: list[str], args: list[Any]) -> list[list[bytes]]:
    prefix, delay_ms, *claims = args
    rules, episodes, states = (store.hashes.setdefault(name, {}) for name in names[:3])
    lost: list[list[bytes]] = []
    for number, expected, state, target, entry in zip(*(claims[n::5] for n in range(5)), strict=True):
        name = str(number)
        episode = int(episodes.get(name, b"0"))
        if name not in rules:
            lost.append([name.encode(), b"-1", b""])
        elif episode != expected:
            lost.append([name.encode(), str(episode).encode(), states.get(name, b"")])
        else:
            states[name] = state
            if target:
                episodes[name] = str(episode + 1).encode()
                store.lists.setdefault(prefix + target, []).append(entry)
                store.scores.setdefault(names[3], {}).setdefault(target, _now_ms() + delay_ms)
    return lost


@script(scripts.CLAIM)
def claim(store: MemoryStore, names: list[str], args: list[Any]) -> list[tuple[bytes, bytes]]:
    prefix, lease_ms, nonce, most, of_each = args
    due, sending = store.scores.setdefault(names[0], {}), store.hashes.setdefault(names[1], {})
    ripe = sorted((at_ms, target) for target, at_ms in due.items() if at_ms <= _now_ms())
    claimed: list[tuple[bytes, bytes]] = []
    for position, (_, target) in enumerate(islice(ripe, most), 1):
        waiting = store.lists.get(prefix + target, [])
        if target not in sending and waiting:
            sending[target] = b"\n".join([f"{nonce}{position}".encode(), *waiting[:of_each]])
            del waiting[:of_each]
        if target in sending:
            due[target] = _now_ms() + lease_ms
            claimed.append((target.encode(), sending[target]))
        else:
            del due[target]
    return claimed


@script(scripts.FINISH)
def finish(store: MemoryStore, names: list[str], args: list[Any]) -> str | None:
    prefix, target, nonce, delay_ms, how, sent, message_id = args
    due, sending = store.scores.setdefault(names[0], {}), store.hashes.setdefault(names[1], {})
    if not sending.get(target, b"").startswith(f"{nonce}\n".encode()):
        return store.get(sent + nonce) or "0"
    if how == "done":
        store.put(sent + nonce, str(message_id))
        del sending[target]
    if how == "later" or store.lists.get(prefix + target):
        due[target] = _now_ms() + delay_ms
    else:
        due.pop(target, None)
    return None


@script(scripts.PAUSE)
def pause(store: MemoryStore, names: list[str], args: list[Any]) -> int:
    prefix, target, reason = args
    paused, due, sending = names[0], names[1], store.hashes.setdefault(names[2], {})
    given_up = [*sending.pop(target, b"").split(b"\n")[1:], *store.lists.pop(prefix + target, [])]
    store.given_up |= {msgspec.json.decode(entry, type=Entry).number for entry in given_up}
    store.hashes.setdefault(paused, {})[target] = str(reason).encode()
    store.scores.setdefault(due, {}).pop(target, None)
    return store.count(names[3])


class MemoryPost:
    """An `AlertPost` of one process: its calls pass the pacer, as those of discord.py do."""

    def __init__(self, discord: MemoryDiscord, pacing: Pacing, dead: Callable[[], bool]) -> None:
        self._discord = discord
        self._pacing = pacing
        self._dead = dead

    async def send(self, target: Target, content: str, *, nonce: str) -> int:
        place = place_of(target)
        return int(await self._call("POST", place, lambda: self._discord.post_alert(place, content, nonce)))

    async def withdraw(self, target: Target, message_id: int) -> None:
        place = place_of(target)
        try:
            await self._call("DELETE", place, lambda: self._discord.delete(place, message_id))
        except GoneMessageError:
            return

    async def _call(self, method: str, place: int, deed: Callable[[], Any]) -> Any:
        try:
            return await calling(
                self._discord, self._pacing, method, place, deed, self._dead, within_s=CALL_LIMIT_S, is_board=False
            )
        except OperatorError as error:
            raise UnreachableError(error.sentence) from error


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
