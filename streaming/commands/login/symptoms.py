"""What each known message of Schwab's login, streamer and REST routes looks like, what it means and what helps. Pure.

See specs/schwab-wire.md §1, §2.4, §3, §4.
"""

import re
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
    ("invalid_client", "unauthorized_client"),
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
    ("client not authorized", "although the token is fresh", "streamerinfo"),
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
DECLINED: Final = Symptom(
    "access declined",
    ("access_denied",),
    "Schwab's page was left without allowing the app, or no account was chosen.",
    "Log in again, choose at least one account and press Allow.",
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
MALFORMED: Final = Symptom(
    "malformed token request",
    ("invalid_request",),
    "Schwab's token endpoint could not read what it was sent.",
    "Report it: this program builds that request itself. With a program of yours, look at its content type and form.",
)
SERVER_TROUBLE: Final = Symptom(
    "trouble at schwab",
    (
        "http 500",
        "http 502",
        "http 503",
        "http 504",
        "internal server error",
        "bad gateway",
        "service unavailable",
        "gateway timeout",
        "faultstring",
    ),
    "Schwab's servers have trouble; nothing of yours is wrong.",
    "Nothing: the program asks again by itself, and the stored login is kept.",
)
ROUTE_GONE: Final = Symptom(
    "route gone",
    ("requested route", "404 not found"),
    "A route of Schwab's is missing for a while; this happens while they have trouble.",
    "Nothing: ticks and the other routes go on, and the route is asked again by itself.",
)
TOO_BIG: Final = Symptom(
    "answer too big",
    ("toobigbody", "ischaintruncated"),
    "More was asked for than Schwab sends in one answer.",
    "Lower GEX_CHAIN_STRIKES or GEX_CHAIN_DAYS; asking again unchanged does not help.",
)
UNKNOWN_SYMBOL: Final = Symptom(
    "unknown symbol",
    ("symbol not found", "invalidsymbols"),
    "Schwab knows no such symbol.",
    "Correct it: an index is $SPX without .X, a future /ES, and an option has 21 characters with its spaces.",
)
NO_CHAIN: Final = Symptom(
    "no chain",
    ("status failed", "calls itself failed"),
    "Schwab has no option chain for this: an unknown symbol, or no expiry between the dates asked for.",
    "Check the symbol ($SPX without .X; no chains of futures). The program keeps the chain it has and asks again.",
)
NOT_SUPPORTED: Final = Symptom(
    "feature not supported",
    ("feature not supported",),
    "The row that Schwab's account activity sends at about 00:30 New York time.",
    "Nothing: this program does not use account activity. A program of yours may skip the row.",
)
UNAUTHORIZED: Final = Symptom(
    "unauthorized",
    ("http 401", "status 401", "answered 401", "error 401", "401 unauthorized", "unauthorized"),
    "Schwab does not accept the access token, or the app lacks the product that the request belongs to.",
    "Nothing at first: the token is renewed and the request repeated. If it lasts: `python -m streaming token doctor`.",
)
_WELL: Final = "Nothing is wrong."
STREAM_CODES: Final = (
    Symptom("stream code 0", ("code 0", "command succeeded", "status=np"), "The streamer agreed.", _WELL),
    Symptom(
        "stream code 3",
        ("code 3", "login_denied", "login denied"),
        "The streamer refused the access token.",
        "Nothing at first: the token is renewed and tried once more. If it lasts, log in again with `/token login`.",
    ),
    Symptom(
        "stream code 9",
        ("code 9", "unknown_failure"),
        "The streamer failed without saying why.",
        "Nothing: the request is repeated twice, then every five minutes.",
    ),
    Symptom(
        "stream code 11",
        ("code 11", "service_not_available", "service not available"),
        "The streamer has no such service, or it is down.",
        "Nothing: the other services go on, and this one is asked again every five minutes.",
    ),
    Symptom(
        "stream code 12",
        ("code 12", "close_connection"),
        "Another program of the same Schwab user has taken over the stream; each user has one.",
        "Stop the other program, or let both read the same Redis; `/stream start` takes the stream back.",
    ),
    Symptom(
        "stream code 19",
        ("code 19", "reached_symbol_limit", "symbol limit"),
        "More symbols were asked for than one session may have.",
        "Shorten SCHWAB_SYMBOLS or lower GEX_LIVE_OPTIONS; `/stream status` names what was left out.",
    ),
    Symptom(
        "stream code 20",
        ("code 20", "stream_conn_not_found"),
        "The streamer no longer knows the connection.",
        "Nothing: the program connects again.",
    ),
    Symptom(
        "stream code 21",
        ("code 21", "bad_command_format"),
        "The streamer could not read a request, most often because of one symbol.",
        "Look at `/stream status`: the symbol is found by halves, left out and named there.",
    ),
    Symptom(
        "stream codes 22 to 25",
        (
            *(f"code {code}" for code in range(22, 26)),
            *(f"failed_command_{word}" for word in ("subs", "unsubs", "add", "view")),
        ),
        "The streamer could not carry out a request, usually because another one was under way.",
        "Nothing: requests go one by one and are repeated. With a program of yours, wait for each answer.",
    ),
    Symptom(
        "stream codes 26 to 29",
        (
            *(f"code {code}" for code in range(26, 30)),
            *(f"succeeded_command_{word}" for word in ("subs", "unsubs", "add", "view")),
        ),
        "The streamer carried out a request.",
        _WELL,
    ),
    Symptom(
        "stream code 30",
        ("code 30", "stop_streaming", "stop streaming", "empty subscription", "slowness"),
        "The streamer ended the connection: nothing subscribed, inactivity, slowness or an administrator.",
        "Nothing: the program connects again if anything is subscribed. SCHWAB_SYMBOLS says what.",
    ),
    Symptom(
        "stream closed",
        ("1000", "1001", "1006", "1011", "no close frame"),
        "The connection to the streamer ended.",
        "Nothing: the program connects again and renews every subscription.",
    ),
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
    DECLINED,
    NOTHING_THERE,
    TOO_MANY,
    MALFORMED,
    SERVER_TROUBLE,
    ROUTE_GONE,
    TOO_BIG,
    UNKNOWN_SYMBOL,
    NO_CHAIN,
    NOT_SUPPORTED,
    UNAUTHORIZED,
    *STREAM_CODES,
)
_PAIR: Final = re.compile(r"\b(code|status)\W{1,4}(\d+|failed)")
"""`"code":30` or `"status":"FAILED"` as it stands in a frame or an answer."""
_WELL_AFTER: Final = r"(?!\W{1,4}false|\W{1,99}(?:streamersocket|schwabclient))"
"""What follows a name in an answer that is as it should be."""


def explain(text: str) -> tuple[Symptom, ...]:
    """What a message, a page or an error may mean; empty when nothing in it is known."""
    small = _PAIR.sub(r"\1 \2", text.lower())
    found = tuple(symptom for symptom in SYMPTOMS if any(_has(small, mark) for mark in symptom.marks))
    return tuple(symptom for symptom in found if symptom is not UNAUTHORIZED) or found  # others are more exact


def _has(text: str, mark: str) -> bool:
    """Whether a mark stands in a text by itself: `code 3` is no beginning of `code 30`."""
    return re.search(rf"(?<![a-z0-9]){re.escape(mark)}(?!\d){_WELL_AFTER}", text) is not None


def authorize_symptom(status: int, body: str) -> Symptom | None:
    """What Schwab's answer to the authorise URL means; None when the login page can be shown."""
    if status < 400:  # noqa: PLR2004 - HTTP's own line between success and failure
        return next((found for found in explain(body) if found in (APP_NOT_READY, FIREWALL)), None) if body else None
    known = [found for found in explain(body) if found in (CALLBACK, APP_NOT_READY, WRONG_SECRET, FIREWALL, TOO_MANY)]
    if known:
        return known[0]
    return WRONG_SECRET if status == 401 else APP_NOT_READY  # noqa: PLR2004 - Unauthorized
