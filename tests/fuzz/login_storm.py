"""Storms over a login that two machines share, in virtual time: `python -m tests.fuzz.login_storm SEED [N]`.

Four hours in which people log in on either machine, whose clocks are apart, while machines are killed and paused,
Redis is away, loses answers, what no copy of it has confirmed, or all its data, and Schwab is slow, silent or has
trouble. One seed is one storm.
What must hold: no two refreshes with one refresh token at the same time, which a strict Schwab answers by ending the
login; at the end both machines have a token that Schwab accepts, without another login; and Schwab is not hammered.
"""

import asyncio
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streaming.errors import GexcordError, OperatorError
from tests.support.shared_login import Machine, MemoryPlace, StrictSchwab
from tests.support.virtual_loop import Household, VirtualLoop, run_virtually

_START = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
_TROUBLE_S = 4 * 3600.0
_CALM_S = 900.0
_DEEDS = 60
_TRIES = 12
"""How often a person tries: Redis may be away for minutes."""
_MOST_REFRESHES = 60
"""Some eight for each machine are due in four hours; kills, tokens that died and answers that were lost cost more."""


@dataclass(frozen=True)
class LoginVerdict:
    """What a storm came to."""

    seed: int
    reasons: tuple[str, ...]
    refreshes: int
    logins: int


class _Process:
    """A machine's bot: it keeps the login fresh, and comes back when it was killed."""

    def __init__(self, storm: "_LoginStorm", apart: timedelta) -> None:
        self._storm = storm
        self._apart = apart
        self.busy = False
        """Whether a person logs in here, who is not killed with the code in hand: only another login would help."""
        self.start()

    def start(self) -> None:
        storm = self._storm
        self.machine = Machine(storm.place, storm.schwab, storm.rng, _START, self._apart)
        self.household = Household()
        self.task = storm.loop.create_task(self._keep(), context=self.household.context)

    async def _keep(self) -> None:
        """As `keep_login`: after a refusal, again in a minute."""
        auth, clock = self.machine.auth, self.machine.clock
        while True:
            with suppress(OperatorError):
                await auth.keep_fresh()
            await clock.sleep(60.0)

    async def kill(self, for_s: float) -> None:
        """Nothing of it arrives any more."""
        self.machine.secret.dead = True
        self.task.cancel()
        await asyncio.sleep(for_s)
        self.start()

    async def pause(self, for_s: float) -> None:
        household = self.household
        household.asleep = True
        await asyncio.sleep(for_s)
        household.wake(self._storm.loop)


