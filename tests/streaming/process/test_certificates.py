"""streaming/process/certificates.py: one reading of the machine's certificates for all clients."""

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from streaming.process import certificates
from streaming.process.certificates import reading_none, trusted
from streaming.process.http_bodies import open_client


@pytest.fixture
def readers(monkeypatch):
    """The contexts that the machine's certificates are read into, in this order; none is read."""
    found = []
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", lambda context: found.append(context))
    monkeypatch.setattr(certificates, "_read", [])
    return found


def test_certificates_are_read_once_for_all(readers):
    assert trusted() is trusted()
    assert readers == [trusted()]


def test_where_the_machine_has_none_certifi_is_asked(readers):
    assert trusted().cert_store_stats()["x509_ca"] > 100


async def test_our_clients_verify_by_them_and_read_none_of_their_own(readers):
    verifying = trusted()
    async with open_client(timeout_s=1) as http:
        assert http._transport._pool._ssl_context is verifying
    assert readers == [verifying]


def test_what_is_imported_meanwhile_shares_them_and_reads_none_for_a_context_that_verifies_nobody(readers):
    verifying, nobody, strict = (
        trusted(),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    with reading_none():
        assert ssl.create_default_context() is verifying
        nobody.set_default_verify_paths()
        strict.set_default_verify_paths()
    assert readers == [verifying, strict]


def test_other_threads_are_served_as_ever_and_so_is_everybody_afterwards(readers):
    with reading_none(), ThreadPoolExecutor(1) as other:
        theirs = other.submit(ssl.create_default_context).result()
        different = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    later = ssl.create_default_context()
    assert len({id(context) for context in (trusted(), theirs, different, later)}) == 4
    assert theirs in readers
    assert later in readers
