"""One line of a check (`run_bot.py --check`, `token doctor`), and the exit status of many."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError, UnavailableError

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


def failed(subject: str, error: GexcordError) -> Finding:
    """It would not do its job, for a reason that has its own exit status."""
    return fail(subject, error.sentence, error.exit_status)


def worst(findings: Iterable[Finding]) -> Finding:
    """The first failure, else the first warning, else the last of what is well; IndexError without any."""
    found = list(findings)
    for verdict in ("FAIL", "warn"):
        if (first := next((each for each in found if each.verdict == verdict), None)) is not None:
            return first
    return found[-1]


def unwritable(folder: Path) -> str | None:
    """Why no file can be made in a folder, or None; tries it, and leaves nothing behind."""
    made: list[Path] = []
    try:
        for part in reversed((folder, *folder.parents)):
            if not part.exists():
                part.mkdir()
                made.append(part)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__
    finally:
        for part in reversed(made):
            part.rmdir()


def exit_status(findings: Iterable[Finding]) -> int:
    """0 without a failure; else 78 (settings) before 69 (a service is away) before 77 (a login or a permission)."""
    statuses = {finding.status for finding in findings if finding.status}
    return next((status for status in _GRAVEST_FIRST if status in statuses), max(statuses, default=0))
