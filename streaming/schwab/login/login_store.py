"""Where a login is kept, as those see it who use it: a file, or a place that several machines share."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from streaming.schwab.login.tokens import Token


class LoginStore(Protocol):
    """A stored login that several processes read, and one at a time replaces, inside `locked()`.

    `load` and `version` are about the last `look`, which costs nothing where the login is at hand.
    """

    @property
    def name(self) -> str:
        """The place, as a sentence names it."""
        ...

    @property
    def owes(self) -> bool:
        """Whether a newer login is used here than the place has: it would end with this process."""
        ...

    @property
    def answer_within_s(self) -> float:
        """How long Schwab may take to answer whoever holds the store."""
        ...

    async def look(self) -> None:
        """Learn what is stored now; TransientError where that cannot be asked."""
        ...

    def load(self) -> Token | None:
        """The stored token, or None when there is none; ContractError or ConfigurationError when it is unusable."""
        ...

    def version(self) -> object:
        """Tells one saved state from another; None when nothing is stored."""
        ...

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Hold the store alone, among tasks, processes and machines; TransientError when it stays taken."""
        ...

    async def assure(self) -> None:
        """Before Schwab is asked, inside `locked()`: TransientError when the turn is no longer surely ours."""
        ...

    async def keep(self, token: Token) -> None:
        """Replace what is stored, inside `locked()`; ConfigurationError or TransientError when that fails."""
        ...

    async def forget(self) -> None:
        """Remove what is stored, inside `locked()`; the same errors."""
        ...
