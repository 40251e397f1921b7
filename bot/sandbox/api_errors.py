"""Refusals in the shape that Discord gives them: status, code, message, nested form errors."""

from collections.abc import Sequence

from bot.sandbox.records import Json
from streaming.errors import RequestError

INVALID_FORM_BODY = 50035


class ApiError(RequestError):
    """One refused request: HTTP status, Discord's JSON error code and sentence, errors per field."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.errors = errors

    @property
    def body(self) -> Json:
        body: Json = {"message": str(self), "code": self.code}
        return body if self.errors is None else {**body, "errors": self.errors}


class FormErrors:
    """Collects what is wrong with a form, field by field, and refuses it once."""

    def __init__(self) -> None:
        self._errors: Json = {}

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        level = self._errors
        for step in path:
            level = level.setdefault(str(step), {})
        level.setdefault("_errors", []).append({"code": code, "message": message})

    def raise_if_any(self) -> None:
        """Raise the 50035 refusal that names every wrong field."""
        if self._errors:
            raise ApiError(400, INVALID_FORM_BODY, "Invalid Form Body", self._errors)


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def unknown_route() -> ApiError:
    return ApiError(404, 0, "404: Not Found")


def unknown_channel() -> ApiError:
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    return ApiError(404, 10008, "Unknown Message")


def unknown_user() -> ApiError:
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    return ApiError(404, 10063, "Unknown application command")


def too_old_to_edit() -> ApiError:
    return ApiError(400, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later.")


def too_large() -> ApiError:
    return ApiError(413, 40005, "Request entity too large")


def already_acknowledged() -> ApiError:
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def not_the_author() -> ApiError:
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    return ApiError(400, 50006, "Cannot send an empty message")


def missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def invalid_webhook_token() -> ApiError:
    return ApiError(401, 50027, "Invalid Webhook Token")


def invalid_json() -> ApiError:
    return ApiError(400, 50109, "The request body contains invalid JSON.")
