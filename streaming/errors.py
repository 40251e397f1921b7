"""Every error this project raises on purpose, by whose move it is.

GexcordError
├── TransientError        the machine's: try again with backoff (network, 429, 5xx, silence)
├── OperatorError         the operator's: stop, say it once, with the remedy
│   ├── ConfigurationError    a setting is wrong                       exit 78
│   ├── UnavailableError      a service we need does not answer        exit 69
│   └── LoginRequiredError    the weekly Schwab login is over          exit 77
├── RequestError          the caller's: what was asked for cannot be done (unknown symbol, bad file)  exit 65
└── ContractError         the other side's: it broke the protocol; count it and go on

A message is one sentence a person can act on. It never holds a token, a secret or a whole payload.
"""

import asyncio
from typing import ClassVar, Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What bytes from outside raise when they are not what a decoder expects; the last for nesting without end."""


class GexcordError(Exception):
    """Base of all deliberate errors; `remedy` says what to do next, or is empty."""

    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def sentence(self) -> str:
        """The message and its remedy as one line."""
        return f"{self} {self.remedy}".strip()


class TransientError(GexcordError):
    """Worth repeating; `retry_after_s` is the other side's own wish where it gave one."""

    exit_status = 75

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class OperatorError(GexcordError):
    """Nothing gets better until a person acts; `retry_after_s` is how long the other side asks to be left alone."""

    exit_status = 70

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class ConfigurationError(OperatorError):
    """One or more settings are wrong; `problems` has one sentence per setting."""

    exit_status = 78

    def __init__(self, *problems: str, remedy: str = "") -> None:
        super().__init__(" ".join(problems), remedy=remedy)
        self.problems = problems


class UnavailableError(OperatorError):
    """A service the program cannot start without does not answer."""

    exit_status = 69


class LoginRequiredError(OperatorError):
    """Schwab refuses the stored login, or there is none."""

    exit_status = 77


class RequestError(GexcordError):
    """What was asked for does not exist or makes no sense."""

    exit_status = 65


class ContractError(GexcordError):
    """The other side sent something its protocol does not allow."""

    exit_status = 76


def leading_error(error: BaseException) -> BaseException:
    """What an error is about: itself, or of a group the member that needs a person most."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    return min((leading_error(member) for member in error.exceptions), key=_rank)


def _rank(error: BaseException) -> int:
    """A bug first, then what a person must do, then the protocol, then the weather."""
    families = ((OperatorError, RequestError), (ContractError,), (TransientError, asyncio.CancelledError))
    return next((rank for rank, family in enumerate(families, start=1) if isinstance(error, family)), 0)
