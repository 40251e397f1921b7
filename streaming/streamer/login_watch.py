"""The job that keeps the Schwab login fresh and tells people in time when only they can renew it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from streaming.bus.notes import Notes
from streaming.calendar import NEW_YORK
from streaming.clock import Clock
from streaming.errors import OperatorError, TransientError
from streaming.login_week import due_stage, plan
from streaming.ports import Progress, Tell
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.keeper import Logins, keep_login
from streaming.schwab.login.oauth import LOG_IN

_LOG: Final = logging.getLogger(__name__)
_REMEMBER: Final = timedelta(days=8)
_REMEMBER_NONE: Final = timedelta(days=1)
_UNKNOWN_AGE: Final = (
    "The Schwab login works, but its age is unknown, so no warning can come before its seven days end. "
    "`/token login` starts a week whose end is known."
)
_WORKS_AGAIN: Final = "The Schwab login works again."
_UNSAVED_S: Final = 60.0
_UNSAVED: Final = (
    "Redis has not stored the newest Schwab login for a minute: it does not answer, or no copy of it does. Only this "
    "process has the login, and if it ends before Redis is well again, somebody may have to log in. Do not restart it."
)
_SAVED: Final = "Redis has stored the Schwab login."

Words = Callable[[datetime, datetime, ZoneInfo], str]
"""Says of a login when it ends: its end, now, and the time zone of whoever reads it."""


def ending_words(ends_at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Plain words for a command, a webhook or a log."""
    hours = round((ends_at - now).total_seconds() / 3600)
    return f"The Schwab login has {max(hours, 1)} h left. It {plan(ends_at, now, zone)}. {LOG_IN}"


class LoginWatch:
    """Refreshes before each expiry; tells 48, 24, 6 and 1 h before the login ends, of a refusal at once and once.

    Reminders keep out of the night of `zone`. A refusal is no end: it is asked again, and its end is told too. So is
    a login that only this process has, which nobody else can tell.
    """

    def __init__(
        self,
        auth: SchwabAuthClient,
        logins: Logins,
        memory: Notes,
        *,
        tell: Tell,
        clock: Clock,
        zone: ZoneInfo = NEW_YORK,
        ending: Words = ending_words,
        check_s: float = 30.0,
    ) -> None:
        self._auth = auth
        self._logins = logins
        self._memory = memory
        self._tell = tell
        self._clock = clock
        self._zone = zone
        self._ending = ending
        self._check_s = check_s
        self._told: set[str] = set()
        self._refused: str | None = None
        """The name under which the refusal that stands was told."""
        self._unsaved_s: float | None = None
        """Since when this process alone has the newest login."""
        self._told_unsaved = False

    async def run(self, progress: Progress) -> None:
        """Watch until cancelled; a refused login is told, and waited for, not raised."""

        async def refused(error: OperatorError) -> None:
            progress()
            await self._tell_refusal(error)

        await keep_login(self._watch, self._logins, refused=refused, again=_note_another)

    async def _watch(self) -> None:
        """Keep the login fresh and warn in time, until one of the two raises."""
        tasks = {
            asyncio.create_task(self._auth.keep_fresh(), name="login refresh"),
            asyncio.create_task(self._warn_in_time(), name="login warnings"),
        }
        try:  # no task group: one that fails as it is cancelled forgets the cancellation
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in done:
            task.result()
        raise AssertionError("both tasks run until one of them fails")

    async def _warn_in_time(self) -> None:
        while True:
            status, now = self._auth.status(), self._clock.now()
            self._note_unsaved(is_unsaved=status.unsaved)
            if self._refused is not None and status.present and status.last_error is None:
                await self._tell_over(self._refused)
            if status.present and status.login_ends_at is None:
                await self._tell_once("unknown-age", _UNKNOWN_AGE)
            elif (ends_at := status.login_ends_at) is not None:
                await self._remind(ends_at, now)
            await self._clock.sleep(self._check_s)

    def _note_unsaved(self, *, is_unsaved: bool) -> None:
        """Tell what lasts, and its end."""
        since_s, now_s = self._unsaved_s, self._clock.monotonic()
        self._unsaved_s = None if not is_unsaved else now_s if since_s is None else since_s
        if self._unsaved_s is not None and now_s - self._unsaved_s >= _UNSAVED_S and not self._told_unsaved:
            self._told_unsaved = True
            self._tell(_UNSAVED)
        elif self._told_unsaved and not is_unsaved:
            self._told_unsaved = False
            self._tell(_SAVED)

    async def _remind(self, ends_at: datetime, now: datetime) -> None:
        if (hours := due_stage(ends_at, now, self._zone)) is not None:
            await self._tell_once(f"{self._auth.login_id()}:{hours}h", self._ending(ends_at, now, self._zone))

    async def _tell_refusal(self, error: OperatorError) -> None:
        """Tell a refusal once, however often it is repeated."""
        login = self._auth.login_id()
        ttl = _REMEMBER_NONE if login == "none" else _REMEMBER
        name = f"{login}:refused:{type(error).__name__}"
        if name != self._refused:
            _LOG.error("the Schwab login needs a person: %s", error.sentence)
        self._refused = name
        await self._tell_once(name, error.sentence, ttl=ttl, even_if_unsure=True)

    async def _tell_over(self, name: str) -> None:
        """Tell once, whichever process was first to see it, that nobody needs to act any more."""
        try:
            is_first = await self._memory.release(name)
        except TransientError as error:
            _LOG.warning("whether the operators know already cannot be asked: %s", error)
            return
        self._refused = None
        self._told.discard(name)
        if is_first:
            self._tell(_WORKS_AGAIN)

    async def _tell_once(
        self, name: str, sentence: str, *, ttl: timedelta = _REMEMBER, even_if_unsure: bool = False
    ) -> None:
        """Tell what nobody has told yet; while Redis is away a warning waits, what is urgent does not."""
        if name in self._told and not even_if_unsure:
            return
        try:
            is_new = await self._memory.claim(name, ttl=ttl)
        except TransientError as error:
            _LOG.warning("whether the operators know already cannot be asked: %s", error)
            if not even_if_unsure:
                return
            is_new = name not in self._told
        self._told.add(name)
        if is_new:
            self._tell(sentence)


def _note_another(is_another: bool) -> None:
    if is_another:
        _LOG.info("another Schwab login is stored")
