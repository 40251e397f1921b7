"""The login of several machines, sealed in a place they share, so that none of them logs another out.

Whoever needs a new token takes a turn that outlasts its one question to Schwab. A machine that was paused meanwhile
asks nothing any more, and stores nothing: the place knows by an epoch that the turn has gone to another.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

import msgspec
from pydantic import SecretStr

from streaming.clock import Clock, epoch_ms, uptime_s
from streaming.errors import ContractError, GexcordError, OperatorError, TransientError
from streaming.schwab.login.cipher import SharedCipher
from streaming.schwab.login.formats import token_document, token_of_tree
from streaming.schwab.login.tokens import Token

_LOG: Final = logging.getLogger(__name__)
TURN_S: Final = 28.0
"""How long a turn lasts by the shared clock: a dead machine's login code, good for 30 s, can still be used after it."""
ASK_WITHIN_S: Final = 6.0
"""How soon after the turn was taken Schwab is asked, or not at all."""
ANSWER_WITHIN_S: Final = 12.0
"""How long Schwab may take. With the seconds to store the answer this is less than the turn."""
_STORE_WITHIN_S: Final = 8.0
_AGAIN_S: Final = 0.25
_USED_HERE: Final = "The login is good all the same; until it is stored, only this machine has it."
_LEAVE_RUNNING: Final = "Leave this program running: it stores the login as soon as it can."
_APART_MS: Final = 30_000
"""Clocks that are less apart than this are taken for one; a token is renewed five minutes before its end."""


class LookAtSecret(Protocol):
    """What is kept, at one moment of the shared clock."""

    @property
    def version(self) -> int: ...
    @property
    def sealed(self) -> bytes: ...
    @property
    def kept_ms(self) -> int: ...
    @property
    def now_ms(self) -> int: ...


class Secret(Protocol):
    """The shared place (`streaming.bus.shared_secret`); its methods raise TransientError when it does not answer."""

    async def take(self, holder: str, ttl_ms: int) -> int:
        """The epoch of a turn, or 0 while another has it."""
        ...

    async def give_back(self, epoch: int) -> None:
        """End a turn early."""
        ...

    async def replace(self, epoch: int, sealed: bytes) -> int:
        """The new version, or 0 when the turn has gone to another."""
        ...

    async def look(self) -> LookAtSecret:
        """What is kept now."""
        ...


class _Sealed(msgspec.Struct, frozen=True):
    """What is inside: the token as a file would hold it, by the clock of whoever kept it."""

    token: dict[str, object]
    at_ms: int
    """What that clock said then."""
    login_epoch: int
    """The turn in which a person logged in: the later one is the login that counts at Schwab."""


@dataclass(frozen=True, slots=True)
class _Owed:
    """A token that the place does not have yet."""

    token: Token
    login_epoch: int
    version: int
    """Of what it replaces."""


