"""One streamer connection as a state machine: text in, events out, no socket (specs/schwab-wire.md §2.2-2.4)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from streaming.errors import ContractError
from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.stream.routing import Wanted
from streaming.schwab.stream.session_events import (
    BadFrame,
    Code,
    ConnectionUnknown,
    Data,
    KeysRefused,
    KickedOut,
    LoggedIn,
    LoggedOut,
    LoginDenied,
    Oddity,
    ServerHeartbeat,
    ServiceUnavailable,
    SessionEvent,
    StopStreaming,
    Subscribed,
    SymbolLimit,
    Tolerated,
)
from streaming.schwab.stream.subscriptions import Change, SubscriptionLedger
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import (
    LONG_BYTES,
    Response,
    ResponseContent,
    StreamerInfo,
    StreamNotice,
    decode_data,
    decode_frame,
    encode_login,
    encode_request,
    in_parts,
)
from streaming.schwab.wire.rows import DataBlock
from streaming.schwab.wire.service_table import FIELDS

ACCEPTED: Final = frozenset(
    {
        Code.SUCCESS,
        Code.SUCCEEDED_COMMAND_SUBS,
        Code.SUCCEEDED_COMMAND_UNSUBS,
        Code.SUCCEEDED_COMMAND_ADD,
        Code.SUCCEEDED_COMMAND_VIEW,
    }
)
REPEATABLE: Final = frozenset(
    {
        Code.UNKNOWN_FAILURE,
        Code.FAILED_COMMAND_SUBS,
        Code.FAILED_COMMAND_UNSUBS,
        Code.FAILED_COMMAND_ADD,
        Code.FAILED_COMMAND_VIEW,
    }
)
"""Worth another try: the codes of parallel commands, and of no known cause."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it is sent."""

    requestid: int
    text: str
    service: Service
    command: str
    change: Change | None = None
    """What it does to the subscriptions; None for LOGIN and LOGOUT."""
    sent_s: float = 0.0

    def is_answered_by(self, response: Response) -> bool:
        """Whether id, service and command agree; one that an answer leaves out agrees, but id or command it needs."""
        if response.requestid == "" and not response.command:
            return False
        return (
            str(response.requestid) in {"", str(self.requestid)}
            and response.service in {"", self.service}
            and response.command in {"", self.command}
        )


_MAX_ATTEMPTS: Final = 3


class State(Enum):
    """Where a session is."""

    NEW = auto()
    LOGGING_IN = auto()
    READY = auto()
    LEAVING = auto()
    ENDED = auto()


