"""The gateway: who is connected, the sessions they opened, and events to everybody who asked for them."""

import asyncio
import math
import secrets
from collections import Counter
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from aiohttp import web

from bot.sandbox.gateway.dialogue import Close, Dialogue
from bot.sandbox.gateway.gateway_session import ONLY_SHARD, GatewayConnection, GatewaySession, Op, Shard, frame
from bot.sandbox.rest.faults import GatewayTrouble, Trouble
from bot.sandbox.rest.rest_identity import application_json
from bot.sandbox.world.payloads import (
    channel_json,
    guild_create_json,
    member_json,
    message_json,
    own_user_json,
    role_json,
)
from bot.sandbox.world.records import (
    Change,
    ChannelChange,
    CommandsChanged,
    Deed,
    DirectChannelOpened,
    GuildJoined,
    GuildLeft,
    Json,
    MemberUpdated,
    Message,
    MessageChange,
    RoleUpdated,
)
from bot.sandbox.world.world import World

EVERYBODY: Final = 0
"""The intent of what needs none."""
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 0, 1 << 9, 1 << 12
SESSIONS_KEPT: Final = 32
IDENTIFY_EVERY_S: Final = 5.0
RESUMABLE_S: Final = 120.0
_CLOSE_TIMEOUT_S: Final = 2.0
_FRAME_BYTES: Final = 15 * 1024


class LocalGateway:
    """Accepts bots, keeps their sessions, and tells them what happens in the world."""

    def __init__(self, world: World, token: str, *, gateway_url: str, origin: str, heartbeat_s: float) -> None:
        self._world = world
        self._token = token
        self._url = gateway_url
        self._origin = origin
        self.heartbeat_s = heartbeat_s
        self._sessions: dict[str, GatewaySession] = {}
        self._connections: set[GatewayConnection] = set()
        self.trouble = GatewayTrouble(world.clock)
        self._identified_s: dict[int, float] = {}
        self.identifies = 0
        self.too_soon = 0
        """IDENTIFYs of shards that came before their bucket's five seconds were over."""
        self.resumes = 0
        self.sent: Counter[str] = Counter()
        world.listen(self._tell)

    @property
    def connected(self) -> bool:
        """Whether a bot has identified and is still there."""
        return any(session.outlet is not None for session in self._sessions.values())

    @property
    def sessions(self) -> Collection[GatewaySession]:
        """Those that are kept, connected or to be resumed."""
        return self._sessions.values()

    def dispatch(self, event: str, data: Any, intent: int = EVERYBODY) -> None:
        """Send an event to every session that asked for its intent, of the shard that hears of its guild."""
        guild_id = _guild_of(event, data)
        for session in self._sessions.values():
            if (not intent or session.intents & intent) and session.shard.hears_of(guild_id):
                self.sent[event] += 1
                session.dispatch(event, data)

    def close_all(self, code: int = 4000) -> None:
        """End every connection with a close code; its meaning decides whether the bot may resume."""
        for connection in self._connections:
            connection.close(code)

    def abort_all(self) -> None:
        """Cut every connection without a close frame, as a dying server does."""
        for connection in self._connections:
            connection.abort()

    def go_down(self, seconds: float = math.inf, answer: Trouble | None = None) -> None:
        """Cut every connection and turn new ones away: with an answer, or without a word."""
        self.trouble.go_down(seconds, answer)
        self.abort_all()

    def ask_to_reconnect(self) -> None:
        """Op 7: Discord asks its clients to come again before a server goes down."""
        self._send_all(frame(Op.RECONNECT, None))

    def invalidate(self, *, resumable: bool) -> None:
        """Op 9 to everybody; sessions that cannot be resumed are forgotten."""
        self._send_all(frame(Op.INVALID_SESSION, resumable))
        if not resumable:
            self.forget_sessions()

    def forget_sessions(self) -> None:
        """Let every later RESUME fail."""
        self._sessions.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends, unless the gateway is down."""
        if self.trouble.is_down:
            return self._turn_away(request)
        socket = web.WebSocketResponse(timeout=_CLOSE_TIMEOUT_S, compress=False, max_msg_size=_FRAME_BYTES)
        await socket.prepare(request)
        connection = GatewayConnection(socket, request, compress=request.query.get("compress") == "zlib-stream")
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(connection.write(), name="sandbox gateway writer")
                await Dialogue(self, connection, socket).run()
                writer.cancel()
        finally:
            self._connections.discard(connection)
            for session in self._sessions.values():
                session.detach(connection, self._world.clock.monotonic())
        return socket

    def _turn_away(self, request: web.Request) -> web.Response:
        answer = self.trouble.answer
        if answer is not None:
            headers = {**answer.headers, "Content-Type": answer.content_type}
            return web.Response(body=answer.content, status=answer.status, headers=headers)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def accepts(self, token: object) -> bool:
        """Whether a token is the bot's."""
        return token == self._token

    def identify(self, intents: int, outlet: GatewayConnection, shard: Shard = ONLY_SHARD) -> GatewaySession | None:
        """Open a session: READY, then the guild if it is the shard's. None when this IDENTIFY is refused."""
        self.identifies += 1
        if self._comes_too_soon(shard):
            self.too_soon += 1
            outlet.send(frame(Op.INVALID_SESSION, data=False))
            return None
        self.trouble.identifies_left = max(self.trouble.identifies_left - 1, 0)
        if self.trouble.refusals:
            outlet.close(self.trouble.refusals.popleft())
            return None
        self._prune()
        session = GatewaySession(secrets.token_hex(16), intents, outlet, shard)
        self._sessions[session.session_id] = session
        session.dispatch("READY", self._ready(session))
        if self._is_in(shard):
            session.dispatch("GUILD_CREATE", guild_create_json(self._world, intents))
        return session

    def _is_in(self, shard: Shard) -> bool:
        return self._world.bot_is_member and shard.hears_of(self._world.guild.id)

    def _comes_too_soon(self, shard: Shard) -> bool:
        """One IDENTIFY in five seconds and bucket; a bot without shards, which tests restart at once, is let pass."""
        if shard.total == 1:
            return False
        bucket, now_s = shard.number % self.trouble.max_concurrency, self._world.clock.monotonic()
        is_early = now_s - self._identified_s.get(bucket, -math.inf) < IDENTIFY_EVERY_S
        self._identified_s[bucket] = now_s
        return is_early

    def resume(self, session_id: object, sequence: object, outlet: GatewayConnection) -> GatewaySession | None:
        """Take up a session again, or None when events are missing."""
        session = self._sessions.get(str(session_id))
        if session is None or not isinstance(sequence, int) or not session.can_resume(sequence):
            return None
        if session.outlet is not None:
            session.outlet.close(Close.UNKNOWN_ERROR)
        self.resumes += 1
        session.resume(sequence, outlet)
        return session

    def members_chunk(self, wanted: Json) -> Json:
        """The answer to op 8: members by id or by the start of their name."""
        guild = self._world.guild
        ids = {int(number) for number in _as_list(wanted.get("user_ids"))}
        prefix = str(wanted.get("query") or "").lower()
        found = [m for m in guild.members.values() if (m.user.id in ids if ids else m.user.name.startswith(prefix))]
        chunk: Json = {"guild_id": str(guild.id), "chunk_index": 0, "chunk_count": 1, "not_found": []}
        chunk["members"] = [member_json(guild, member) for member in found]
        return {**chunk, "nonce": wanted["nonce"]} if "nonce" in wanted else chunk

    def _ready(self, session: GatewaySession) -> Json:
        return {
            "v": 10,
            "user": own_user_json(self._world),
            "guilds": [{"id": str(self._world.guild.id), "unavailable": True}] if self._is_in(session.shard) else [],
            "shard": list(session.shard),
            "session_id": session.session_id,
            "session_type": "normal",
            "resume_gateway_url": self._url,
            "private_channels": [],
            "application": {"id": str(self._world.application_id), "flags": application_json(self._world)["flags"]},
            "_trace": [],
        }

    def _tell(self, change: Change) -> None:
        event = gateway_event(self._world, change, self._origin)
        if event is not None:
            self.dispatch(event.name, event.data, event.intent)

    def _send_all(self, text: str) -> None:
        for connection in self._connections:
            connection.send(text)

    def _prune(self) -> None:
        now_s = self._world.clock.monotonic()
        for session in list(self._sessions.values()):
            if session.detached_at_s is not None and now_s - session.detached_at_s > RESUMABLE_S:
                del self._sessions[session.session_id]
        while len(self._sessions) >= SESSIONS_KEPT:
            del self._sessions[next(iter(self._sessions))]


