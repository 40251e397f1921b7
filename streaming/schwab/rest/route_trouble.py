"""Which of Schwab's routes refuse us although the login is good, and when each is asked again.

A refusal of one route says nothing of the others: an app may lack a product, or Schwab may have a bad hour. Only
what lasts is told, and only a route that has never worked with this app key is called a missing product.
"""

import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import TransientError
from streaming.ports import Tell
from streaming.process.backoff import delay_s
from streaming.schwab.http_errors import RouteRefusedError
from streaming.schwab.login.oauth import LOG_IN

_LOG: Final = logging.getLogger(__name__)
_TRADER: Final = "Accounts and Trading Production"
_MARKET_DATA: Final = "Market Data Production"


class Route(Enum):
    """A part of Schwab's interface that can refuse us while the others answer."""

    STREAMER = ("/trader/v1/userPreference", "the stream's address", _TRADER)
    LOGIN = ("streamer", "the stream's login", "")
    CHAINS = ("/marketdata/v1/chains", "option chains", _MARKET_DATA)
    EXPIRATIONS = ("/marketdata/v1/expirationchain", "lists of expirations", _MARKET_DATA)
    QUOTES = ("/marketdata/v1/quotes", "quotes", _MARKET_DATA)

    def __init__(self, path: str, gives: str, product: str) -> None:
        self.path = path
        self.gives = gives
        """What is missing while it refuses, in words."""
        self.product = product
        """The API product it belongs to; empty where the product is not in question."""

    @property
    def waits(self) -> bool:
        """Whether a closed route keeps askers waiting; the stream client waits by itself and shows it."""
        return self not in {Route.STREAMER, Route.LOGIN}


class RouteMemory(Protocol):
    """What is remembered of routes over restarts, by the app key's fingerprint. TransientError while it is away."""

    async def has_worked(self, app: str, route: str) -> bool:
        """Whether the route ever worked with this app."""
        ...

    async def works(self, app: str, route: str) -> bool:
        """The route works; True for the first who says so after somebody was told of trouble."""
        ...

    async def claim(self, app: str, route: str) -> bool:
        """True for the first who tells of this trouble."""
        ...


@dataclass(frozen=True, slots=True)
class RouteTiming:
    """How patient we are with a route that refuses, in seconds."""

    first_s: float = 15.0
    longest_s: float = 900.0
    tell_after_s: float = 180.0
    sure_after_s: float = 30.0
    """A route that never worked and has refused for so long, three times at least, is a missing product."""
    missing_s: float = 3600.0
    look_s: float = 1.0
    """How often whoever waits for a route looks whether it is open again."""


_AGAIN: Final = "Schwab gives us {} again."
_SURE: Final = 3
"""Refusals in a row after which a route is closed; one of many askers may have asked for what only he may not see."""


@dataclass(slots=True)
class _Trouble:
    """One route that refuses: since when, how often, and whether somebody is asking it just now."""

    since_s: float
    subject: object
    reason: str
    refusals: int = 0
    closures: int = 0
    ask_at_s: float = 0.0
    asking: bool = False
    is_told: bool = False
    is_missing: bool = False


