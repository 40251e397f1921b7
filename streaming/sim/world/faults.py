"""What can be made to go wrong in the simulator, and what is left to go wrong."""

import gzip
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

import msgspec

Area = Literal["token", "trader", "marketdata"]
AREAS: Final[tuple[Area, ...]] = ("token", "trader", "marketdata")
FIREWALL_PAGE: Final = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1></BODY></HTML>"
MALFORMED_FRAME: Final = b'{"data":[{"service":"LEVELONE_FUTURES","content":[{"key":"/XX","1":\x00\x07}]}]}'


@dataclass(frozen=True, slots=True)
class Failure:
    """One HTTP answer given instead of the real one."""

    status: int = 503
    body: Mapping[str, Any] | str | None = None
    """JSON object, plain text or HTML; None sends no body."""
    retry_after_s: int | None = None
    compressed: bool = False
    """Send the body gzip-compressed, asked for or not."""

    @property
    def headers(self) -> dict[str, str]:
        """Content type, encoding and Retry-After."""
        headers = {"Content-Type": "application/json"}
        if isinstance(self.body, str):
            headers["Content-Type"] = "text/html" if self.body.startswith("<") else "text/plain"
        if self.compressed:
            headers["Content-Encoding"] = "gzip"
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers

    @property
    def payload(self) -> bytes:
        """The body as it travels."""
        if self.body is None:
            return b""
        raw = self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)
        return gzip.compress(raw) if self.compressed else raw


@dataclass(slots=True)
class Faults:
    """The faults in force; all off at first."""

    refused_logins: int = 0
    """How many stream logins still get code 3."""
    black_hole: bool = False
    """Sockets stay open but nothing is sent any more, not even pongs."""
    frozen: bool = False
    """The market stands still."""
    unavailable: set[str] = field(default_factory=set)
    """Stream services that answer code 11."""
    preferences_as_list: bool = False
    """Send userPreference as the OpenAPI text says, instead of as production does."""
    streamer_as_object: bool = False
    """Send `streamerInfo` of userPreference as an object instead of a list of one."""
    bad_keys: set[str] = field(default_factory=set)
    """Stream keys that make a request malformed: code 21 for whatever names one of them."""
    bad_keys_close: bool = False
    """Whether the connection ends with that answer."""
    odd: set[str] = field(default_factory=set)
    """What is wrong with every frame; names of `oddities.ODDITIES`."""
    truncated: bool = False
    """Chains claim to be truncated."""
    no_open_interest: bool = False
    """Chains say 0 for every open interest, as at weekends."""
    chains: str = ""
    """How chains are odd: a name of `odd_answers.CHAINS`; empty for good ones."""
    expirations: str = ""
    """How lists of expirations are odd: a name of `odd_answers.EXPIRATIONS`."""
    delayed: bool = False
    """Full images say that the user lacks real-time data."""
    partial: float = 0.0
    """Share of rows that wait for the next frame, 0 to 1."""
    fragment: int = 0
    """Largest payload of one WebSocket frame in bytes, so that messages come in pieces; 0 for whole ones."""
    pending: dict[Area, deque[Failure]] = field(default_factory=lambda: {area: deque() for area in AREAS})
    refused: dict[str, Failure] = field(default_factory=dict)
    """Path -> what it answers to every request, while the other paths work."""
    grant: dict[str, Any] = field(default_factory=dict)
    """What grants say instead of the truth; None leaves a field out."""

    def add(self, area: Area, failure: Failure, *, times: int = 1) -> None:
        """Answer the next `times` requests of an area with `failure`."""
        self.pending[area].extend([failure] * times)

    def take(self, area: Area, path: str) -> Failure | None:
        """The failure due for a request of this area and path, or None."""
        queue = self.pending[area]
        return queue.popleft() if queue else self.refused.get(path)

    def granted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A grant as it is sent."""
        return {name: value for name, value in {**body, **self.grant}.items() if value is not None}

    def clear(self) -> None:
        """Everything works again."""
        fresh = Faults()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))


SWITCHES: Final = tuple(item.name for item in fields(Faults) if item.type is bool)
"""The faults that are on or off."""
