"""`token doctor`: everything a login depends on, looked at in order, each with the remedy for what is wrong."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.clock import Clock
from streaming.commands.login.symptoms import CLOCK, SYMPTOMS, Symptom, authorize_symptom, explain
from streaming.errors import ConfigurationError, GexcordError, OperatorError, RequestError
from streaming.process.findings import Finding, fail, failed, ok, warn
from streaming.process.logs import Say
from streaming.schwab.http_errors import transport_error
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.oauth import parse_callback
from streaming.schwab.login.other_programs import OriginEnvironment
from streaming.schwab.login.token_file import login_findings
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.settings import StreamSettings

_CLOCK_TOLERANCE_S: Final = 30.0
_PROBE: Final = "SPY"
_BUDGET: Final = 60
_FIRST_FREE_PORT: Final = 1024
_OURS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE})
"""How a served callback turns away who brings no login, who came by another address, and anybody without its Redis."""


class Doctor:
    """Examines one installation; every step says what it found, and what cannot be judged yet is left out."""

    def __init__(
        self,
        settings: StreamSettings,
        store: LoginStore,
        auth: SchwabAuthClient | None,
        *,
        http: httpx.AsyncClient,
        clock: Clock,
        say: Say,
    ) -> None:
        self._settings = settings
        self._store = store
        self._auth = auth
        self._http = http
        self._clock = clock
        self._say = say
        self._findings: list[Finding] = []

    async def examine(self) -> int:
        """Print the findings; 0, or the exit status of the first failure."""
        self._add(settings_findings(self._settings))
        if (bind := self._settings.schwab_callback_bind) is not None:
            self._add([await self._callback_finding(self._settings.schwab_callback_url, bind)])
        encrypts = self._settings.schwab_token_key is not None
        self._add(login_findings(self._store, self._clock.now(), encrypts=encrypts))
        if self._auth is not None:
            await self._ask_schwab(self._auth)
        failures = [finding for finding in self._findings if finding.verdict == "FAIL"]
        self._say(_verdict(failures))
        return failures[0].status if failures else 0

    async def _callback_finding(self, url: str, bind: str) -> Finding:
        """Whether the registered address leads to the bot: asked as by a browser with a login that nobody began."""
        from streaming.schwab.login.login_page import SIGN

        try:
            asked = httpx.URL(url).copy_merge_params({"code": "", "state": "-"})
            answer = await self._http.get(asked, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            trouble = transport_error(error, "The callback URL")
            return warn("callback", f"{trouble} Is the proxy or tunnel up, and the name known here?")
        if SIGN not in answer.content or answer.status_code not in _OURS:
            elsewhere = f"{url} leads to something else (HTTP {answer.status_code})."
            return warn("callback", f"{elsewhere} The proxy or tunnel must lead to {bind}, and the bot must run.")
        if answer.status_code == HTTPStatus.MISDIRECTED_REQUEST:
            return warn(
                "callback",
                f"{url} leads to the bot under another name. Let the proxy keep Host, or name the proxy in"
                " SCHWAB_CALLBACK_PROXIES.",
            )
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return warn(
                "callback",
                f"{url} leads to the bot, but Redis does not answer it, by which machines share a login."
                " Look at REDIS_URL and the server there.",
            )
        return ok("callback", f"{url} leads to the bot.")

    async def _ask_schwab(self, auth: SchwabAuthClient) -> None:
        if not await self._reach(auth):
            return
        if not await self._step("app", auth.check_app, "Schwab knows the app key and secret."):
            return
        if self._store.version() is None:
            return
        if await self._step("refresh", auth.refresh, "the login works; the access token was just renewed."):
            await self._products(auth)

    async def _reach(self, auth: SchwabAuthClient) -> bool:
        """Open the authorise URL as a browser would: that tells of network, clock, callback and app status."""
        try:
            url = auth.begin_login().url
        except ConfigurationError:  # the callback: a finding of the settings; the rest can be asked
            return True
        try:
            response = await self._http.get(url, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._add([failure("network", transport_error(error, "Schwab's login server"))])
            return False
        self._add([self._clock_finding(response)])
        symptom = authorize_symptom(response.status_code, response.text[:4000])
        if symptom is None:
            self._add([ok("login page", "Schwab shows its login page for this app and callback URL.")])
        else:
            self._add([failure("login page", symptom)])
        return True

    def _clock_finding(self, response: httpx.Response) -> Finding:
        try:
            ahead_s = (self._clock.now() - parsedate_to_datetime(response.headers["Date"])).total_seconds()
        except (KeyError, TypeError, ValueError):
            return warn("clock", "Schwab's answer has no date to compare the clock with.")
        if abs(ahead_s) <= _CLOCK_TOLERANCE_S:
            return ok("clock", "agrees with Schwab's.")
        wrong = "ahead of" if ahead_s > 0 else "behind"
        return failure("clock", OperatorError(f"{abs(ahead_s):.0f} s {wrong} Schwab's.", remedy=CLOCK.remedy))

    async def _products(self, auth: SchwabAuthClient) -> None:
        budget = RequestBudget(_BUDGET, self._clock)
        rest = SchwabRestClient(
            self._http, auth, api_url=self._settings.schwab_api_url, budget=budget, clock=self._clock
        )
        await self._step("trader product", rest.user_preference, "answers; the streamer's address is known.")
        await self._step("market data product", lambda: rest.try_quotes(_PROBE), "answers.")

    async def _step(self, subject: str, ask: Callable[[], Awaitable[object]], well: str) -> bool:
        try:
            await ask()
        except GexcordError as error:
            self._add([failure(subject, error)])
            return False
        self._add([ok(subject, well)])
        return True

    def _add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._findings.append(finding)
            self._say(finding.line)


def explain_message(words: Sequence[str], say: Say) -> int:
    """Print what a message from a browser, a log or this program means; RequestError when it is not known."""
    found = explain(" ".join(words))
    if not found:
        names = ", ".join(symptom.name for symptom in SYMPTOMS)
        raise RequestError("No known failure has these words.", remedy=f"Known are: {names}.")
    for symptom in found:
        say(f"{symptom.name}: {symptom.meaning}")
        say(f"  {symptom.remedy}")
    return 0


def _verdict(failures: Sequence[Finding]) -> str:
    if not failures:
        return "Nothing is wrong here. A message elsewhere? Try `python -m streaming token explain MESSAGE`."
    return f"Begin with: {failures[0].sentence}"


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
    yield _callback(settings)


def _secret(name: str, value: SecretStr | None, old_name: str, old_value: SecretStr | None) -> Finding:
    if value is None:
        hint = f" {old_name} has a value: give it the new name." if old_value is not None else ""
        return failure("settings", ConfigurationError(f"{name} is not set.{hint}", remedy="Set it in .env."))
    text = value.get_secret_value()
    if text != text.strip() or any(mark in text for mark in " \t\"'"):
        return failure("settings", ConfigurationError(f"{name} has quotes or spaces in it.", remedy="Remove them."))
    return ok("settings", f"{name} is set.")


def _callback(settings: StreamSettings) -> Finding:
    url = settings.schwab_callback_url
    try:
        callback = parse_callback(url)
    except ConfigurationError as error:
        return failure("callback", error)
    if not url.startswith("https://"):
        return warn("callback", "SCHWAB_CALLBACK_URL begins with capitals; capitals must match the app's, too.")
    if callback.host == "localhost":
        return warn(
            "callback", "Schwab does not accept localhost. Register https://127.0.0.1:8182 and set the same here."
        )
    if callback.host != "127.0.0.1":
        return _from_elsewhere(url, callback.host, settings.schwab_callback_bind)
    if callback.port is None or callback.port < _FIRST_FREE_PORT:
        return warn("callback", "listening at its port needs special rights: logins work with --paste or in Discord.")
    return ok("callback", f"{url} can be listened at; it must match the app's exactly.")


def _from_elsewhere(url: str, host: str, bind: str | None) -> Finding:
    if bind is None:
        return warn("callback", f"{host} is not this machine: logins work with --paste or in Discord only.")
    return ok("callback", f"{url} must lead, through a proxy or tunnel, to {bind}, where the bot waits for logins.")
