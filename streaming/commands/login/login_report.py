"""What a shell is told of the login."""

from collections.abc import Callable
from datetime import datetime

from streaming.errors import LoginRequiredError
from streaming.schwab.login.oauth import LOG_IN
from streaming.status import TokenStatus

Say = Callable[[str], None]


def report_status(status: TokenStatus, now: datetime, say: Say) -> int:
    """Print the status; LoginRequiredError when there is no login or it is over."""
    if not status.present:
        raise LoginRequiredError(status.last_error or "There is no Schwab login.", remedy=_remedy(status))
    for line in describe(status, now):
        say(line)
    is_over = status.login_ends_at is not None and status.login_ends_at <= now
    return LoginRequiredError.exit_status if is_over else 0


def describe(status: TokenStatus, now: datetime) -> list[str]:
    """What a person wants to know of a login, a line each; times in UTC."""
    lines = []
    if status.access_expires_at is not None:
        minutes = round((status.access_expires_at - now).total_seconds() / 60)
        lines.append(f"access token: valid for {minutes} min" if minutes > 0 else "access token: expired")
    if status.login_ends_at is None:
        lines.append("login: of unknown age; it lasts seven days from the browser login")
    elif status.login_ends_at <= now:
        lines.append(f"login: over since {status.login_ends_at:%Y-%m-%d %H:%M} UTC. {LOG_IN}")
    else:
        hours = (status.login_ends_at - now).total_seconds() / 3600
        lines.append(f"login: lasts until {status.login_ends_at:%Y-%m-%d %H:%M} UTC ({hours / 24:.1f} days)")
    if status.last_refresh_at is not None:
        lines.append(f"last refresh: {status.last_refresh_at:%Y-%m-%d %H:%M} UTC")
    if status.last_error is not None:
        lines.append(f"last error: {status.last_error}")
    return lines


def _remedy(status: TokenStatus) -> str:
    """An error that was kept as a sentence has its remedy in it."""
    return "" if status.last_error else LOG_IN
