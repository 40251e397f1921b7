"""Checks on single fields that several forms share; each adds Discord's own error code and sentence."""

from collections.abc import Sequence
from typing import Any

from bot.sandbox.world.api_errors import FormErrors

Path = tuple[str | int, ...]


def text(form: FormErrors, path: Path, value: Any, low: int, high: int) -> bool:
    """Whether `value` is a string of `low` to `high` characters; what is missing counts as wrong only if low > 0."""
    if value is None:
        if low:
            form.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        return not low
    if not isinstance(value, str):
        form.add(path, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        return False
    return length(form, path, value, low, high)


def length(form: FormErrors, path: Path, value: Sequence[Any], low: int, high: int) -> bool:
    """Whether something counted has `low` to `high` items or characters."""
    if low and not value and isinstance(value, str):
        form.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        return False
    if low <= len(value) <= high:
        return True
    if low:
        form.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    else:
        form.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
    return False


def objects(form: FormErrors, path: Path, value: Any, low: int, high: int) -> list[dict[str, Any]]:
    """The objects of a list of `low` to `high`; wrong entries are named and left out, None counts as empty."""
    if value is None:
        value = []
    if not isinstance(value, list):
        form.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return []
    length(form, path, value, low, high)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            form.add((*path, index), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return [item if isinstance(item, dict) else {} for item in value]


def whole_number(form: FormErrors, path: Path, value: Any, low: int, high: int) -> bool:
    """Whether `value` is absent or a whole number from `low` to `high`."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int):
        form.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        return False
    if value < low:
        form.add(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
    elif value > high:
        form.add(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")
    return low <= value <= high


def choice(form: FormErrors, path: Path, value: Any, allowed: Sequence[Any]) -> bool:
    """Whether `value` is one of a fixed set."""
    if value is None:
        form.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        return False
    if isinstance(value, bool) or value not in allowed:
        names = ", ".join(str(item) for item in allowed)
        form.add(path, "BASE_TYPE_CHOICES", f"Value must be one of ({names}).")
        return False
    return True
