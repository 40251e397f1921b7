"""The end of Schwab's redirect on this machine: an HTTPS server that waits for one browser."""

import asyncio
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from streaming.errors import RequestError, UnavailableError
from streaming.process.loopback import loopback_port
from streaming.schwab.login.login_page import FOREIGN, login_page
from streaming.schwab.login.oauth import parse_callback

_HERE: Final = frozenset({"127.0.0.1", "localhost"})
_HTTPS_PORT: Final = 443
_PASTE: Final = "Use `python -m streaming token login --paste`."
_THANKS: Final = "The login has arrived. You can close this page; the terminal says how it went."
_HOST: Final = "127.0.0.1"
_LIFE: Final = timedelta(days=1)


class LoginListener:
    """Waits for the redirect that carries our `state`; others are turned away and the waiting goes on."""

    def __init__(self, callback_url: str, state: str) -> None:
        self._parts = urlsplit(callback_url)
        self._state = state
        self._redirect: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def redirect(self, *, timeout_s: float) -> str:
        """The whole URL the browser came to; RequestError when none did in time."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._redirect)
        except TimeoutError:
            raise RequestError(f"No login arrived within {timeout_s / 60:.0f} minutes.", remedy=_PASTE) from None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer the browser, and keep the redirect when it is ours."""
        query = parse_qs(request.rel_url.raw_query_string)
        if request.path != (self._parts.path or "/") or not ({"code", "error"} & set(query)):
            return web.Response(status=404)
        if query.get("state") != [self._state]:
            return login_page(FOREIGN, status=400)
        if not self._redirect.done():
            self._redirect.set_result(f"{self._parts.scheme}://{self._parts.netloc}{request.raw_path}")
        return login_page(_THANKS)


@asynccontextmanager
async def open_login_listener(callback_url: str, *, state: str) -> AsyncIterator[LoginListener]:
    """Listen at the callback URL's port on loopback; UnavailableError when that cannot be done.

    ConfigurationError for a callback URL that cannot be one.
    """
    callback = parse_callback(callback_url)
    if callback.host not in _HERE:
        raise UnavailableError(f"The callback URL's host {callback.host} is not this machine.", remedy=_PASTE)
    port = callback.port or _HTTPS_PORT
    listener = LoginListener(callback_url, state)
    application = web.Application()
    application.router.add_get("/{path:.*}", listener.handle)
    async with loopback_port(port, whose="the callback URL", remedy=_PASTE) as place:
        await place.serve(application, tls=server_context())
        yield listener


def server_context() -> ssl.SSLContext:
    """A TLS context with a fresh key that is never kept; browsers warn, as nobody vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="login-") as folder:  # private to us; Python loads files only
        path = Path(folder) / "key-and-certificate.pem"
        path.touch(mode=0o600)
        path.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(path)
    return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_HOST)), x509.DNSName("localhost")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + _LIFE)
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
