"""Refusals in the shape that Discord gives them: status, code, message, nested form errors."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from bot.sandbox.world.records import Json
from streaming.errors import RequestError

INVALID_FORM_BODY = 50035
TOO_MANY_REQUESTS: Final = 429
REFUSALS: Final[dict[int, tuple[int, str]]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20022: (429, "This message cannot be edited due to announcement rate limits."),
    30034: (400, "Max number of daily application command creates has been reached (200)."),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later."),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40333: (403, "internal network error"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    INVALID_FORM_BODY: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    160005: (403, "This thread is locked"),
    200000: (400, "Message was blocked by automatic moderation"),
    240000: (400, "Message blocked by harmful links filter"),
}
"""Discord's JSON error codes with the HTTP status and sentence they come with."""


class ApiError(RequestError):
    """One refused request: HTTP status, Discord's JSON error code and sentence, errors per field.

    `retry_after_s` is when a rationed request may come again; only a 429 says it.
    """

    def __init__(
        self, status: int, code: int, message: str, errors: Json | None = None, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.errors = errors
        self.retry_after_s = retry_after_s

    @property
    def body(self) -> Json:
        """The JSON that Discord answers with."""
        body: Json = {"message": str(self), "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after_s is not None:
            body |= {"retry_after": self.retry_after_s, "global": False}
        return body


class FormErrors:
    """Collects what is wrong with a form, field by field, and refuses it once."""

    def __init__(self) -> None:
        self._errors: Json = {}

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        """Note what is wrong with one field; `path` leads to it through the body."""
        level = self._errors
        for step in path:
            level = level.setdefault(str(step), {})
        level.setdefault("_errors", []).append({"code": code, "message": message})

    def raise_if_any(self) -> None:
        """Raise the 50035 refusal that names every wrong field."""
        if self._errors:
            raise refusal(INVALID_FORM_BODY, self._errors)


def refusal(code: int, errors: Json | None = None, *, retry_after_s: float | None = None) -> ApiError:
    """The refusal of a code, as Discord words it."""
    status, sentence = REFUSALS[code]
    return ApiError(status, code, sentence, errors, retry_after_s=retry_after_s)


def unauthorized() -> ApiError:
    """401 without a code of Discord's: no token, or one it does not know."""
    return ApiError(401, 0, "401: Unauthorized")


def unknown_route() -> ApiError:
    """404 without a code of Discord's: no such address."""
    return ApiError(404, 0, "404: Not Found")


unknown_channel = partial(refusal, 10003)
unknown_guild = partial(refusal, 10004)
unknown_member = partial(refusal, 10007)
unknown_message = partial(refusal, 10008)
"""Deleted, of another channel, or private to somebody else."""
unknown_user = partial(refusal, 10013)
"""Nobody, or nobody who can be written to."""
unknown_webhook = partial(refusal, 10015)
"""The token of an interaction ends after 15 minutes."""
unknown_interaction = partial(refusal, 10062)
"""Not answered within three seconds, or never there."""
unknown_command = partial(refusal, 10063)
too_large = partial(refusal, 40005)
already_acknowledged = partial(refusal, 40060)
missing_access = partial(refusal, 50001)
not_the_author = partial(refusal, 50005)
"""A message is edited by its author alone, whatever the permissions."""
empty_message = partial(refusal, 50006)
missing_permissions = partial(refusal, 50013)
"""The bot sees the channel and may not do this there."""
invalid_webhook_token = partial(refusal, 50027)
"""The id of an interaction with the token of another."""
invalid_json = partial(refusal, 50109)
