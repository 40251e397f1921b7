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
    ("invalid_client", "unauthorized_client", "app key or secret", "app key and secret"),
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
        "accepts the stored login",
        "secret, or the stored login",
        "refused the stored login",
        "login needs a person",
    ),
    "On a refresh: the seven days are over, or another login of the same user has replaced this one.",
    "Log in again with `python -m streaming token login` or `/token login`, and let all programs share one token file.",
)
PRODUCT_MISSING: Final = Symptom(
    "product missing",
    ("client not authorized", "although the token is fresh", "streamerinfo", "name no streamer"),
    "The token is good, but the app lacks an API product.",
    "Add Accounts and Trading Production and Market Data Production to the app, wait for Ready For Use, log in again.",
)
FIREWALL: Final = Symptom(
    "firewall",
    ("access denied", "<html", "edgesuite", "firewall", "in front of schwab"),
    "A firewall in front of Schwab turned the request away; nothing of yours is wrong.",
    "Wait some minutes and try again; switch off a VPN or proxy. This usually passes.",
)
CLOCK: Final = Symptom(
    "clock",
    ("not yet valid", "certificate has expired", "clock", "behind schwab's", "ahead of schwab's"),
    "The machine's clock is wrong.",
    "Turn on time synchronisation, for example with `timedatectl set-ntp true`.",
)
FILE: Final = Symptom(
    "token file",
    (
        *("permission denied", "read-only file system", "no space left", "cannot be used", "no token can be kept in"),
        *("another user's", "not the place for a token"),
    ),
    "The token file cannot be read or replaced.",
    "Make its folder yours and private (chown, chmod 700), the file chmod 600, or correct SCHWAB_TOKEN_PATH.",
)
NETWORK: Final = Symptom(
    "network",
    (
        *("cannot be reached", "name or service not known", "name resolution", "timed out", "did not answer"),
        "not a usable url",
    ),
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
    ("access_denied", "schwab refused the login"),
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
    ("http 429", "too many requests"),
    "Schwab asks to be left alone for a while.",
    "Nothing: the program waits. Lower GEX_CHAIN_REQUESTS_PER_MINUTE if it happens often.",
)
MALFORMED: Final = Symptom(
    "malformed token request",
    ("invalid_request", "token request malformed"),
    "Schwab's token endpoint could not read what it was sent.",
    "Report it: this program builds that request itself. With a program of yours, look at its content type and form.",
)
SERVER_TROUBLE: Final = Symptom(
    "trouble at schwab",
    (
        *(f"http {status}" for status in (*range(500, 505), *range(520, 525))),
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
    ("requested route", "404 not found", "has no route for"),
    "A route of Schwab's is missing for a while; this happens while they have trouble.",
    "Nothing: ticks and the other routes go on, and the route is asked again by itself.",
)
TOO_BIG: Final = Symptom(
    "answer too big",
    ("toobigbody", "ischaintruncated", "schwab calls even", "strikes far from the money are left out"),
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
    ("http 401", "unauthorized"),
    "Schwab does not accept the access token, or the app lacks the product that the request belongs to.",
    "Nothing at first: the token is renewed and the request repeated. If it lasts: `python -m streaming token doctor`.",
)
FORBIDDEN: Final = Symptom(
    "forbidden",
    ("http 403", "forbidden"),
    "Schwab, or a firewall in front of it, does not let the request through.",
    "Nothing, if it passes within minutes. Else switch off a VPN or proxy, and compare the app's products.",
)
REFUSED: Final = Symptom(
    "request refused",
    ('"errors":', "http 400", "http 404", "http 405", "http 422"),
    "Schwab does not carry out this request; the words beside it, if there are any, say why.",
    "Correct the symbol or the date that was asked for; asking again unchanged does not help.",
)
NOT_SET: Final = Symptom(
    "no app",
    (
        *("schwab_client_id is not set", "schwab_client_secret is not set", "schwab_client_secret are not set"),
        "has quotes or spaces",
    ),
    "The program does not know the Schwab app's key and secret.",
    "Copy both from the developer portal into SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET, without quotes or spaces.",
)
NO_LOGIN: Final = Symptom(
    "no login",
    (
        *("there is no schwab login", "there is no login in", "there is no token file", "holds no login"),
        *("holds no refresh token", "holds an access token only", "is not json. log in", "login's age is unknown"),
    ),
    "What is stored there is no login that works and can be renewed for a week.",
    "Log in with `python -m streaming token login` or `/token login`, or take a login over with `token import FILE`.",
)
IMPORT: Final = Symptom(
    "import",
    (
        *("python pickle", "large for a token file", "its formats are listed", "token database of schwabdev"),
        *("neither schwab_tokens_json", "cannot be read: ", "exists already"),
    ),
    "The login of another program cannot be taken over from there, or handed on to there.",
    "The formats are listed in specs/operations.md. Else log in with `python -m streaming token login`.",
)
TOKEN_KEY: Final = Symptom(
    "token key",
    ("was encrypted with another", "is encrypted and", "is not a fernet key"),
    "The stored login is encrypted, and the key is missing, damaged or another one than it was encrypted with.",
    "Give every machine and program the same SCHWAB_TOKEN_KEY; without the old one: `token logout`, and log in again.",
)
LINK_OVER: Final = Symptom(
    "login link",
    (
        *("ten minutes old", "no login arrived within", "belongs to another login", "login was not begun here"),
        *("finishes this login", "begun here", "another machine began"),
    ),
    "The browser came back with a link that is too old, is not the newest, or was asked for at another process.",
    "Ask for a new link and open that; or paste the whole address of the page under the link that was asked for last.",
)
WRONG_ADDRESS: Final = Symptom(
    "address of the callback",
    ("address that is registered",),
    "The browser reached the bot under another name than that of SCHWAB_CALLBACK_URL.",
    "Let the proxy or tunnel keep Host, or name it in SCHWAB_CALLBACK_PROXIES; `token doctor` asks the address.",
)
PASTED: Final = Symptom(
    "pasted address",
    ("not the whole address", "not an address", "no code in that url", "is cut short", "no address was pasted"),
    "What was pasted is not the whole address at which the browser ended.",
    "Open the link again, and copy the address to its last character, within 30 seconds.",
)
LOGIN_TURN: Final = Symptom(
    "another one renews the login",
    ("held the schwab login", "turn at the schwab login", "turn to renew the schwab login", "another process has held"),
    "Another machine or process had its turn at the stored login; one at a time renews it.",
    "Nothing: it is tried again by itself. If it lasts, look for a process of the bot that hangs, and end it.",
)
NOT_STORED: Final = Symptom(
    "login not stored",
    (
        *("has not stored", "not stored yet", "has just lost its data", "has lost what it knew"),
        *("until it is stored", "how a login went", "that machines share"),
    ),
    "Redis, by which machines share the login, does not answer or has lost data; this machine still has the login.",
    "Leave the program running: it stores the login as soon as it can. Look at REDIS_URL and the server there.",
)
UNREADABLE_ANSWER: Final = Symptom(
    "unreadable answer",
    (
        *("not a json object", "answered without tokens", "without a refresh token", "cannot be joined"),
        *("preferences cannot be read", "expirations cannot be read", "schwab's quotes cannot be read"),
        *("a frame from schwab", "bytes from schwab", "cannot be read by this version", "token of an impossible life"),
        "not reached by wss",
    ),
    "Schwab, or what shares its login, sent something that this version does not understand.",
    "Nothing at first: what is known is kept, and it is asked again. If it lasts, update; else report it with the log.",
)
DELAYED: Final = Symptom(
    "delayed quotes",
    ("no real-time quotes",),
    "Schwab sends the account's quotes with a delay.",
    "Accept the exchanges' market-data agreements on Schwab's site, then restart the stream.",
)
NO_DATA: Final = Symptom(
    "no data for a symbol",
    ("schwab has sent nothing for",),
    "The streamer took the subscription and sends no rows for it.",
    "Compare the symbol with Schwab's own site: an index is $SPX without .X, a future /ES. `/stream status` shows it.",
)
LEASE: Final = Symptom(
    "another process streams",
    ("is streaming now", "holds the lease", "has gone to another process", "holds gexcord:"),
    "Another process on the same Redis has the lease; one streams, and the others stand by.",
    "Nothing, unless the other one should not run: stop it, and this one takes over within seconds.",
)
REDIS: Final = Symptom(
    "redis",
    ("redis", "no sentinel"),
    "Redis does not answer, refuses, or is not what REDIS_URL says.",
    "Look at REDIS_URL and the server there. What is streamed meanwhile is kept for it, as far as its memory goes.",
)
_CLOSE_CODES: Final = (1000, 1001, 1006, 1011)
_WELL: Final = "Nothing is wrong."
STREAM_CODES: Final = (
    Symptom("stream code 0", ("code 0", "command succeeded", "status=np"), "The streamer agreed.", _WELL),
    Symptom(
        "stream code 3",
        ("code 3", "login_denied", "login denied", "denied the login"),
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
        ("code 11", "service_not_available", "service not available", "schwab does not serve"),
        "The streamer has no such service, or it is down.",
        "Nothing: the other services go on, and this one is asked again every five minutes.",
    ),
    Symptom(
        "stream code 12",
        ("code 12", "close_connection", "taken over the schwab stream"),
        "Another program of the same Schwab user has taken over the stream; each user has one.",
        "Stop the other program, or let both read the same Redis; `/stream start` takes the stream back.",
    ),
    Symptom(
        "stream code 19",
        ("code 19", "reached_symbol_limit", "symbol limit", "accepts no more symbols"),
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
        (
            *(f"{word} {code}" for word in ("close", "closed", "code") for code in _CLOSE_CODES),
            *(f"{word} {code} (" for word in ("received", "sent") for code in _CLOSE_CODES),
            *(
                "no close frame",
                "without a close frame",
                "streamer closed the connection",
                "side closed the connection",
            ),
            *(
                "sent no data for",
                "streamer sent nothing for",
                "left a request unanswered",
                "what schwab sent meanwhile",
            ),
        ),
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
    NOT_SET,
    NO_LOGIN,
    IMPORT,
    TOKEN_KEY,
    LINK_OVER,
    WRONG_ADDRESS,
    PASTED,
    LOGIN_TURN,
    NOT_STORED,
    UNREADABLE_ANSWER,
    DELAYED,
    NO_DATA,
    LEASE,
    *STREAM_CODES,
    REDIS,
    NETWORK,
    UNAUTHORIZED,
    FORBIDDEN,
    REFUSED,
)
_VAGUE: Final = (REDIS, NETWORK, UNAUTHORIZED, FORBIDDEN, REFUSED)
"""What is said only where nothing more exact is known, and then the first of them alone."""
_PAIR: Final = re.compile(r"\b(code|closed?|received|sent|status)\W{1,4}(\d+|failed)")
"""`"code":30` or `"status":"FAILED"` as it stands in a frame or an answer."""
_HTTP: Final = re.compile(
    r"\b(?:http(?:/[\d.]+)?|status(?: code)?|answered|error)\W{1,4}(?=[45]\d\d\b)"
    r"|\b(?=[45]\d\d (?:client error|server error|unauthorized|forbidden|too many requests))"
)
"""What stands before an HTTP status, in whose words ever; any other number is none."""
_WELL_AFTER: Final = r"(?!\W{1,4}false|\W{1,99}(?:streamersocket|schwabclient))"
"""What follows a name in an answer that is as it should be."""


def explain(text: str) -> tuple[Symptom, ...]:
    """What a message, a page or an error may mean; empty when nothing in it is known."""
    small = _PAIR.sub(r"\1 \2", _HTTP.sub("http ", text.lower()))
    found = tuple(symptom for symptom in SYMPTOMS if any(_has(small, mark) for mark in symptom.marks))
    return tuple(symptom for symptom in found if symptom not in _VAGUE) or found[:1]


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
