"""One streamer connection as the server sees it: request texts in, frames out, no socket (specs/schwab-wire.md §2)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from streaming.sim.stream.codes import TEXTS, Limits, ServerCode
from streaming.sim.stream.numbered_rows import Row, RowSource, change_of, differences, image_of, only
from streaming.sim.world.faults import Faults


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """One command; ids are None when the client left them out."""

    service: str
    command: str
    request_id: str
    customer_id: str | None
    correl_id: str | None
    parameters: Mapping[str, str]


_FAILED: Final = {
    "SUBS": ServerCode.FAILED_COMMAND_SUBS,
    "UNSUBS": ServerCode.FAILED_COMMAND_UNSUBS,
    "ADD": ServerCode.FAILED_COMMAND_ADD,
    "VIEW": ServerCode.FAILED_COMMAND_VIEW,
}
_FATAL: Final = frozenset({ServerCode.LOGIN_DENIED, ServerCode.BAD_COMMAND_FORMAT})
_HEAD: Final = frozenset({"delayed", "assetMainType", "assetSubType", "cusip"})


@dataclass(slots=True)
class Subscription:
    """One service's keys and fields; a key maps to the last row sent, None before its first image."""

    command: str
    fields: frozenset[str]
    keys: dict[str, Row | None] = field(default_factory=dict)
    fixed: dict[str, tuple[int, Row]] = field(default_factory=dict)
    """By key, what was sent besides the live fields, and in which edition."""


@dataclass(frozen=True, slots=True)
class ServerReply:
    """A frame to send, and whether the connection ends after it."""

    frame: bytes
    close: bool = False
    login: bool = False
    service: str = ""
    """The service whose subscription it answers."""