class SharedTokenStore:
    """A `LoginStore` on a shared secret.

    What could not be stored, because the place did not answer, had lost its data or had no copy of itself that has
    it, too, is used all the same, and stored as soon as it can be.
    """

    answer_within_s = ANSWER_WITHIN_S

    def __init__(
        self,
        secret: Secret,
        *,
        key: SecretStr,
        clock: Clock,
        new_holder: Callable[[], str],
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self._secret = secret
        self._cipher = SharedCipher(key)
        self._clock = clock
        self._new_holder = new_holder
        self._uptime = uptime
        self._turn = asyncio.Lock()
        self._epoch, self._taken_s = 0, 0.0
        self._asked = False
        """Whether Schwab was asked in this turn, and what came of it is not stored."""
        self._lost_s = float("-inf")
        """When the place was seen to have lost its data, and with it whose turn it was."""
        self._version, self._login_epoch = 0, 0
        self._token: Token | None = None
        self._trouble: GexcordError | None = None
        self._owed: _Owed | None = None

    @property
    def name(self) -> str:
        return "Redis"

    @property
    def owes(self) -> bool:
        return self._owed is not None

    def load(self) -> Token | None:
        if self._trouble is not None:
            raise self._trouble
        return self._token

    def version(self) -> object:
        return None if self._token is None and self._trouble is None else self._version

    async def look(self) -> None:
        if self._owed is not None and not self._turn.locked():
            with suppress(TransientError):  # another machine's turn: it is owed a little longer
                async with self.locked(timeout_s=0.0):
                    return
        await self._look()

    @asynccontextmanager
    async def locked(self, *, timeout_s: float = 40.0) -> AsyncIterator[None]:
        async with self._turn:
            self._epoch, self._asked = await self._take(timeout_s), False
            try:
                await self._look()
                await self._pay()
                yield
            except OperatorError:
                self._asked = False  # refused for good: nothing is under way any more
                raise
            finally:
                epoch, self._epoch = self._epoch, 0
                if not (self._asked or self._somebody_may_ask()):  # else the turn runs out, and nobody asks meanwhile
                    await self._give_back(epoch)

    async def assure(self) -> None:
        if not self._epoch or self._uptime() - self._taken_s > ASK_WITHIN_S:
            raise TransientError("This process was paused while it had the turn to renew the Schwab login.")
        if self._somebody_may_ask():
            raise TransientError(f"{self.name} has just lost its data; the Schwab login is renewed in half a minute.")
        self._asked = True

    async def keep(self, token: Token) -> None:
        is_same = self._token is not None and token.login_at == self._token.login_at
        self._owed = _Owed(token, self._login_epoch if is_same else self._epoch, self._version)
        try:
            await self._store(self._owed)
        except TransientError as error:
            _LOG.warning("the new Schwab login is not stored yet: %s %s", error, _USED_HERE)
            raise TransientError(f"{error} {_USED_HERE}", remedy=_LEAVE_RUNNING) from error

    async def forget(self) -> None:
        await self._replace(b"")
        self._token, self._trouble, self._owed = None, None, None

    async def _take(self, timeout_s: float) -> int:
        """The turn's epoch; counted from before it was asked for, so that it never seems longer than it is."""
        holder, began_s = self._new_holder(), self._clock.monotonic()
        while True:
            self._taken_s = self._uptime()
            if epoch := await self._secret.take(holder, int(TURN_S * 1000)):
                return epoch
            if self._clock.monotonic() - began_s >= timeout_s:
                raise TransientError(f"Another machine has held the Schwab login for {timeout_s:.0f} s.")
            await self._clock.sleep(_AGAIN_S)

    def _somebody_may_ask(self) -> bool:
        """Whether a turn that was lost with the data may still last."""
        return self._uptime() - self._lost_s < TURN_S

    async def _give_back(self, epoch: int) -> None:
        try:
            await self._secret.give_back(epoch)
        except TransientError as error:
            _LOG.info("the turn to change the Schwab login runs out by itself: %s", error.sentence)

    async def _replace(self, sealed: bytes) -> None:
        """Store, trying for some seconds while the place does not answer."""
        began_s = self._clock.monotonic()
        while True:
            try:
                version = await self._secret.replace(self._epoch, sealed)
                break
            except TransientError:
                if self._clock.monotonic() - began_s >= _STORE_WITHIN_S:
                    raise
            await self._clock.sleep(_AGAIN_S)
        if not version:
            raise TransientError("Another machine has had its turn at the Schwab login meanwhile.")
        self._version = version

    async def _store(self, owed: _Owed) -> None:
        sealed = _Sealed(token_document(owed.token), epoch_ms(self._clock.now()), owed.login_epoch)
        await self._replace(self._cipher.seal(msgspec.json.encode(sealed)))
        self._token, self._login_epoch = owed.token, owed.login_epoch
        self._trouble, self._owed, self._asked = None, None, False

    async def _pay(self) -> None:
        """Store what is owed, unless another machine has renewed that login meanwhile, or a person has replaced it."""
        owed = self._owed
        if owed is None:
            return
        if owed.login_epoch > self._login_epoch or owed.version == self._version:
            await self._store(owed)
        self._owed = None

    async def _look(self) -> None:
        found = await self._secret.look()
        if found.version < self._version and self._token is not None:
            _LOG.warning("%s has lost what it knew of the Schwab login; this machine puts it back", self.name)
            self._owed = _Owed(self._token, self._login_epoch, found.version)
            self._version, self._login_epoch, self._lost_s = found.version, 0, self._uptime()
        elif found.version != self._version:
            self._adopt(found)

    def _adopt(self, found: LookAtSecret) -> None:
        ours = self._owed or (None if self._token is None else _Owed(self._token, self._login_epoch, found.version))
        self._token, self._trouble, self._version, self._login_epoch = None, None, found.version, 0
        if not found.sealed:
            return
        try:
            sealed = self._opened(found)
            token = self._by_own_clock(sealed, found)
        except GexcordError as error:
            self._trouble = error
            return
        self._login_epoch = sealed.login_epoch
        if ours is not None and ours.login_epoch > sealed.login_epoch:  # put back by a machine that knew no later one
            self._token, self._owed = ours.token, ours
        else:
            self._token = token

    def _opened(self, found: LookAtSecret) -> _Sealed:
        where = f"The Schwab login in {self.name}"
        try:
            return msgspec.json.decode(self._cipher.open(found.sealed, where=where), type=_Sealed)
        except msgspec.DecodeError:
            raise ContractError(f"{where} cannot be read by this version.") from None

    def _by_own_clock(self, sealed: _Sealed, found: LookAtSecret) -> Token:
        """The token, its end told by our clock, whatever the clock of whoever kept it said."""
        token = token_of_tree(sealed.token, where=f"The Schwab login in {self.name}")
        ahead_ms = (epoch_ms(self._clock.now()) - found.now_ms) - (sealed.at_ms - found.kept_ms)
        if abs(ahead_ms) < _APART_MS or token.expires_at is None:
            return token
        return replace(token, expires_at=token.expires_at + timedelta(milliseconds=ahead_ms))
