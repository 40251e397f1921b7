"""What httpx raises and what Schwab's status codes mean, in the terms of `streaming.errors`. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
import msgspec

from streaming.clock import Clock
from streaming.errors import UNREADABLE, ConfigurationError, GexcordError, RequestError, TransientError

_DETAIL_LENGTH: Final = 160


class RouteRefusedError(TransientError):
    """A route of Schwab's refuses us although the login is good; the others go on."""

    exit_status = 77


def transport_error(error: httpx.HTTPError | httpx.InvalidURL | TimeoutError, whom: str) -> GexcordError:
    """An exception of httpx in our terms; `whom` could not be talked to."""
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return ConfigurationError("SCHWAB_API_URL is not a usable URL.")
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return TransientError(f"{whom} did not answer in time.")
    return TransientError(f"{whom} cannot be reached: {type(error).__name__}.")


def retry_after_s(response: httpx.Response, clock: Clock) -> float | None:
    """The other side's wish, from seconds or an HTTP date; None when it has none."""
    wish = response.headers.get("Retry-After", "").strip()
    if wish.isdigit():
        return float(wish)
    try:
        moment = parsedate_to_datetime(wish)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - clock.now()).total_seconds(), 0.0)


def status_error(response: httpx.Response, what: str, clock: Clock) -> GexcordError:
    """An HTTP status that is no success, in our terms; `what` was asked for."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"Schwab answered {status} to {what}.", retry_after_s=retry_after_s(response, clock))
    if is_firewall_page(response.text):
        return TransientError(f"A firewall in front of Schwab turned {what} away with a page of its own.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        if not is_schwabs_own(response):
            return TransientError(
                f"Something in front of Schwab answered {status} to {what}, without Schwab's own words."
            )
        return RouteRefusedError(
            f"Schwab answered {status} to {what} although the token is fresh.",
            remedy="Add both API products, Trader and Market Data, to the app on the developer portal.",
        )
    detail = error_detail(response.content)
    if status == HTTPStatus.NOT_FOUND and not detail:
        # such a page has stood there for hours (specs/schwab-wire.md §1.4)
        return TransientError(f"Schwab has no route for {what} at the moment.")
    return RequestError(f"Schwab answered {status} to {what}{': ' + detail if detail else ''}.")


def is_schwabs_own(response: httpx.Response) -> bool:
    """Whether an error is of Schwab's API, which answers in JSON; a page or nothing at all is somebody else's."""
    return _object_in(response.content) is not None


def is_firewall_page(text: str) -> bool:
    """Whether an answer is the page of a firewall before Schwab; it passes by itself (specs/schwab-wire.md §1.3)."""
    start = text[:2000].lower()
    return "access denied" in start or "<html" in start


def error_detail(body: bytes) -> str:
    """The sentence inside one of Schwab's three error shapes (specs/schwab-wire.md §1.4), or nothing."""
    tree = _object_in(body) or {}
    errors = tree.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    for holder, name in ((first, "detail"), (first, "title"), (tree, "message"), (tree.get("fault"), "faultstring")):
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            return str(holder[name])[:_DETAIL_LENGTH].rstrip(".")
    return ""


def error_code(body: bytes) -> str:
    """The gateway's own error code, such as `protocol.http.TooBigBody`, or nothing."""
    inner: Any = _object_in(body)
    for name in ("fault", "detail", "errorcode"):
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner if isinstance(inner, str) else ""


def _object_in(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None for a page, nothing, or JSON of another kind."""
    try:
        tree = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    return tree if isinstance(tree, dict) else None
