"""`verify-refresh`: refresh once, and prove that the result is in the file."""

import stat
from typing import Final

from streaming.commands.login.login_report import Say
from streaming.errors import LoginRequiredError
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.formats import encode_token
from streaming.schwab.login.oauth import LOG_IN
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token

NOT_PROVEN: Final = 74
"""Exit status: Schwab refreshed, and the file does not hold what came back."""
_PRIVATE: Final = 0o077


async def verify_refresh(auth: SchwabAuthClient, store: TokenStore, say: Say) -> int:
    """0 when the refresh is stored and reads back, else `NOT_PROVEN`; a refused refresh raises as ever."""
    before, version = store.load(), store.version()
    if before is None:
        raise LoginRequiredError(f"There is no Schwab login in {store.path}.", remedy=LOG_IN)
    returned = await auth.refresh()
    problems = _problems(before, returned, store.load(), replaced=store.version() != version)
    if mode := stat.S_IMODE(store.path.stat().st_mode) & _PRIVATE:
        problems.append(f"others may use the file (mode bits {mode:03o})")
    if problems:
        say(f"Refreshed, but not proven: {'; '.join(problems)}.")
        return NOT_PROVEN
    rotated = "Schwab kept the refresh token" if returned.refresh_token == before.refresh_token else "rotated as well"
    say(f"Refreshed: the access token is another one, valid until {returned.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    say(f"Stored: {store.path} was replaced and reads back the same; {rotated}.")
    since = "unknown" if returned.login_at is None else f"{returned.login_at:%Y-%m-%d %H:%M} UTC"
    say(f"Login: unmoved, since {since}.")
    return 0


def _problems(before: Token, returned: Token, stored: Token | None, *, replaced: bool) -> list[str]:
    problems = []
    if returned.access_token == before.access_token:
        problems.append("Schwab returned the same access token")
    if stored is None or encode_token(stored) != encode_token(returned):
        problems.append("the file does not hold what Schwab returned")
    if not replaced:
        problems.append("the file was not replaced")
    if stored is not None and stored.login_at != before.login_at:
        problems.append("the time of the login has moved")
    return problems
