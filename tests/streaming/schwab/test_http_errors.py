from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from streaming.errors import ConfigurationError, RequestError, TransientError
from streaming.schwab.http_errors import (
    RouteRefusedError,
    error_code,
    error_detail,
    retry_after_s,
    status_error,
    transport_error,
)
from tests.support.clock import ManualClock

CLOCK = ManualClock()
REQUEST = httpx.Request("GET", "https://api.example/")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("no"),
        httpx.ReadTimeout("slow", request=REQUEST),
        httpx.RemoteProtocolError("odd"),
        httpx.DecodingError("gzip"),
        httpx.TooManyRedirects("loop"),
        httpx.PoolTimeout("full"),
    ],
)
def test_what_httpx_raises_is_transient(error):
    assert type(transport_error(error, "Schwab")) is TransientError


def test_a_wrong_url_is_a_setting():
    assert isinstance(transport_error(httpx.UnsupportedProtocol("ftp"), "Schwab"), ConfigurationError)
    assert isinstance(transport_error(httpx.InvalidURL("x"), "Schwab"), ConfigurationError)


@pytest.mark.parametrize(
    ("header", "wish_s"),
    [
        ("17", 17.0),
        ("", None),
        ("soon", None),
        (format_datetime(CLOCK.now() + timedelta(seconds=30), usegmt=True), 30.0),
    ],
)
def test_a_wish_to_wait_is_read(header, wish_s):
    assert retry_after_s(httpx.Response(429, headers={"Retry-After": header}), CLOCK) == wish_s


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, b"", TransientError),
        (500, b"", TransientError),
        (503, b"<html>", TransientError),
        (401, b"", TransientError),
        (403, b"", TransientError),
        (403, b"Forbidden", TransientError),
        (401, b'{"errors":[{"status":401,"detail":"Client not authorized"}]}', RouteRefusedError),
        (403, b'{"message":"no"}', RouteRefusedError),
        (404, b"404 Not Found: Requested route ('x') does not exist.", TransientError),
        (404, b'{"errors":[{"status":404,"title":"Not Found","detail":"no such symbol"}]}', RequestError),
        (400, b'{"message":"bad symbol"}', RequestError),
    ],
)
def test_a_status_is_told_apart(status, body, kind):
    assert type(status_error(httpx.Response(status, content=body), "the chain", CLOCK)) is kind


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            b'{"errors":[{"status":"401","title":"Unauthorized","detail":"Client not authorized"}]}',
            "Client not authorized",
        ),
        (b'{"errors":[{"title":"Unauthorized"}]}', "Unauthorized"),
        (b'{"message":"No.","errors":["x"]}', "No"),
        (b'{"fault":{"faultstring":"Body buffer overflow","detail":{"errorcode":"x"}}}', "Body buffer overflow"),
        (b"plain", ""),
        (b"[]", ""),
        (b"", ""),
    ],
)
def test_the_sentence_inside_an_error_is_found(body, detail):
    assert error_detail(body) == detail


def test_the_gateways_code_is_found():
    body = b'{"fault":{"faultstring":"Body buffer overflow","detail":{"errorcode":"protocol.http.TooBigBody"}}}'
    assert error_code(body) == "protocol.http.TooBigBody"
    assert error_code(b"{}") == error_code(b"x") == error_code(b'{"fault":5}') == ""


@pytest.mark.parametrize("status", [403, 200, 401])
def test_the_firewalls_page_is_weather_and_no_missing_product(status):
    page = "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Reference #18</BODY></HTML>"
    error = status_error(httpx.Response(status, html=page), "quotes", CLOCK)
    assert type(error) is TransientError
    assert "firewall" in error.sentence