class RouteTroubles:
    """Keeps each route's trouble apart; `tell` hears once of what lasts, and once when that is over.

    `subject` tells login and app key from others: with another one every route deserves another chance at once.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        *,
        tell: Tell | None = None,
        memory: RouteMemory | None = None,
        app_id: Callable[[], str] = str,
        subject: Callable[[], object] = str,
        timing: RouteTiming | None = None,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._tell = tell or _LOG.error
        self._memory = memory
        self._app_id = app_id
        self._subject = subject
        self._timing = timing or RouteTiming()
        self._troubles: dict[Route, _Trouble] = {}
        self._known: set[tuple[str, Route]] = set()
        self._remember_at_s = 0.0

    @property
    def sentences(self) -> Mapping[str, str]:
        """What does not come -> why, for the status."""
        return {route.gives: self._why(route, trouble) for route, trouble in self._troubles.items()}

    @asynccontextmanager
    async def turn(self, route: Route) -> AsyncIterator[None]:
        """Ask a route inside: waits while it is closed, lets one asker try when that is over, and notes what he met."""
        while route.waits and not self._may_ask(route):
            await self._clock.sleep(self._timing.look_s)
        trouble = self._troubles.get(route)
        is_probe = trouble is not None and (not route.waits or trouble.closures > 0)
        if trouble is not None:
            trouble.asking = is_probe
        try:
            yield
        except RouteRefusedError as error:
            await self.refused(route, error, is_probe=is_probe)
            raise
        else:
            await self.works(route)
        finally:
            if is_probe and trouble is not None:
                trouble.asking = False

    def ask_again(self) -> None:
        """Somebody knows that it may go now: nobody waits any longer."""
        for trouble in self._troubles.values():
            trouble.ask_at_s = 0.0

    async def refused(self, route: Route, error: RouteRefusedError, *, is_probe: bool = False) -> None:
        """Note a refusal, and for routes whose asker waits by himself say in `error` for how long."""
        now_s = self._clock.monotonic()
        trouble = self._troubles.setdefault(route, _Trouble(now_s, self._subject(), str(error)))
        trouble.refusals += 1
        trouble.reason, trouble.subject = str(error), self._subject()
        if not route.waits or is_probe or (trouble.closures == 0 and trouble.refusals >= _SURE):
            await self._close(route, trouble, now_s)
        if not route.waits:
            error.retry_after_s = max(trouble.ask_at_s - now_s, 0.0)

    def over(self, route: Route) -> bool:
        """The route answers; whether its trouble was told. Routes without a product have no memory to be cleared."""
        trouble = self._troubles.pop(route, None)
        was_told = trouble is not None and trouble.is_told
        if was_told and not route.product:
            self._tell(_AGAIN.format(route.gives))
        return was_told

    async def works(self, route: Route) -> None:
        """The route answers: its trouble is over."""
        was_told = self.over(route)
        if not route.product or not (was_told or (self._app_id(), route) not in self._known):
            return
        if await self._remember(route, was_told=was_told):
            self._tell(_AGAIN.format(route.gives))

    async def _close(self, route: Route, trouble: _Trouble, now_s: float) -> None:
        timing, lasted_s = self._timing, now_s - trouble.since_s
        is_sure = trouble.refusals >= _SURE and lasted_s >= timing.sure_after_s
        trouble.is_missing = bool(route.product) and is_sure and not await self._has_worked(route)
        wait_s = delay_s(trouble.closures, self._rng, first_s=timing.first_s, cap_s=timing.longest_s)
        trouble.ask_at_s = now_s + (timing.missing_s if trouble.is_missing else wait_s)
        trouble.closures += 1
        _LOG.info("%s; %s come again in %.0f s at the earliest", trouble.reason, route.gives, trouble.ask_at_s - now_s)
        if trouble.is_missing or lasted_s >= timing.tell_after_s:
            await self._tell_once(route, trouble, lasted_s)

    async def _tell_once(self, route: Route, trouble: _Trouble, lasted_s: float) -> None:
        if trouble.is_told:
            return
        trouble.is_told = True
        try:
            is_first = not route.product or self._memory is None or await self._memory.claim(self._app_id(), route.path)
        except TransientError as error:
            _LOG.warning("Whether the operators know already cannot be asked: %s", error)
            is_first = True
        if is_first:
            self._tell(_missing(route) if trouble.is_missing else _lasting(route, trouble, lasted_s))

    async def _has_worked(self, route: Route) -> bool:
        """Whether it ever did with this app; what cannot be known counts as yes, which accuses nobody."""
        if self._memory is None or (self._app_id(), route) in self._known:
            return (self._app_id(), route) in self._known
        try:
            return await self._memory.has_worked(self._app_id(), route.path)
        except TransientError as error:
            _LOG.warning("Whether %s ever came cannot be asked: %s", route.gives, error)
            return True

    async def _remember(self, route: Route, *, was_told: bool) -> bool:
        """Have it remembered that the route works; whether somebody must be told that its trouble is over."""
        app, now_s = self._app_id(), self._clock.monotonic()
        if now_s < self._remember_at_s and not was_told:
            return False
        try:
            was_told = was_told if self._memory is None else await self._memory.works(app, route.path)
        except TransientError as error:
            self._remember_at_s = now_s + self._timing.first_s
            _LOG.debug("It could not be stored that %s come: %s", route.gives, error)
            return was_told
        self._known.add((app, route))
        return was_told

    def _may_ask(self, route: Route) -> bool:
        trouble = self._troubles.get(route)
        if trouble is None or trouble.closures == 0:
            return True
        if trouble.subject != self._subject():
            trouble.ask_at_s, trouble.subject = 0.0, self._subject()
        return not trouble.asking and self._clock.monotonic() >= trouble.ask_at_s

    def _why(self, route: Route, trouble: _Trouble) -> str:
        if trouble.is_missing:
            return f"the app has no {route.product}"
        minutes = (self._clock.monotonic() - trouble.since_s) / 60
        return f"refused {trouble.refusals} times in {minutes:.0f} min, the last time: {trouble.reason}"


def _missing(route: Route) -> str:
    rest = "Chains and figures go on without the stream." if route is Route.STREAMER else "The stream goes on."
    return (
        f"Schwab has never given this app {route.gives}: its product {route.product} is missing. {rest} Add it "
        f"on the developer portal, wait until the app is Ready For Use, and log in again. It is asked for every hour."
    )


def _lasting(route: Route, trouble: _Trouble, lasted_s: float) -> str:
    remedy = LOG_IN if route is Route.LOGIN else "They came before, so this may pass; the bot keeps asking."
    minutes = round(lasted_s / 60)
    return f"Schwab has refused {route.gives} for {minutes} min; the rest goes on. {trouble.reason} {remedy}"