class _LoginStorm:
    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self.loop, self.rng = loop, random.Random(seed)
        self.seed = seed
        self.place = MemoryPlace(int(_START.timestamp() * 1000))
        self.schwab = StrictSchwab(self.rng, copy_context())
        self._calm_from_s = 0.0
        self._no_kill_before_s = 0.0
        self.processes = [_Process(self, timedelta(minutes=self.rng.choice((-60, -3, 0, 0, 3, 60)))) for _ in range(2)]

    async def run(self) -> LoginVerdict:
        await self._log_in()
        deeds = [
            asyncio.ensure_future(self._later(self.rng.uniform(60.0, _TROUBLE_S), self.rng.choice(self._deeds())))
            for _ in range(_DEEDS)
        ]
        await asyncio.gather(*deeds)
        await asyncio.sleep(_CALM_S)
        return LoginVerdict(self.seed, tuple(await self._reasons()), self.schwab.refreshes, self.schwab.logins)

    def _deeds(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self._kill,
            self._kill_in_turn,
            self._kill_in_turn,
            self._pause,
            self._pause_in_turn,
            self._pause_in_turn,
            self._redis_away,
            self._answers_lost,
            self._wiped,
            self._failed_over,
            self._failed_over,
            self._slow,
            self._trouble,
            self._access_dies,
            self._access_dies,
            self._log_in,
        ]

    async def _later(self, at_s: float, deed: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(at_s)
        await deed()

    async def _kill(self) -> None:
        process = self.rng.choice(self.processes)
        if process.busy or process.machine.secret.dead or self.loop.time() < self._no_kill_before_s:
            return
        await process.kill(self.rng.uniform(1.0, 300.0))

    async def _pause(self) -> None:
        process = self.rng.choice(self.processes)
        if not process.household.asleep:
            await process.pause(self.rng.choice((3.0, 20.0, 50.0, 400.0)))

    async def _kill_in_turn(self) -> None:
        """Between the refresh and its storing, or just before or behind them."""
        await self._somebodys_turn()
        await self._kill()

    async def _pause_in_turn(self) -> None:
        await self._somebodys_turn()
        await self._pause()

    async def _somebodys_turn(self) -> None:
        self.place.taken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(1800.0):
                await self.place.taken.wait()
        await asyncio.sleep(self.rng.choice((0.0, 0.01, 0.02, 0.05, 0.3)))

    async def _redis_away(self) -> None:
        self.place.away = True
        await asyncio.sleep(self.rng.choice((1.0, 30.0, 200.0)))
        self.place.away = False

    async def _answers_lost(self) -> None:
        self.place.loses_answers = True
        await asyncio.sleep(self.rng.choice((1.0, 20.0)))
        self.place.loses_answers = False

    async def _wiped(self) -> None:
        """With its data gone, somebody must live to tell it again."""
        if any(process.machine.secret.dead or process.household.asleep for process in self.processes):
            return
        self.place.wipe()
        self._no_kill_before_s = self.loop.time() + 600.0

    async def _failed_over(self) -> None:
        """What no copy has confirmed is gone, whoever lives to tell it again."""
        self.place.has_copy = False
        await asyncio.sleep(self.rng.choice((0.5, 4.0, 30.0, 300.0)))
        self.place.fail_over()

    async def _slow(self) -> None:
        self.schwab.slow_s = self.rng.choice((2.0, 11.0, 18.0))
        await asyncio.sleep(120.0)
        self.schwab.slow_s = 0.3

    async def _trouble(self) -> None:
        self.schwab.trouble = self.rng.choice(("503", "silent"))
        await asyncio.sleep(self.rng.uniform(5.0, 120.0))
        self.schwab.trouble = ""

    async def _access_dies(self) -> None:
        """Schwab ends access tokens early; whoever meets it asks for another, as the REST client does."""
        self.schwab.access.clear()
        await asyncio.gather(
            *(self._meet_401(process) for process in self.processes if not process.machine.secret.dead)
        )

    async def _meet_401(self, process: _Process) -> None:
        auth = process.machine.auth

        async def ask() -> None:
            with suppress(GexcordError):
                rejected = await auth.access_token()
                if not self.schwab.accepts(rejected):
                    await auth.access_token(rejected=rejected)

        await self.loop.create_task(ask(), context=process.household.context)

    async def _log_in(self) -> None:
        """A person logs in on one of the machines, again and again until it says that it worked."""
        process = self.rng.choice(self.processes)
        if process.busy or process.machine.secret.dead:
            return
        process.busy = True
        with suppress(asyncio.CancelledError):
            await self.loop.create_task(self._sign_in(process.machine), context=process.household.context)
        await asyncio.sleep(300.0)  # what could not be stored is owed: a kill before that costs a login
        process.busy = False

    async def _sign_in(self, machine: Machine) -> None:
        for _ in range(_TRIES):
            attempt = machine.auth.begin_login()
            address = self.schwab.authorize(attempt.url)
            await asyncio.sleep(self.rng.uniform(0.5, 2.0))
            with suppress(GexcordError):
                await machine.auth.finish_login(attempt, address)
                return
            await asyncio.sleep(30.0)

    async def _reasons(self) -> list[str]:
        reasons = list(self.schwab.violations)
        for number, process in enumerate(self.processes):
            try:
                token = await process.machine.auth.access_token()
                if not self.schwab.accepts(token):
                    token = await process.machine.auth.access_token(rejected=token)
            except GexcordError as error:
                reasons.append(f"machine {number} has no token: {error.sentence}")
            else:
                if not self.schwab.accepts(token):
                    reasons.append(f"machine {number} hands out a token that Schwab does not accept")
            process.task.cancel()
        if self.schwab.refreshes > _MOST_REFRESHES:
            reasons.append(f"{self.schwab.refreshes} refreshes in {_TROUBLE_S / 3600:.0f} hours")
        return reasons


def login_storm(seed: int) -> LoginVerdict:
    """One storm."""

    async def main(loop: VirtualLoop) -> LoginVerdict:
        return await _LoginStorm(loop, seed).run()

    return run_virtually(main)


def _main(first: int, count: int) -> int:
    logging.disable(logging.CRITICAL)
    began_s, red, refreshes, logins = time.perf_counter(), 0, 0, 0
    for seed in range(first, first + count):
        verdict = login_storm(seed)
        refreshes, logins = refreshes + verdict.refreshes, logins + verdict.logins
        if verdict.reasons:
            red += 1
            print(f"seed {seed}: {'; '.join(verdict.reasons)}", flush=True)  # noqa: T201
    took_s = time.perf_counter() - began_s
    print(f"{count} storms, {red} red, {logins} logins, {refreshes} refreshes, {took_s:.0f} s")  # noqa: T201
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
