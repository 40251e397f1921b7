"""The certificates that this machine trusts, read once for all clients of ours: each reading takes 2 MB and 25 ms."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any, Final

_ALONE: Final = Lock()
_read: list[ssl.SSLContext] = []


def trusted() -> ssl.SSLContext:
    """What our clients verify a server by: the machine's own certificates, or certifi's where it has none."""
    with _ALONE:
        if not _read:
            _read.append(_read_certificates())
        return _read[0]


def _read_certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    if not context.cert_store_stats()["x509_ca"]:  # those of a folder are counted when they are met
        import certifi

        context.load_verify_locations(certifi.where())
    return context


@contextmanager
def reading_none() -> Iterator[None]:
    """Have aiohttp, while this thread imports it, read no certificates for the two contexts that it makes.

    The one that verifies is `trusted`, the other needs none. Other threads are served as ever.
    """
    ours, create, read = trusted(), ssl.create_default_context, ssl.SSLContext.set_default_verify_paths
    thread = get_ident()

    def created(*arguments: Any, **named: Any) -> ssl.SSLContext:
        if get_ident() == thread and not arguments and not named:
            return ours
        return create(*arguments, **named)

    def read_where_it_verifies(context: ssl.SSLContext) -> None:
        if get_ident() != thread or context.verify_mode is not ssl.CERT_NONE:
            read(context)

    ssl.create_default_context = created
    ssl.SSLContext.set_default_verify_paths = read_where_it_verifies  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ssl.create_default_context = create
        ssl.SSLContext.set_default_verify_paths = read  # type: ignore[method-assign]
