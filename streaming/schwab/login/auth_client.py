"""`SchwabAuthClient`: an access token whenever one is needed, each refresh spent once."""

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
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
from streaming.schwab.http_errors import retry_after_s, transport_error
from streaming.schwab.login import oauth
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.refresh_pause import GrantRefusal, RefreshPause
from streaming.schwab.login.tokens import Token
from streaming.status import TokenStatus

_LOG: Final = logging.getLogger(__name__)
_REFRESH_MARGIN_S: Final = 300.0
_MADE_UP: Final = "not-a-token"
ATTEMPT_LIFE: Final = timedelta(minutes=10)
_LOOKS: Final = 6
_LOOK_AGAIN_S: Final = 0.2
"""A writer that is not atomic has the file empty or away for a moment: it is looked at for a second."""


class SchwabAuthClient:
    """Hands out access tokens and renews them, alone or beside others on the same stored login.

    Whoever needs a new token waits for the lock, reads the file again, and refreshes only when nobody
    else has meanwhile. What Schwab refused is asked again after some minutes, and at once when the file or the app
    key is another one; a refresh that failed by itself not before a pause. Whatever the trouble, a token that still
    lives is handed out to its end. The file is looked at whenever a token is asked for, so a login or logout of
    another program counts at once. `corrected` tells key and secret as they are now, where they may change.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        store: LoginStore,
        *,
        client_id: SecretStr,
        client_secret: SecretStr,
        api_url: str,
        callback_url: str,
        clock: Clock,
        rng: random.Random | None = None,
        corrected: Callable[[], oauth.AppKey] | None = None,
    ) -> None:
        self._http = http
        self._store = store
        given = oauth.AppKey(client_id, client_secret)
        self.app: Callable[[], oauth.AppKey] = corrected or (lambda: given)
        """Key and secret as they are now."""
        self._api_url = api_url
        self._callback_url = callback_url
        self._clock = clock
        self._pause = RefreshPause(clock, rng or random.Random())
        self._refusal = GrantRefusal(clock, rng or random.Random())
        self._token: Token | None = None
        self._version: object = None
        self._postponed: OperatorError | None = None
        self._last_error: str | None = None
        self._odd_grants = 0

    async def access_token(self, *, rejected: str | None = None) -> str:
        """A token good for some minutes.

        With `rejected`, the token that a server turned down, another one; what somebody else got meanwhile counts.
        Raises LoginRequiredError when a person must log in, TransientError when Schwab cannot be asked and no usable
        token is left.
        """
        try:
            held = await self._held()
            if self._is_fresh(held, rejected):
                return held.access_token
            async with self._store.locked():
                stored = await self._read()
                if self._is_fresh(stored, rejected):
                    return stored.access_token
                return (await self._refresh(stored)).access_token
        except (TransientError, ContractError, OperatorError) as error:
            if rejected or (live := self._live()) is None:
                raise
            self._postpone(error)
            return live

    def _live(self) -> str | None:
        """The present token, whatever is the matter with its renewal, for as long as it lives."""
        token = self._token
        is_alive = token is not None and token.access_token and token.seconds_left(self._clock.now()) > 0
        return token.access_token if token is not None and is_alive else None

    def _postpone(self, error: GexcordError) -> None:
        """Keep for `keep_fresh` what a person must know although nobody misses a token yet."""
        if isinstance(error, OperatorError):
            self._postponed = error
        if error.sentence != self._last_error:
            self._last_error = error.sentence
            _LOG.info("Token refresh postponed, the present token still works: %s", error)

    async def refresh(self) -> Token:
        """Refresh now, whatever the present token is worth, and store the result."""
        async with self._store.locked():
            self._refusal.end()
            self._pause.end()
            return await self._refresh(await self._read())

    async def exchange_code(self, redirect_url_or_code: str, *, state: str | None = None) -> Token:
        """Turn a browser login into a stored token; this starts the 7 days."""
        code = oauth.parse_redirect(redirect_url_or_code, state=state)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._callback_url}
        async with self._store.locked():
            await self._store.assure()
            response = await self._post(form, self.app())
            if not _is_grant(response):
                raise self._noted(
                    oauth.exchange_error(
                        response.status_code, _text(response), retry_after_s=retry_after_s(response, self._clock)
                    )
                )
            now = self._clock.now()
            return await self._keep(oauth.token_from(self._grant(response), now=now, login_at=now))

    def begin_login(self) -> oauth.LoginAttempt:
        """A fresh way to Schwab's login page; its state is used for this login only.

        ConfigurationError when the callback URL cannot be one that is registered.
        """
        oauth.parse_callback(self._callback_url)
        state = secrets.token_urlsafe(16)
        url = oauth.authorize_url(
            self._api_url,
            client_id=self.app().client_id.get_secret_value(),
            callback_url=self._callback_url,
            state=state,
        )
        return oauth.LoginAttempt(url, state, self._clock.now() + ATTEMPT_LIFE)

    async def finish_login(self, attempt: oauth.LoginAttempt, redirect_url: str) -> Token:
        """Exchange what the browser came back with; RequestError when the attempt is over or not this one."""
        if self._clock.now() >= attempt.ends_at:
            raise RequestError("This login link is more than ten minutes old.", remedy="Ask for a new one.")
        return await self.exchange_code(redirect_url, state=attempt.state)

    def status(self) -> TokenStatus:
        """What is known of the login, without asking Schwab."""
        known = stored_status(self._store, last_error=self._last_error)
        return replace(known, refusals=self._refusal.times, odd_grants=self._odd_grants)

    async def keep_fresh(self, *, check_s: float = 30.0) -> None:
        """Refresh before each expiry until cancelled; ends with OperatorError when a person must act."""
        told = ""
        while True:
            try:
                await self.access_token()
            except (TransientError, ContractError) as error:
                if (sentence := str(error)) != told:
                    _LOG.warning("Token refresh failed and will be tried again: %s", sentence)
                told = sentence
            else:
                told = ""
            self._raise_postponed()
            await self._clock.sleep(self._pause.left_s or check_s)

    def _raise_postponed(self) -> None:
        """Raise what a person must know, whoever met it, as long as it stands."""
        postponed, self._postponed = self._postponed, None
        self._refusal.check(self._subject(self.app()))
        if postponed is not None:
            raise postponed

    async def check_app(self) -> None:
        """Ask Schwab whether it knows the app key and secret, without touching the stored login.

        Raises ConfigurationError when it does not, TransientError when it cannot be asked.
        """
        response = await self._post({"grant_type": "refresh_token", "refresh_token": _MADE_UP}, self.app())
        error = oauth.refresh_error(
            response.status_code, _text(response), age=timedelta(0), retry_after_s=retry_after_s(response, self._clock)
        )
        if not isinstance(error, LoginRequiredError):  # that one says: the app is known, the made-up token is not
            raise error

    def login_id(self) -> str:
        """Tells one login from another without showing it: when it was, or when the file was saved."""
        try:
            token = self._store.load()
        except GexcordError:  # unreadable: what is known of before, if anything is
            token = self._token
        if token is None:
            return "none"
        if token.login_at is None:
            return f"saved-{self._store.version()}"
        return str(int(token.login_at.timestamp()))

    async def _held(self) -> Token:
        """The stored token, read again only when another one is stored."""
        owed = self._store.owes
        await self._store.look()
        if owed and not self._store.owes:
            self._last_error = None
        if self._token is None or self._store.version() != self._version:
            return await self._read()
        return self._token

    async def _read(self) -> Token:
        """What the file holds; only what it says for a whole second is believed.

        LoginRequiredError when it is away or holds no login, and then the token of before counts no longer either;
        ConfigurationError when it cannot be read.
        """
        problem: GexcordError
        for look in range(_LOOKS):
            if look:
                await self._clock.sleep(_LOOK_AGAIN_S)
            await self._store.look()
            version = self._store.version()
            try:
                token = self._store.load()
            except (ContractError, ConfigurationError) as error:
                problem = error
                continue
            if token is not None:
                self._token, self._version = token, version
                return token
            problem = ContractError(f"There is no Schwab login in {self._store.name}.")
        if isinstance(problem, ConfigurationError):
            raise problem
        self._token, self._version = None, None
        raise LoginRequiredError(str(problem), remedy=oauth.LOG_IN) from problem

    def _is_fresh(self, token: Token, unwanted: str | None) -> bool:
        if not token.access_token or token.access_token == unwanted:
            return False
        return token.seconds_left(self._clock.now()) > _REFRESH_MARGIN_S

    async def _refresh(self, token: Token) -> Token:
        """Spend one refresh; the store is locked."""
        app = self.app()
        subject = self._subject(app)
        self._refusal.check(subject)
        self._pause.check()
        await self._store.assure()
        response = await self._post({"grant_type": "refresh_token", "refresh_token": token.refresh_token}, app)
        if not _is_grant(response):
            error = self._noted(_refresh_error(token, response, self._clock))
            if isinstance(error, OperatorError):
                self._refusal.begin(subject, error)
            raise error
        grant = self._grant(response)
        if self._store.version() is None:
            await self._read()  # logged out by another program meanwhile: then this grant is nobody's
        if grant.refresh_token not in {None, token.refresh_token}:
            _LOG.info("Schwab rotated the refresh token; the weekly login still ends when it did.")
        renewed = oauth.token_from(grant, now=self._clock.now(), login_at=token.login_at, spent=token.refresh_token)
        return await self._keep(renewed)

    def _subject(self, app: oauth.AppKey) -> tuple[object, oauth.AppKey]:
        """What Schwab is asked about: another login or another app key deserves another answer."""
        return self._store.version(), app

    def _grant(self, response: httpx.Response) -> oauth.TokenGrant:
        try:
            grant = oauth.parse_grant(response.content)
        except (TransientError, ContractError) as error:
            raise self._noted(error) from error.__cause__
        if grant.odd:
            self._odd_grants += 1
            if self._odd_grants == 1:
                _LOG.warning("Schwab granted a token of an impossible life; it is renewed after half an hour.")
        return grant

    async def _keep(self, token: Token) -> Token:
        """Store a token; when that fails it is still used, so that a full disk does not end the stream."""
        self._token, self._postponed, self._last_error = token, None, None
        self._refusal.end()
        self._pause.end()
        try:
            await self._store.keep(token)
        except (ConfigurationError, TransientError) as error:
            raise self._noted(error) from error.__cause__
        self._version = self._store.version()
        return token

    async def _post(self, form: Mapping[str, str], app: oauth.AppKey) -> httpx.Response:
        try:
            async with asyncio.timeout(self._store.answer_within_s):
                return await self._http.post(
                    f"{self._api_url}/v1/oauth/token",
                    data=dict(form),
                    headers={"Authorization": oauth.basic_authorization(app), "Accept": "application/json"},
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise self._noted(transport_error(error, "Schwab's login server")) from error

    def _noted(self, error: GexcordError) -> GexcordError:
        if isinstance(error, (TransientError, ContractError)):
            self._pause.begin(error)
        self._last_error = error.sentence
        return error


def stored_status(store: LoginStore, *, configured: bool = True, last_error: str | None = None) -> TokenStatus:
    """What the token file says; a file that cannot be read is told as the last error."""
    try:
        token = store.load()
    except GexcordError as error:
        return TokenStatus(configured=configured, present=False, last_error=error.sentence)
    if token is None:
        return TokenStatus(configured=configured, present=False, last_error=last_error, unsaved=store.owes)
    return TokenStatus(
        configured=configured,
        present=True,
        access_expires_at=token.expires_at,
        login_ends_at=None if token.login_at is None else token.login_at + oauth.LOGIN_LIFETIME,
        last_refresh_at=token.refreshed_at,
        last_error=last_error,
        unsaved=store.owes,
    )


def _is_grant(response: httpx.Response) -> bool:
    """A success that is none in its body is a refusal."""
    return response.status_code == HTTPStatus.OK and not oauth.error_word(_text(response))


def _refresh_error(token: Token, response: httpx.Response, clock: Clock) -> GexcordError:
    return oauth.refresh_error(
        response.status_code,
        _text(response),
        age=None if token.login_at is None else clock.now() - token.login_at,
        retry_after_s=retry_after_s(response, clock),
    )


def _text(response: httpx.Response) -> str:
    """The body as text; Schwab sometimes compresses errors without being asked (specs/schwab-wire.md §1.3)."""
    return response.text[:4000]
