"""What stands in the settings of the login, found out without asking anybody."""

from collections.abc import Iterator
from typing import Final

from pydantic import SecretStr

from streaming.commands.login.symptoms import Symptom
from streaming.errors import ConfigurationError, GexcordError
from streaming.findings import Finding, fail, failed, ok, warn
from streaming.schwab.login.oauth import parse_callback
from streaming.schwab.login.other_programs import OriginEnvironment
from streaming.settings import StreamSettings

_OTHERS: Final = 0o077
_FIRST_FREE_PORT: Final = 1024


def failure(subject: str, error: GexcordError | Symptom) -> Finding:
    """From an error, with its own exit status, or from a known failure."""
    if isinstance(error, Symptom):
        return fail(subject, f"{error.meaning} {error.remedy}", ConfigurationError.exit_status)
    return failed(subject, error)


def settings_findings(settings: StreamSettings) -> Iterator[Finding]:
    """Key, secret and callback URL, as far as they can be judged by looking."""
    origin = OriginEnvironment()
    yield _secret("SCHWAB_CLIENT_ID", settings.schwab_client_id, "SCHWAB_APPKEY", origin.app_key)
    yield _secret("SCHWAB_CLIENT_SECRET", settings.schwab_client_secret, "SCHWAB_SECRET", origin.app_secret)
    yield _callback(settings.schwab_callback_url)


def _secret(name: str, value: SecretStr | None, old_name: str, old_value: SecretStr | None) -> Finding:
    if value is None:
        hint = f" {old_name} has a value: give it the new name." if old_value is not None else ""
        return failure("settings", ConfigurationError(f"{name} is not set.{hint}", remedy="Set it in .env."))
    text = value.get_secret_value()
    if text != text.strip() or any(mark in text for mark in " \t\"'"):
        return failure("settings", ConfigurationError(f"{name} has quotes or spaces in it.", remedy="Remove them."))
    return ok("settings", f"{name} is set.")


def _callback(url: str) -> Finding:
    try:
        callback = parse_callback(url)
    except ConfigurationError as error:
        return failure("callback", error)
    if not url.startswith("https://"):
        return warn("callback", "SCHWAB_CALLBACK_URL begins with capitals; it must be equal to the app's in that too.")
    if callback.host == "localhost":
        return warn(
            "callback", "Schwab does not take localhost. Register https://127.0.0.1:8182 and set the same here."
        )
    if callback.host != "127.0.0.1":
        return warn("callback", f"{callback.host} is not this machine: logins work with --paste or in Discord only.")
    if callback.port is None or callback.port < _FIRST_FREE_PORT:
        return warn("callback", "its port needs special rights to listen at: logins work with --paste or in Discord.")
    return ok("callback", f"{url} can be listened at; it must equal the app's to the last character.")
