"""What a test or a storm orders of a local Discord: failures, a gateway that misbehaves, permissions, deletions."""

import asyncio
import math
from dataclasses import dataclass, field

from bot.sandbox.gateway.local_gateway import LocalGateway
from bot.sandbox.rest.faults import KINDS, Fault, Kind, RestFaults, Trouble
from bot.sandbox.world.changes import Change, Deed, MessageChange
from bot.sandbox.world.permission_bits import Permission
from bot.sandbox.world.records import ChannelKind, Member, Message
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
        if not isinstance(change, MessageChange) or change.deed is not Deed.CREATE:
            return
        if change.message.author != self.world.bot:
            return
        watch = self._watches.get(change.message.channel_id)
        if watch is not None and watch.left > 0:
            watch.left -= 1
            self._timers.add(asyncio.get_running_loop().call_later(watch.after_s, self._delete, change.message))

    def _delete(self, message: Message) -> None:
        channel = self.world.channels.get(message.channel_id)
        if channel is not None and channel.messages.get(message.id) is message:
            self.world.remove(message)


class Orders:
    """Each order takes effect at once and is what Discord, a proxy or a moderator would do."""

    def __init__(self, world: World, gateway: LocalGateway) -> None:
        self.world = world
        self.gateway = gateway
        self.faults = RestFaults(world.clock)
        self.moderator = Moderator(world)

    def fail(
        self,
        trouble: Trouble,
        *,
        on: Kind | None = None,
        channel_id: int | None = None,
        count: float = math.inf,
        seconds: float = math.inf,
    ) -> None:
        """Let the next requests of a kind meet trouble: so many, those of some seconds, or all until `clear_faults`.

        `channel_id` may be that of a direct conversation.
        """
        method, path = (None, "*") if on is None else KINDS[on]
        until_s = self.world.clock.monotonic() + seconds
        self.faults.waiting.append(Fault(trouble, count, method, path, channel_id, until_s))

    def clear_faults(self) -> None:
        """Let every later request through, and what hangs answer."""
        self.faults.clear()

    def set_latency(self, seconds: float) -> None:
        """Delay every REST answer."""
        self.faults.latency_s = seconds

    def close_gateway(self, code: int = 4000) -> None:
        """Close every gateway connection with a code; sessions stay resumable."""
        self.gateway.close_all(code)

    def abort_gateway(self) -> None:
        """Cut every gateway connection without a word."""
        self.gateway.abort_all()

    def take_gateway_down(self, seconds: float = math.inf, answer: Trouble | None = None) -> None:
        """Cut every gateway connection and turn new ones away: with an answer, or without a word."""
        self.gateway.trouble.go_down(seconds, answer)
        self.gateway.abort_all()

    def bring_gateway_up(self) -> None:
        """End the gateway's outage."""
        self.gateway.trouble.come_up()

    def refuse_identify(self, code: int, count: int = 1) -> None:
        """Close the connections of the next IDENTIFYs with a code such as 4004, 4013 or 4014."""
        self.gateway.trouble.refusals.extend([code] * count)

    def send_event(self, name: str, data: object) -> None:
        """Send an event as it is to every bot, also one with missing fields."""
        self.gateway.dispatch(name, data)

    def ask_to_reconnect(self) -> None:
        """Op 7."""
        self.gateway.ask_to_reconnect()

    def invalidate_session(self, *, resumable: bool = False) -> None:
        """Op 9."""
        self.gateway.invalidate(resumable=resumable)

    def forget_sessions(self) -> None:
        """Let every later RESUME fail with op 9."""
        self.gateway.forget_sessions()

    def revoke_send(self, channel_id: int) -> None:
        """Take the bot's permission to send in a channel (50013)."""
        self.world.deny(channel_id, self._bot, Permission.SEND_MESSAGES)

    def revoke_view(self, channel_id: int) -> None:
        """Take the bot's permission to see a channel (50001)."""
        self.world.deny(channel_id, self._bot, Permission.VIEW_CHANNEL)

    def restore(self, channel_id: int) -> None:
        """Give back what was revoked in a channel."""
        self.world.deny(channel_id, self._bot, Permission(0))

    def set_bot_role(self, permissions: Permission) -> None:
        """Change the permissions of the bot's own role; everyone's stay."""
        (role_id,) = self._bot.role_ids
        self.world.set_role(role_id, permissions)

    def time_out_bot(self, seconds: float) -> None:
        """Let the bot only read for some seconds (50013); 0 lifts it."""
        self.world.time_out_bot(seconds)

    def kick_bot(self) -> None:
        """Throw the bot out of the guild; its channels are 50001 from then on."""
        self.world.leave()

    def invite_bot(self) -> None:
        """Let the bot into the guild again."""
        self.world.join()

    def refuse_letters(self, user_id: int, code: int = 50007) -> None:
        """Let nobody write to a user directly (50007, or 50278 for want of a common server)."""
        self.world.refused_letters[user_id] = code

    def accept_letters(self, user_id: int) -> None:
        """Let the bot write to a user again."""
        self.world.refused_letters.pop(user_id, None)

    def add_channel(self, name: str, kind: ChannelKind = ChannelKind.TEXT) -> int:
        """Open a channel of any kind; its id."""
        return self.world.add_channel(name, kind).id

    def add_thread(self, name: str, parent_id: int) -> int:
        """Open a thread of a text channel or a post of a forum; its id."""
        return self.world.add_channel(name, ChannelKind.PUBLIC_THREAD, parent_id).id

    def change_thread(self, thread_id: int, *, archived: bool | None = None, locked: bool | None = None) -> None:
        """Archive (50083 to edits), lock (160005), or lift either; None leaves it."""
        self.world.change_thread(self.world.channel(thread_id), archived=archived, locked=locked)

    def publish_posts(self, channel_id: int) -> None:
        """Publish every later post of an announcement channel, which rations its edits (20022)."""
        self.world.channel(channel_id).publishes = True

    def moderate(self, channel_id: int, count: float = math.inf, after_s: float = 0.2) -> None:
        """Delete the bot's next posts in a channel a moment after they came, until `moderator.rest()`."""
        self.moderator.watch(channel_id, count, after_s)

    def delete_channel(self, channel_id: int) -> None:
        """Delete a channel, as a moderator does."""
        self.world.delete_channel(channel_id)

    def delete_message(self, channel_id: int, message_id: int) -> None:
        """Delete a message as somebody else would."""
        self.world.remove(self.world.message(channel_id, message_id))

    @property
    def _bot(self) -> Member:
        return self.world.bot_member
