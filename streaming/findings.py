"""One line of a check (`run_bot.py --check`, `token doctor`), and the exit status of many."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from streaming.errors import ConfigurationError, LoginRequiredError, UnavailableError

_GRAVEST_FIRST: Final = (
    ConfigurationError.exit_status,
    UnavailableError.exit_status,
    LoginRequiredError.exit_status,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one subject; `status` is the exit status it asks for."""

    verdict: Literal["ok", "warn", "FAIL"]
    subject: str
    sentence: str
    status: int = 0

    @property
    def line(self) -> str:
        """`ok    redis: …`, verdicts in a column."""
        return f"{self.verdict:<4}  {self.subject}: {self.sentence}"


def ok(subject: str, sentence: str) -> Finding:
    """All is well."""
    return Finding("ok", subject, sentence)


def warn(subject: str, sentence: str) -> Finding:
    """It works, but somebody should know."""
    return Finding("warn", subject, sentence)


def fail(subject: str, sentence: str, status: int) -> Finding:
    """It would not do its job."""
    return Finding("FAIL", subject, sentence, status)


def exit_status(findings: Iterable[Finding]) -> int:
    """0 without a failure; else 78 (settings) before 69 (a service is away) before 77 (a login or a permission)."""
    statuses = {finding.status for finding in findings if finding.status}
    return next((status for status in _GRAVEST_FIRST if status in statuses), max(statuses, default=0))