class StreamSession:
    """Logs in and keeps the server's subscriptions equal to what is wanted.

    Requests go out one at a time, each after the answer to the one before (parallel ones fail with codes
    22-25). The owner sends whatever `to_send` returns and feeds every frame to `receive`; a session ends
    with its connection and is never used again.
    """

    def __init__(
        self, info: StreamerInfo, wanted: Wanted, *, chunk: int = 300, bad_keys: BadKeys | None = None
    ) -> None:
        self._info = info
        self._ledger = SubscriptionLedger(wanted, FIELDS, chunk=chunk, bad_keys=bad_keys)
        self._login: Request | None = None
        self._in_flight: Request | None = None
        self._attempts = 0
        self._last_id = -1
        self.state = State.NEW

    @property
    def settled(self) -> bool:
        """Whether every wanted subscription was acknowledged or given up."""
        return self.state is State.READY and self._in_flight is None and self._ledger.next_change() is None

    def login(self, access_token: str) -> None:
        """Start the session."""
        requestid = self._next_id()
        self._login = Request(requestid, encode_login(self._info, access_token, requestid), Service.ADMIN, "LOGIN")
        self.state = State.LOGGING_IN

    def logout(self) -> str:
        """The text that ends the session; nothing else is sent after it."""
        self.state = State.LEAVING
        requestid = self._next_id()
        text = self._encode(Service.ADMIN, "LOGOUT", requestid, {})
        self._in_flight = Request(requestid, text, Service.ADMIN, "LOGOUT")
        return self._in_flight.text

    def want(self, wanted: Wanted) -> None:
        """Change what should be subscribed; the difference goes out bit by bit."""
        self._ledger.want(wanted)

    @property
    def left_out(self) -> dict[Service, tuple[str, ...]]:
        """The wanted keys that the server would not take, by service."""
        return self._ledger.left_out

    def forgive(self, keys: Iterable[str]) -> None:
        """Ask for these keys again as if they had never been refused."""
        self._ledger.forgive(keys)

    def awaken(self, now_s: float) -> None:
        """Ask again for what was refused long enough ago; to be called every second or so."""
        self._ledger.awaken(now_s)

    def repeat(self, service: Service, keys: Iterable[str]) -> None:
        """Have the full images of some subscribed keys sent again."""
        self._ledger.repeat(service, keys)

    def to_send(self, now_s: float) -> str | None:
        """The next text to send, or None while an answer is awaited or nothing is to be said."""
        if self._in_flight is not None:
            return None
        request = self._next_request()
        if request is None:
            return None
        self._in_flight = replace(request, sent_s=now_s)
        return request.text

    def overdue(self, now_s: float, limit_s: float) -> bool:
        """Whether a request has waited longer than `limit_s` for its answer."""
        return self._in_flight is not None and now_s - self._in_flight.sent_s > limit_s

    def receive_all(self, raws: Iterable[bytes]) -> Iterator[SessionEvent]:
        """What frames mean that came together: the same events, but one Data for the rows of neighbours.

        Each is decoded when it is asked for, and a long one part by part.
        """
        blocks: list[DataBlock] = []
        for raw in raws:
            for part, begins in ((raw, True),) if len(raw) <= LONG_BYTES else in_parts(raw):
                plain = decode_data(part)
                if plain is not None and part is raw:
                    blocks += plain
                    continue
                if blocks:
                    yield Data(blocks)
                    blocks = []
                yield from self._understood(part) if plain is None else (Data(plain, continues=not begins),)
        if blocks:
            yield Data(blocks)

    def _understood(self, raw: bytes) -> list[SessionEvent]:
        try:
            return self.receive(raw)
        except ContractError as error:
            return [BadFrame(str(error))]

    def receive(self, raw: bytes) -> list[SessionEvent]:
        """What a frame means; ContractError when nothing in it can be used, after which the session goes on."""
        frame = decode_frame(raw)
        events: list[SessionEvent] = [Tolerated(frame.dropped)] if frame.tolerant else []
        if frame.blocks:
            events.append(Data(frame.blocks))
        if frame.responses:
            events += [self._answered(response) for response in frame.responses]
        if frame.notices:
            events += [self._noticed(notice) for notice in frame.notices]
        return events

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _encode(self, service: Service, command: str, requestid: int, parameters: dict[str, str]) -> str:
        return encode_request(self._info, service=service, command=command, requestid=requestid, parameters=parameters)

    def _next_request(self) -> Request | None:
        if self.state is State.LOGGING_IN:
            login, self._login = self._login, None
            return login
        change = self._ledger.next_change() if self.state is State.READY else None
        if change is None:
            return None
        requestid = self._next_id()
        text = self._encode(change.service, change.command, requestid, change.parameters())
        return Request(requestid, text, change.service, change.command, change)

    def _answered(self, response: Response) -> SessionEvent:
        code, message = response.content.code, _plain(response.content.msg)
        request = self._in_flight
        if code == Code.CLOSE_CONNECTION:
            return self._ended(KickedOut(message))
        if code == Code.STOP_STREAMING:
            return self._ended(StopStreaming(message))
        if request is None or not request.is_answered_by(response):
            whose = _plain(f"{response.service} {response.command}")
            return Oddity(f"an answer nobody waits for: {whose}, code {code}")
        self._in_flight = None
        if request.change is not None:
            return self._changed(request.change, code, message, request.sent_s)
        if request.command == "LOGOUT":
            return self._ended(LoggedOut())
        return self._login_answered(code, message)

    def _login_answered(self, code: int, message: str) -> SessionEvent:
        if code in ACCEPTED:
            self.state = State.READY
            return LoggedIn(message)
        if code == Code.LOGIN_DENIED:
            return self._ended(LoginDenied(code, message))
        return self._ended(ConnectionUnknown(code, message))

    def _changed(self, change: Change, code: int, message: str, sent_s: float) -> SessionEvent:
        if code in ACCEPTED:
            self._attempts = 0
            self._ledger.accept(change)
            return Subscribed(change.service, change.command, change.keys)
        if code == Code.STREAM_CONN_NOT_FOUND:
            return self._ended(ConnectionUnknown(code, message))
        self._attempts += 1
        if code in REPEATABLE and self._attempts < _MAX_ATTEMPTS:
            return Oddity(f"{change.command} {change.service} failed with code {code} and is repeated")
        self._attempts = 0
        return self._refused(change, code, message, sent_s)

    def _refused(self, change: Change, code: int, message: str, sent_s: float) -> SessionEvent:
        if code == Code.SERVICE_NOT_AVAILABLE:
            self._ledger.close(change.service, sent_s)
            return ServiceUnavailable(change.service, message)
        if code == Code.REACHED_SYMBOL_LIMIT:
            left_out = self._ledger.limit(change, sent_s)
            if not left_out:
                return Oddity(f"{len(change.keys)} more keys are too many for {change.service}; trying fewer")
            return SymbolLimit(change.service, left_out)
        if code == Code.BAD_COMMAND_FORMAT and change.keys and change.command != "UNSUBS":
            return self._malformed(change, message, sent_s)
        self._ledger.refuse(change, sent_s)
        return KeysRefused(change.service, change.command, change.keys, code, message)

    def _malformed(self, change: Change, message: str, sent_s: float) -> SessionEvent:
        to_blame = self._ledger.malformed(change, sent_s)
        if not to_blame:
            return Oddity(f"code 21 for {len(change.keys)} keys of {change.service}: asking for them in halves")
        return KeysRefused(change.service, change.command, to_blame, Code.BAD_COMMAND_FORMAT, message)

    def _noticed(self, notice: StreamNotice) -> SessionEvent:
        if isinstance(notice.heartbeat, (str, int)):
            return ServerHeartbeat()
        content = notice.content
        if not isinstance(content, ResponseContent):
            return Oddity("a notice without content")
        code, message = content.code, _plain(content.msg)
        if code == Code.CLOSE_CONNECTION:
            return self._ended(KickedOut(message))
        if code == Code.STOP_STREAMING:
            return self._ended(StopStreaming(message))
        if code in {Code.LOGIN_DENIED, Code.STREAM_CONN_NOT_FOUND}:
            return self._ended(ConnectionUnknown(code, message))
        return Oddity(f"a notice with code {code}: {message}")

    def _ended(self, event: SessionEvent) -> SessionEvent:
        self.state = State.ENDED
        return event


def _plain(text: str) -> str:
    """The server's own words as a person and a log may see them: one line, not too long."""
    line = " ".join(text[: 2 * _LONGEST_WORDS].split())[:_LONGEST_WORDS]
    return "".join(mark if mark.isprintable() else "?" for mark in line)


_LONGEST_WORDS: Final = 120
