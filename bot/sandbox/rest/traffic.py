"""What passed over REST: the latest requests for spec checks, counters for a proof."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.world.api_errors import INVALID_FORM_BODY

REQUESTS_KEPT: Final = 500


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One REST request: `path` is the template of Discord's OpenAPI description, `body` its JSON."""

    method: str
    path: str
    body: Any
    status: int
    code: int


@dataclass(slots=True)
class Traffic:
    """Bounded memory of requests, unbounded only in counts.

    `violations` counts bodies refused with 50035: a client that keeps Discord's limits leaves it at zero.
    """

    requests: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))
    statuses: Counter[int] = field(default_factory=Counter)
    routes: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    violations: int = 0

    @property
    def summary(self) -> dict[str, Any]:
        """The counters as JSON, for a proof from outside the process."""
        return {
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "routes": {f"{method} {path} {status}": count for (method, path, status), count in self.routes.items()},
            "violations": self.violations,
        }

    def note(self, record: RequestRecord) -> None:
        """Keep a request and count it; a refused form is a violation of Discord's rules."""
        self.requests.append(record)
        self.statuses[record.status] += 1
        self.routes[record.method, record.path, record.status] += 1
        self.violations += record.code == INVALID_FORM_BODY
