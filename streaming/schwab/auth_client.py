"""`SchwabAuthClient`: an access token whenever one is needed, each refresh spent once."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.clock import Clock
from streaming.errors import ContractError, GexcordError, LoginRequiredError, OperatorError, TransientError
from streaming.schwab import oauth
from streaming.schwab.http_errors import retry_after_s, transport_error
from streaming.schwab.token_store import Token, TokenStore
from streaming.status import TokenStatus

_LOG: Final = logging.getLogger(__name__)
_REFRESH_MARGIN_S: Final = 300.0
_OK: Final = 200


class SchwabAuthClient:
    """Hands out access tokens and renews them, alone or beside other processes on the same token file.

    Whoever needs a new token waits for the lock, reads the file again, and refreshes only when nobody
    else has meanwhile. A login that Schwab refused is not tried again until the file changes.
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
    ) -> None:
        self._http = http
        self._store = store
        self._client_id = client_id
        self._client_secret = client_secret
        self._api_url = api_url
        self._callback_url = callback_url
        self._clock = clock
        self._token: Token | None = None
        self._refused: tuple[str, OperatorError] | None = None
        self._last_error: str | None = None

    async def access_token(self, *, force_refresh: bool = False, rejected: str | None = None) -> str:
        """A token good for some minutes.

        `force_refresh` asks for another one than the present; with `rejected` (the token a server turned
        down) a refresh that somebody else made meanwhile counts. Raises LoginRequiredError when a person
        must log in, TransientError when Schwab cannot be asked and no usable token is left.
        """
        held = self._token or self._read()
        unwanted = (rejected or held.access_token) if force_refresh or rejected else None
        if self._is_fresh(held, unwanted):
            return held.access_token
        async with self._store.locked():
            stored = self._read()
            if self._is_fresh(stored, unwanted):
                return stored.access_token
            try:
                return (await self._refresh(stored)).access_token
            except TransientError as error:
                if unwanted is None and stored.seconds_left(self._clock.now()) > 0:
                    _LOG.warning("Token refresh postponed, the present token still works: %s", error)
                    return stored.access_token
                raise

    async def refresh(self) -> Token:
        """Refresh now, whatever the present token is worth, and store the result."""
        async with self._store.locked():
            self._refused = None
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

    def authorize_url(self, state: str) -> str:
        """Where a person signs in."""
        return oauth.authorize_url(
            self._api_url,
            client_id=self._client_id.get_secret_value(),
            callback_url=self._callback_url,
            state=state,
        )

    def status(self) -> TokenStatus:
        """What is known of the login, without asking Schwab."""
        try:
            token = self._store.load()
        except GexcordError as error:
            return TokenStatus(configured=True, present=False, last_error=error.sentence)
        if token is None:
            return TokenStatus(configured=True, present=False, last_error=self._last_error)
        return TokenStatus(
            configured=True,
            present=True,
            access_expires_at=token.expires_at,
            login_ends_at=None if token.login_at is None else token.login_at + oauth.LOGIN_LIFETIME,
            last_refresh_at=token.refreshed_at,
            last_error=self._last_error,
        )

    async def keep_fresh(self, *, check_s: float = 30.0) -> None:
        """Refresh before each expiry until cancelled; ends with LoginRequiredError when a person must log in."""
        while True:
            try:
                await self.access_token()
            except TransientError as error:
                _LOG.warning("Token refresh failed and will be tried again: %s", error)
            await self._clock.sleep(check_s)

    def _read(self) -> Token:
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
        if self._refused is not None and self._refused[0] == token.refresh_token:
            raise self._refused[1]
        response = await self._post({"grant_type": "refresh_token", "refresh_token": token.refresh_token})
        if response.status_code != _OK:
            raise self._refusal(token, response)
        now = self._clock.now()
        grant = oauth.parse_grant(response.content)
        if grant.refresh_token != token.refresh_token:
            _LOG.info("Schwab rotated the refresh token; the weekly login still ends when it did.")
        return self._keep(oauth.token_from(grant, now=now, login_at=token.login_at))

    def _refusal(self, token: Token, response: httpx.Response) -> GexcordError:
        error = oauth.refresh_error(
            response.status_code,
            _text(response),
            age=_age(token, self._clock.now()),
            retry_after_s=retry_after_s(response, self._clock),
        )
        if isinstance(error, OperatorError):
            self._refused = (token.refresh_token, error)
        return self._noted(error)

    def _keep(self, token: Token) -> Token:
        self._store.save(token)
        self._token, self._refused, self._last_error = token, None, None
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
        self._last_error = error.sentence
        return error


def _age(token: Token, now: datetime) -> timedelta | None:
    return None if token.login_at is None else now - token.login_at


def _text(response: httpx.Response) -> str:
    """The body as text; Schwab sometimes compresses errors without being asked (§1.3)."""
    return response.text[:4000]
