"""What a reader of other programs' messages can make nothing of: counted, shown in outline, skipped."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from streaming.errors import ContractError, GexcordError, OperatorError, RequestError, TransientError
from streaming.model import GexSnapshot

log = logging.getLogger(__name__)

_SHOWN: Final = 120
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")
_CONTROL: Final = re.compile(r"[^ -~]")


class Mishaps:
    """Counts one reader's; the log hears of the 1st, 2nd, 4th, 8th ... so that no producer can fill it.

    A message that breaks the reader's own code is counted like one that breaks the contract: the code is to be
    mended, but a job must not end because of what somebody sends it.
    """

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.count = 0
        self.last: str | None = None

    @contextmanager
    def skipping(self, message: bytes | GexSnapshot) -> Iterator[None]:
        """Take in what the body raises because of one message."""
        try:
            yield
        except (TransientError, OperatorError):
            raise
        except Exception as error:  # noqa: BLE001  # a message of somebody else must not end the reader
            self.note(error, message)

    def note(self, error: Exception, message: bytes | GexSnapshot) -> None:
        """Count one."""
        self.count += 1
        about = outline(message) if isinstance(message, bytes) else _name(message)
        ours = not isinstance(error, (ContractError, RequestError))
        self.last = f"{type(error).__name__} over {about}." if ours else str(error)
        if self.count.bit_count() == 1:
            words = "%s cannot use a message (%s): %s %d so far."
            log.warning(words, self.reader, about, self.last, self.count, exc_info=error if ours else None)


@contextmanager
def breaching(payload: bytes) -> Iterator[None]:
    """Whatever taking a message of somebody else apart raises is a ContractError."""
    try:
        yield
    except GexcordError:
        raise
    except Exception as error:
        log.warning("a message broke the code that reads it (%s)", outline(payload), exc_info=error)
        raise ContractError(f"A message cannot be read ({type(error).__name__}).") from error


def _name(snapshot: GexSnapshot) -> str:
    return f"{snapshot.source}'s {snapshot.ticker} of {snapshot.asof_ms}"


def outline(payload: bytes) -> str:
    """How long a message is and how it begins, each letter an x and each digit a 0, so that no content is told."""
    head = payload[:_SHOWN].decode("utf-8", "replace")
    return f"{len(payload):,} bytes, {_CONTROL.sub('?', _DIGIT.sub('0', _LETTER.sub('x', head)))}"
