"""What each known failure of a Schwab login looks like, what it means and what helps. Pure.

See specs/schwab-wire.md §1, §4.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Symptom:
    """A known failure; `marks` are the words by which it is known, in small letters."""

    name: str
    marks: tuple[str, ...]
    meaning: str
    remedy: str


CALLBACK: Final = Symptom(
    "callback",
    ("redirect_uri", "redirect uri", "callback"),
    "The callback URL is not the one registered for the app.",
    "Copy the URL from the developer portal into SCHWAB_CALLBACK_URL; capitals, port and final slash count.",
)
APP_NOT_READY: Final = Symptom(
    "app not ready",
    ("whitelabel", "unable to complete your request", "approved - pending"),
    "The app is not ready, or its callback URL is different.",
    "Wait until the developer portal says Ready For Use (an edited app waits again), then compare SCHWAB_CALLBACK_URL.",
)
WRONG_SECRET: Final = Symptom(
    "app key or secret",
    ("invalid_client",),
    "Schwab does not accept the app key or secret.",
    "Copy both from the developer portal into SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET, without quotes or spaces.",
)
CODE_TOO_OLD: Final = Symptom(
    "code too old",
    ("codes live 30 seconds", "authenticating authorization code", "unsupported_token_type", "invalid_grant"),
    "Right after a login: its code was used already or older than 30 seconds.",
    "Log in again and paste the address at once, or let the program catch it: `python -m streaming token login`.",
)
LOGIN_OVER: Final = Symptom(
    "login over",
    (
        "refresh_token_authentication_error",
        "refresh token invalid",
        "refresh token expired",
        "unsupported_token_type",
        "invalid_grant",
        "login is over",
    ),
    "On a refresh: the seven days are over, or another login of the same user has replaced this one.",
    "Log in again with `python -m streaming token login` or `/token login`, and let all programs share one token file.",
)
PRODUCT_MISSING: Final = Symptom(
    "product missing",
    ("client not authorized", "although the token is fresh"),
    "The token is good, but the app lacks an API product.",
    "Add Accounts and Trading Production and Market Data Production to the app, wait for Ready For Use, log in again.",
)
FIREWALL: Final = Symptom(
    "firewall",
    ("access denied", "<html", "edgesuite", "firewall"),
    "A firewall in front of Schwab turned the request away; nothing of yours is wrong.",
    "Wait some minutes and try again; switch off a VPN or proxy. This usually passes.",
)
CLOCK: Final = Symptom(
    "clock",
    ("not yet valid", "certificate has expired", "clock"),
    "The machine's clock is wrong.",
    "Turn on time synchronisation, for example with `timedatectl set-ntp true`.",
)
FILE: Final = Symptom(
    "token file",
    ("permission denied", "read-only file system", "no space left", "cannot be used"),
    "The token file cannot be read or replaced.",
    "Make its folder yours and private (chown, chmod 700), the file chmod 600, or correct SCHWAB_TOKEN_PATH.",
)
NETWORK: Final = Symptom(
    "network",
    ("cannot be reached", "name or service not known", "name resolution", "timed out", "did not answer"),
    "Schwab cannot be reached from here.",
    "Check network, name resolution and proxy, and that SCHWAB_API_URL is https://api.schwabapi.com.",
)
WRONG_USER: Final = Symptom(
    "wrong user",
    ("invalid login", "login id or password", "password is incorrect"),
    "Schwab's page expects the brokerage login, not the developer portal's.",
    "Sign in with the user and password of the brokerage account.",
)
CERTIFICATE: Final = Symptom(
    "certificate warning",
    ("not private", "err_cert", "self-signed", "self signed", "sec_error"),
    "The browser warns about the certificate that this program made for the redirect; that is expected.",
    "Go on to 127.0.0.1 (Advanced, Proceed), or use `python -m streaming token login --paste`.",
)
NOTHING_THERE: Final = Symptom(
    "page does not load",
    ("err_connection_refused", "unable to connect", "site can't be reached", "site can’t be reached"),
    "After the login the browser ends on an address of this machine where nothing answers; that is expected.",
    "Copy the whole address of that page and paste it where the login was started, within 30 seconds.",
)
TOO_MANY: Final = Symptom(
    "too many requests",
    ("429", "too many requests"),
    "Schwab asks to be left alone for a while.",
    "Nothing: the program waits. Lower GEX_CHAIN_REQUESTS_PER_MINUTE if it happens often.",
)
SYMPTOMS: Final = (
    CALLBACK,
    APP_NOT_READY,
    WRONG_SECRET,
    CODE_TOO_OLD,
    LOGIN_OVER,
    PRODUCT_MISSING,
    FIREWALL,
    CLOCK,
    FILE,
    NETWORK,
    WRONG_USER,
    CERTIFICATE,
    NOTHING_THERE,
    TOO_MANY,
)


def explain(text: str) -> tuple[Symptom, ...]:
    """What a message, a page or an error may mean; empty when nothing in it is known."""
    small = text.lower()
    return tuple(symptom for symptom in SYMPTOMS if any(mark in small for mark in symptom.marks))


def authorize_symptom(status: int, body: str) -> Symptom | None:
    """What Schwab's answer to the authorise URL means; None when the login page can be shown."""
    if status < 400:  # noqa: PLR2004 - HTTP's own line between success and failure
        return next((found for found in explain(body) if found in (APP_NOT_READY, FIREWALL)), None) if body else None
    known = [found for found in explain(body) if found in (CALLBACK, APP_NOT_READY, WRONG_SECRET, FIREWALL, TOO_MANY)]
    if known:
        return known[0]
    return WRONG_SECRET if status == 401 else APP_NOT_READY  # noqa: PLR2004 - Unauthorized