@dataclass(slots=True, eq=False)
class ServerSession:
    """State of one connection.

    `admits` says whether a token and the two ids may log in.
    """

    sources: Mapping[str, RowSource]
    admits: Callable[[str, str, str], bool]
    now_ms: Callable[[], int]
    limits: Limits = field(default_factory=Limits)
    edition: Callable[[], int] = lambda: 0
    """Another number whenever fixed fields may have changed."""
    holds_back: Callable[[], bool] = lambda: False
    """Whether a row has to wait for the next frame."""
    faults: Faults = field(default_factory=Faults)
    ids: tuple[str, str] | None = None
    busy: bool = False
    """Whether a command is being worked on."""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    @property
    def key_count(self) -> int:
        """Keys subscribed over all services."""
        return sum(len(item.keys) for item in self.subscriptions.values())

    def receive(self, text: str | bytes) -> Iterator[ServerReply]:
        """The replies to one message of the client; ends early when one closes the connection."""
        try:
            requests = parse_requests(text)
        except (msgspec.DecodeError, ValueError, TypeError, KeyError, AttributeError):
            yield self._respond(StreamRequest("ADMIN", "", "", None, None, {}), ServerCode.BAD_COMMAND_FORMAT)
            return
        for request in requests:
            reply = self._answer(request)
            yield reply
            if reply.close:
                return

    def frame(self, service: str, *, first_images: bool = False) -> bytes | None:
        """The frame of one service for this second, full images first, then only what changed; None without news.

        `first_images` leaves it at the keys that have sent nothing yet.
        """
        subscription = self.subscriptions.get(service)
        if subscription is None or not subscription.keys:
            return None
        keys = tuple(key for key, sent in subscription.keys.items() if sent is None or not first_images)
        content = list(self._rows(service, self.sources[service], subscription, keys))
        if not content:
            return None
        item = {"service": service, "timestamp": self.now_ms(), "command": subscription.command, "content": content}
        return msgspec.json.encode({"data": [item]})

    def notify(self, code: ServerCode, text: str | None = None) -> bytes:
        """A notify frame of the ADMIN service."""
        content = {"code": int(code), "msg": text or TEXTS.get(code, code.name)}
        return msgspec.json.encode({"notify": [{"service": "ADMIN", "timestamp": self.now_ms(), "content": content}]})

    def heartbeat(self) -> bytes:
        """A heartbeat frame; its value is text."""
        return msgspec.json.encode({"notify": [{"heartbeat": str(self.now_ms())}]})

    def _answer(self, request: StreamRequest) -> ServerReply:
        if not request.customer_id or not request.correl_id:
            return self._respond(request, ServerCode.BAD_COMMAND_FORMAT)
        ids = (request.customer_id, request.correl_id)
        if (request.service, request.command) == ("ADMIN", "LOGIN"):
            return self._login(request, ids)
        if self.ids is None or ids != self.ids:
            return self._respond(request, ServerCode.STREAM_CONN_NOT_FOUND)
        if (request.service, request.command) == ("ADMIN", "LOGOUT"):
            return self._respond(request, ServerCode.SUCCESS, close=True)
        return self._command(request)

    def _login(self, request: StreamRequest, ids: tuple[str, str]) -> ServerReply:
        if not self.admits(request.parameters.get("Authorization", ""), *ids):
            return self._respond(request, ServerCode.LOGIN_DENIED)
        self.ids = ids
        return self._respond(request, ServerCode.SUCCESS, "server=s0166bdv-1;status=NP", login=True)

    def _command(self, request: StreamRequest) -> ServerReply:
        if request.command not in _FAILED:
            return self._respond(request, ServerCode.BAD_COMMAND_FORMAT)
        if request.service not in self.sources or request.service in self.faults.unavailable:
            return self._respond(request, ServerCode.SERVICE_NOT_AVAILABLE)
        if self.busy:
            return self._respond(request, _FAILED[request.command], f"{request.command} command failed")
        keys = _split(request.parameters.get("keys", ""))
        if (refusal := self._malformation(request, keys)) is not None:
            return refusal
        if len(keys) > self.limits.request_keys or self._would_hold(request, keys) > self.limits.keys:
            return self._respond(request, ServerCode.REACHED_SYMBOL_LIMIT)
        self._apply(request, keys)
        return self._respond(request, ServerCode.SUCCESS, f"{request.command} command succeeded")

    def _malformation(self, request: StreamRequest, keys: list[str]) -> ServerReply | None:
        if not keys and request.command != "VIEW":
            return self._respond(request, ServerCode.BAD_COMMAND_FORMAT)
        if not self.faults.bad_keys.isdisjoint(keys):
            return self._respond(request, ServerCode.BAD_COMMAND_FORMAT, close=self.faults.bad_keys_close)
        return None

    def _would_hold(self, request: StreamRequest, keys: list[str]) -> int:
        known = self.subscriptions.get(request.service)
        now = set(known.keys) if known else set()
        after = {"SUBS": set(keys), "ADD": now | set(keys)}.get(request.command, now)
        return self.key_count - len(now) + len(after)

    def _apply(self, request: StreamRequest, keys: list[str]) -> None:
        fields = frozenset(_split(request.parameters.get("fields", ""))) - {"0"}
        known = self.subscriptions.get(request.service)
        if request.command == "SUBS" or known is None:
            if request.command in {"SUBS", "ADD"}:
                self.subscriptions[request.service] = Subscription(request.command, fields, dict.fromkeys(keys))
        elif request.command == "ADD":
            known.keys |= dict.fromkeys(keys)
            known.fields = fields or known.fields
        elif request.command == "UNSUBS":
            self._remove(request.service, known, keys)
        else:
            known.fields = fields or known.fields
            known.keys = dict.fromkeys(known.keys)

    def _remove(self, service: str, known: Subscription, keys: list[str]) -> None:
        for key in keys:
            known.keys.pop(key, None)
        if not known.keys:
            del self.subscriptions[service]

    def _rows(self, service: str, source: RowSource, subscription: Subscription, keys: Sequence[str]) -> Iterator[Row]:
        live = source.live(keys, subscription.fields)
        edition = self.edition()
        for key in keys:
            sent, now = subscription.keys[key], live.get(key)
            if now is None or self.holds_back():
                continue
            subscription.keys[key] = now
            if sent is None:
                yield {"key": key} | image_of(self._fixed(source, subscription, key) | now)
                continue
            change = change_of(service, sent, now)
            known_in, before = subscription.fixed[key]
            if known_in != edition:
                change |= differences(before, self._fixed(source, subscription, key))
            if change:
                yield {"key": key} | change

    def _fixed(self, source: RowSource, subscription: Subscription, key: str) -> Row:
        """The wanted fields that only change with the day; remembered, to tell what changed."""
        row = only(source.fixed(key) or {}, subscription.fields | _HEAD)
        if "delayed" in row:
            row["delayed"] = self.faults.delayed
        subscription.fixed[key] = (self.edition(), row)
        return row

    def _respond(
        self,
        request: StreamRequest,
        code: ServerCode,
        text: str | None = None,
        *,
        close: bool | None = None,
        login: bool = False,
    ) -> ServerReply:
        """The answer; with a fatal code it ends the connection unless told otherwise."""
        item = {
            "service": request.service,
            "command": request.command,
            "requestid": request.request_id,
            "SchwabClientCorrelId": request.correl_id or "",
            "timestamp": self.now_ms(),
            "content": {"code": int(code), "msg": text or TEXTS[code]},
        }
        frame = msgspec.json.encode({"response": [item]})
        ends = code in _FATAL if close is None else close
        return ServerReply(frame, close=ends, login=login, service=request.service)


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def parse_requests(text: str | bytes) -> list[StreamRequest]:
    """The commands of a message: an envelope, or one bare request. Raises on anything else."""
    body: Any = msgspec.json.decode(text)
    items = body.get("requests", [body])
    return [
        StreamRequest(
            service=str(item["service"]).upper(),
            command=str(item["command"]).upper(),
            request_id=str(item["requestid"]),
            customer_id=item.get("SchwabClientCustomerId"),
            correl_id=item.get("SchwabClientCorrelId"),
            parameters={name: str(value) for name, value in (item.get("parameters") or {}).items()},
        )
        for item in items
    ]
