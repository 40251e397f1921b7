"""`SchwabAuthClient`: an access token whenever one is needed, each refresh spent once."""

import logging
import random
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.clock import Clock
from streaming.errors import (
    ConfigurationError,
    ContractError,
    GexcordError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
)
from streaming.schwab import oauth
from streaming.schwab.http_errors import retry_after_s, transport_error
from streaming.schwab.refresh_pause import RefreshPause
from streaming.schwab.token_store import TokenStore, Version
from streaming.schwab.tokens import Token
from streaming.status import TokenStatus

_LOG: Final = logging.getLogger(__name__)
_REFRESH_MARGIN_S: Final = 300.0
_MADE_UP: Final = "not-a-token"
_ATTEMPT_LIFE: Final = timedelta(minutes=10)
_OK: Final = 200


class SchwabAuthClient:
    """Hands out access tokens and renews them, alone or beside other processes on the same token file.

    Whoever needs a new token waits for the lock, reads the file again, and refreshes only when nobody
    else has meanwhile. A login that Schwab refused is not tried again until the file changes, and a refresh
    that failed by itself not before a pause. The file is looked at whenever a token is asked for, so a login
    or logout of another program counts at once.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        store: TokenStore,
        *,
        client_id: SecretStr,
        client_secret: SecretStr,
        api_url: str,
        callback_url: str,
        clock: Clock,
        rng: random.Random | None = None,
    ) -> None:
        self._http = http
        self._store = store
        self._client_id = client_id
        self._client_secret = client_secret
        self._api_url = api_url
        self._callback_url = callback_url
        self._clock = clock
        self._pause = RefreshPause(clock, rng or random.Random())
        self._token: Token | None = None
        self._version: Version | None = None
        self._refused: tuple[Version | None, OperatorError] | None = None
        self._last_error: str | None = None

    async def access_token(self, *, force_refresh: bool = False, rejected: str | None = None) -> str:
        """A token good for some minutes.

        `force_refresh` asks for another one than the present; with `rejected` (the token a server turned
        down) a refresh that somebody else made meanwhile counts. Raises LoginRequiredError when a person
        must log in, TransientError when Schwab cannot be asked and no usable token is left.
        """
        held = self._held()
        unwanted = (rejected or held.access_token) if force_refresh or rejected else None
        if self._is_fresh(held, unwanted):
            return held.access_token
        async with self._store.locked():
            stored = self._read()
            if self._is_fresh(stored, unwanted):
                return stored.access_token
            try:
                self._pause.check()
                return (await self._refresh(stored)).access_token
            except TransientError as error:
                if unwanted is None and stored.seconds_left(self._clock.now()) > 0:
                    _LOG.info("Token refresh postponed, the present token still works: %s", error)
                    return stored.access_token
                raise

    async def refresh(self) -> Token:
        """Refresh now, whatever the present token is worth, and store the result."""
        async with self._store.locked():
            self._refused = None
            self._pause.end()
            return await self._refresh(self._read())

    async def exchange_code(self, redirect_url_or_code: str, *, state: str | None = None) -> Token:
        """Turn a browser login into a stored token; this starts the 7 days."""
        code = oauth.parse_redirect(redirect_url_or_code, state=state)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._callback_url}
        async with self._store.locked():
            response = await self._post(form)
            if response.status_code != _OK:
                raise self._noted(
                    oauth.exchange_error(
                        response.status_code, _text(response), retry_after_s=retry_after_s(response, self._clock)
                    )
                )
            now = self._clock.now()
            return self._keep(oauth.token_from(oauth.parse_grant(response.content), now=now, login_at=now))

    def begin_login(self) -> oauth.LoginAttempt:
        """A fresh way to Schwab's login page; its state is used for this login only."""
        state = secrets.token_urlsafe(16)
        url = oauth.authorize_url(
            self._api_url,
            client_id=self._client_id.get_secret_value(),
            callback_url=self._callback_url,
            state=state,
        )
        return oauth.LoginAttempt(url, state, self._clock.now() + _ATTEMPT_LIFE)

    async def finish_login(self, attempt: oauth.LoginAttempt, redirect_url: str) -> Token:
        """Exchange what the browser came back with; RequestError when the attempt is over or not this one."""
        if self._clock.now() >= attempt.ends_at:
            raise RequestError("This login link is more than ten minutes old.", remedy="Ask for a new one.")
        return await self.exchange_code(redirect_url, state=attempt.state)

    def status(self) -> TokenStatus:
        """What is known of the login, without asking Schwab."""
        return stored_status(self._store, last_error=self._last_error)

    async def keep_fresh(self, *, check_s: float = 30.0) -> None:
        """Refresh before each expiry until cancelled; ends with OperatorError when a person must act."""
        while True:
            self._check_refused()
            try:
                await self.access_token()
            except (TransientError, ContractError) as error:
                _LOG.warning("Token refresh failed and will be tried again: %s", error)
            await self._clock.sleep(self._pause.left_s or check_s)

    async def check_app(self) -> None:
        """Ask Schwab whether it knows the app key and secret, without touching the stored login.

        Raises ConfigurationError when it does not, TransientError when it cannot be asked.
        """
        response = await self._post({"grant_type": "refresh_token", "refresh_token": _MADE_UP})
        error = oauth.refresh_error(
            response.status_code, _text(response), age=timedelta(0), retry_after_s=retry_after_s(response, self._clock)
        )
        if not isinstance(error, LoginRequiredError):  # that one says: the app is known, the made-up token is not
            raise error

    def login_id(self) -> str:
        """Tells one login from another without showing it: when it was, or when the file was saved."""
        try:
            token = self._held()
        except OperatorError:
            return "none"
        if token.login_at is None:
            return f"saved-{0 if self._version is None else self._version[1]}"
        return str(int(token.login_at.timestamp()))

    def _held(self) -> Token:
        """The stored token, read again only when the file has changed."""
        if self._token is None or self._store.version() != self._version:
            return self._read()
        return self._token

    def _read(self) -> Token:
        self._version = self._store.version()
        try:
            token = self._store.load()
        except ContractError as error:
            raise LoginRequiredError(str(error), remedy=oauth.LOG_IN) from error
        if token is None:
            raise LoginRequiredError(f"There is no Schwab login in {self._store.path}.", remedy=oauth.LOG_IN)
        self._token = token
        return token

    def _is_fresh(self, token: Token, unwanted: str | None) -> bool:
        if not token.access_token or token.access_token == unwanted:
            return False
        return token.seconds_left(self._clock.now()) > _REFRESH_MARGIN_S

    async def _refresh(self, token: Token) -> Token:
        """Spend one refresh; the store is locked."""
        self._check_refused()
        response = await self._post({"grant_type": "refresh_token", "refresh_token": token.refresh_token})
        if response.status_code != _OK:
            raise self._refusal(token, response)
        now = self._clock.now()
        grant = oauth.parse_grant(response.content)
        if grant.refresh_token != token.refresh_token:
            _LOG.info("Schwab rotated the refresh token; the weekly login still ends when it did.")
        return self._keep(oauth.token_from(grant, now=now, login_at=token.login_at))

    def _check_refused(self) -> None:
        """Raise a refusal again, whoever met it, as long as the file is the one that was refused."""
        if self._refused is not None and self._refused[0] == self._store.version():
            raise self._refused[1]

    def _refusal(self, token: Token, response: httpx.Response) -> GexcordError:
        error = oauth.refresh_error(
            response.status_code,
            _text(response),
            age=_age(token, self._clock.now()),
            retry_after_s=retry_after_s(response, self._clock),
        )
        if isinstance(error, OperatorError):
            self._refused = (self._version, error)
        return self._noted(error)

    def _keep(self, token: Token) -> Token:
        """Store a token; when that fails it is still used, so that a full disk does not end the stream."""
        self._token, self._refused, self._last_error = token, None, None
        self._pause.end()
        try:
            self._store.save(token)
        except ConfigurationError as error:
            raise self._noted(error) from error.__cause__
        self._version = self._store.version()
        return token

    async def _post(self, form: Mapping[str, str]) -> httpx.Response:
        authorization = oauth.basic_authorization(
            self._client_id.get_secret_value(), self._client_secret.get_secret_value()
        )
        try:
            return await self._http.post(
                f"{self._api_url}/v1/oauth/token",
                data=dict(form),
                headers={"Authorization": authorization, "Accept": "application/json"},
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._noted(transport_error(error, "Schwab's login server")) from error

    def _noted(self, error: GexcordError) -> GexcordError:
        if isinstance(error, TransientError):
            self._pause.begin(error)
        self._last_error = error.sentence
        return error


def stored_status(store: TokenStore, *, configured: bool = True, last_error: str | None = None) -> TokenStatus:
    """What the token file says; a file that cannot be read is told as the last error."""
    try:
        token = store.load()
    except GexcordError as error:
        return TokenStatus(configured=configured, present=False, last_error=error.sentence)
    if token is None:
        return TokenStatus(configured=configured, present=False, last_error=last_error)
    return TokenStatus(
        configured=configured,
        present=True,
        access_expires_at=token.expires_at,
        login_ends_at=None if token.login_at is None else token.login_at + oauth.LOGIN_LIFETIME,
        last_refresh_at=token.refreshed_at,
        last_error=last_error,
    )


def _age(token: Token, now: datetime) -> timedelta | None:
    return None if token.login_at is None else now - token.login_at


def _text(response: httpx.Response) -> str:
    """The body as text; Schwab sometimes compresses errors without being asked (§1.3)."""
    return response.text[:4000]
