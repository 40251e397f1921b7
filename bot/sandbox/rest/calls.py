"""A REST request without HTTP around it, its answer, and the table entry that joins the two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.rest.rate_limits import OTHER, Quota
from bot.sandbox.rest.uploads import Upload
from bot.sandbox.world.api_errors import unknown_route
from bot.sandbox.world.records import Json


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asked: path parameters, query, JSON body, files."""

    params: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    uploads: tuple[Upload, ...] = ()

    def id(self, name: str) -> int:
        """A path parameter that is an id; anything else is no route of ours."""
        value = self.params[name]
        if not value.isdecimal():
            raise unknown_route()
        return int(value)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A query parameter that is a number, held between its bounds."""
        value = self.query.get(name, "")
        return min(max(int(value), low), high) if value.isdecimal() else default


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What a handler answers; 204 has no body."""

    body: Json | list[Any] | None = None
    status: int = 200


NO_CONTENT = HttpReply(None, 204)


@dataclass(frozen=True, slots=True)
class RestRoute:
    """One line of the REST table.

    `path` uses the parameter names of Discord's OpenAPI description. `quota` may depend on the call; None
    leaves the route unlimited. `public` routes carry their own token in the path and do not count globally.
    """

    method: str
    path: str
    answer: Callable[[Call], HttpReply]
    quota: Quota | Callable[[Call], Quota] | None = OTHER
    major: str | None = None
    public: bool = False

    def quota_for(self, call: Call) -> Quota | None:
        """The bucket of a call; a few routes choose it by what is asked. None has no limit of its own."""
        return self.quota(call) if callable(self.quota) else self.quota
