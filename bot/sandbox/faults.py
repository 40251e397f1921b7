"""Failures on demand: what the next requests meet."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """The next `left` requests of a route answer `status`; None for method or path means any."""

    status: int
    left: int
    method: str | None = None
    path: str | None = None
    retry_after_s: float = 0.5
    via: bool = True
    code: int = 0

    def meets(self, method: str, path: str) -> bool:
        return self.left > 0 and self.method in {None, method} and self.path in {None, path}

    @property
    def body(self) -> dict[str, Any]:
        if self.status == 429:  # noqa: PLR2004 - HTTP's own number
            return {"message": "You are being rate limited.", "retry_after": self.retry_after_s, "global": False}
        return {"message": f"{self.status}: injected", "code": self.code}

    @property
    def headers(self) -> dict[str, str]:
        """Via tells discord.py that a 429 is Discord's own and worth waiting for."""
        via = {"Via": "1.1 google"} if self.via else {}
        return {**via, "Retry-After": str(self.retry_after_s)} if self.status == 429 else via  # noqa: PLR2004 - HTTP's own number


@dataclass(slots=True)
class Faults:
    """The failures that are waiting, and the delay before every REST answer."""

    waiting: list[Fault] = field(default_factory=list)
    latency_s: float = 0.0

    def take(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, used up by one; None lets it through."""
        for fault in self.waiting:
            if fault.meets(method, path):
                fault.left -= 1
                self.waiting = [other for other in self.waiting if other.left > 0]
                return fault
        return None