def _guild_of(event: str, data: Any) -> int | None:
    """The guild that an event is of: its own id, or what it is said to be in."""
    named = data.get("id") if event in {"GUILD_CREATE", "GUILD_DELETE"} else data.get("guild_id")
    return None if named is None else int(named)


def _as_list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class GatewayEvent(NamedTuple):
    """What is dispatched, and the intent that a session needs to hear it."""

    name: str
    data: Json
    intent: int


def gateway_event(world: World, change: Change, origin: str) -> GatewayEvent | None:
    """The event that tells bots of a change, or None when they are not told; ephemeral messages never are."""
    match change:
        case MessageChange(deed, message):
            return _message_event(world, deed, message, origin)
        case ChannelChange(deed, channel):
            noun = "THREAD" if channel.is_thread else "CHANNEL"
            return GatewayEvent(f"{noun}_{deed}", channel_json(world.guild, channel), GUILDS)
        case RoleUpdated() | MemberUpdated() | GuildLeft() | GuildJoined():
            return _guild_event(world, change)
        case CommandsChanged() | DirectChannelOpened():
            return None


def _guild_event(world: World, change: RoleUpdated | MemberUpdated | GuildLeft | GuildJoined) -> GatewayEvent:
    """What happens to the guild as a whole; a member update is the bot's own, which needs no intent."""
    place: Json = {"guild_id": str(world.guild.id)}
    match change:
        case RoleUpdated(role):
            return GatewayEvent("GUILD_ROLE_UPDATE", place | {"role": role_json(role)}, GUILDS)
        case MemberUpdated(member):
            return GatewayEvent("GUILD_MEMBER_UPDATE", place | member_json(world.guild, member), EVERYBODY)
        case GuildLeft():
            return GatewayEvent("GUILD_DELETE", {"id": str(world.guild.id)}, GUILDS)
        case GuildJoined():
            # Without `unavailable`, which only guilds of READY have: that is how clients tell an invitation.
            joined = {key: value for key, value in guild_create_json(world, GUILDS).items() if key != "unavailable"}
            return GatewayEvent("GUILD_CREATE", joined, GUILDS)


def _message_event(world: World, deed: Deed, message: Message, origin: str) -> GatewayEvent | None:
    if message.ephemeral_for is not None:
        return None
    gone = deed is Deed.DELETE
    data: Json = {"id": str(message.id), "channel_id": str(message.channel_id)}
    if not gone:
        data = message_json(world, message, origin)
    if world.channel(message.channel_id).recipient is not None:
        return GatewayEvent(f"MESSAGE_{deed}", data, DIRECT_MESSAGES)
    place: Json = {"guild_id": str(world.guild.id)}
    if not gone:
        place["member"] = member_json(world.guild, world.bot_member, with_user=False)
    return GatewayEvent(f"MESSAGE_{deed}", data | place, GUILD_MESSAGES)
