"""`token import|export|logout`: logins from and to other programs, and the end of one."""

from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from streaming.commands.login.login_report import Say
from streaming.errors import LoginRequiredError, RequestError
from streaming.schwab.login.cipher import TokenCipher
from streaming.schwab.login.oauth import LOG_IN
from streaming.schwab.login.other_programs import OriginEnvironment, read_environment, read_file
from streaming.schwab.login.token_store import TokenStore

_THEIR_KEY: Final = "the key that was asked for"
_UNKNOWN_AGE: Final = "Its age is unknown, so no warning can come before its seven days end."


async def import_login(
    store: TokenStore, path: Path | None, *, now: datetime, key: SecretStr | None, asked_key: SecretStr | None, say: Say
) -> None:
    """Store the login of a file in any known format, or without `path` that of the origin's variables."""
    cipher = TokenCipher(key) if asked_key is None else TokenCipher(asked_key, named=_THEIR_KEY)
    token = read_file(path, now=now, cipher=cipher) if path else read_environment(OriginEnvironment(), now=now)
    async with store.locked():
        store.save(token)
    say(f"The login of {path or 'the environment'} is now in {store.path}.")
    if token.login_at is None:
        say(_UNKNOWN_AGE)
    say("Let only one of the two programs log in from now on: a new login ends the other one's.")


def export_login(store: TokenStore, path: Path, *, overwrite: bool, say: Say) -> None:
    """Write the login where schwab-py can open it, private and not encrypted."""
    token = store.load()
    if token is None:
        raise LoginRequiredError(f"There is no Schwab login in {store.path}.", remedy=LOG_IN)
    if token.login_at is None:
        raise RequestError("The login's age is unknown, and schwab-py refuses a file without it.", remedy=LOG_IN)
    if path.exists() and not overwrite:
        raise RequestError(f"{path} exists already.", remedy="Name another file, or add --force.")
    TokenStore(path).save(token)
    say(f"{path} holds the login in the shape of schwab-py, readable by you alone. Whoever has it can trade for you.")


async def log_out(store: TokenStore, say: Say) -> None:
    """Delete the stored login."""
    async with store.locked():
        if store.version() is None:
            say(f"There was no login in {store.path}.")
            return
        store.delete()
    say(f"{store.path} is deleted. Schwab itself ends a login only after its seven days, or when you log in anew.")
