"""A request that waits for its answer, and which answer is its own (specs/schwab-wire.md §2.2-2.4). Pure."""

from dataclasses import dataclass
from typing import Final

from streaming.schwab.stream.ledger import Change
from streaming.schwab.stream.session_events import Code
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import Response

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
