"""What Discord accepts as application commands."""

import re
from collections.abc import Sequence
from typing import Any, Final

from bot.sandbox.world import form_checks as check
from bot.sandbox.world.api_errors import FormErrors
from bot.sandbox.world.form_checks import Path
from bot.sandbox.world.records import Json

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
CHOICES: Final = 25
_VALUES: Final = tuple(range(STRING, ATTACHMENT + 1))
_KINDS_AT_DEPTH: Final = ((SUBCOMMAND, GROUP, *_VALUES), (SUBCOMMAND,), _VALUES)
_NAME: Final = re.compile(r"[-_'\w]{1,32}")
_TOTAL_CHARS: Final = 8_000
_LIMITS: Final = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}


def check_commands(commands: Any) -> None:
    """Raise 50035 naming everything wrong in a bulk overwrite."""
    form = FormErrors()
    if not isinstance(commands, list):
        form.add((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        form.raise_if_any()
    entries = [command if isinstance(command, dict) else {} for command in commands]
    for index, command in enumerate(entries):
        _check_command(form, (index,), command)
    for kind, limit in _LIMITS.items():
        names = [str(command.get("name")) for command in entries if command_kind(command) == kind]
        if len(names) > limit:
            form.add((), "APPLICATION_COMMANDS_MAX", f"Maximum number of application commands reached ({limit}).")
        if len(set(names)) < len(names):
            form.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
    form.raise_if_any()


def check_command(command: Any) -> None:
    """Raise 50035 naming everything wrong in one command."""
    form = FormErrors()
    _check_command(form, (), command if isinstance(command, dict) else {})
    form.raise_if_any()


def check_choices(form: FormErrors, path: Path, value: Any, value_type: int = STRING) -> None:
    """Name what is wrong in the choices of an option or an autocomplete answer."""
    choices = check.objects(form, path, value, 0, CHOICES)
    for index, item in enumerate(choices):
        check.text(form, (*path, index, "name"), item.get("name"), 1, 100)
        if value_type == STRING:
            check.text(form, (*path, index, "value"), item.get("value"), 1, 100)
        elif isinstance(item.get("value"), bool) or not isinstance(item.get("value"), int | float):
            form.add((*path, index, "value"), "NUMBER_TYPE_COERCE", f'Value "{item.get("value")}" is not a number.')
    if len({str(item.get("name")) for item in choices}) < len(choices):
        form.add(path, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_DUPLICATED", "Choice names must be unique")


def command_kind(command: Json) -> int:
    """1 for slash commands, 2 and 3 for the menus of users and messages."""
    return command.get("type") or CHAT_INPUT


def _check_command(form: FormErrors, path: Path, command: Json) -> None:
    if not check.choice(form, (*path, "type"), command_kind(command), tuple(_LIMITS)):
        return
    if command_kind(command) == CHAT_INPUT:
        _check_name(form, (*path, "name"), command.get("name"))
        check.text(form, (*path, "description"), command.get("description"), 1, 100)
        _check_options(form, (*path, "options"), command.get("options"), depth=0)
        if _chars(command) > _TOTAL_CHARS:
            form.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_TOTAL_CHARS})")
    else:
        check.text(form, (*path, "name"), command.get("name"), 1, 32)
        if command.get("description") or command.get("options"):
            form.add(path, "APPLICATION_COMMAND_INVALID_DESCRIPTION", "Menu commands have no description or options")
    permissions = command.get("default_member_permissions")
    if permissions is not None and not str(permissions).isdecimal():
        form.add((*path, "default_member_permissions"), "PERMISSION_TYPE_COERCE", "Value is not a permission set.")


def _check_name(form: FormErrors, path: Path, name: Any) -> None:
    if check.text(form, path, name, 1, 32) and (not _NAME.fullmatch(name) or name != name.lower()):
        form.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_options(form: FormErrors, path: Path, value: Any, *, depth: int) -> None:
    options = check.objects(form, path, value, 0, 25)
    for index, option in enumerate(options):
        _check_option(form, (*path, index), option, depth=depth)
    names = [str(option.get("name")) for option in options]
    if len(set(names)) < len(names):
        form.add(path, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED", "Option names must be unique")
    _check_order(form, path, options)


def _check_order(form: FormErrors, path: Path, options: Sequence[Json]) -> None:
    nested = [option.get("type") in {SUBCOMMAND, GROUP} for option in options]
    if any(nested) and not all(nested):
        form.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and plain options cannot be mixed")
    required = [bool(option.get("required")) for option in options]
    for index in range(1, len(required)):
        if required[index] and not required[index - 1]:
            form.add(
                (*path, index),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )


def _check_option(form: FormErrors, path: Path, option: Json, *, depth: int) -> None:
    if not check.choice(form, (*path, "type"), option.get("type"), _KINDS_AT_DEPTH[depth]):
        return
    _check_name(form, (*path, "name"), option.get("name"))
    check.text(form, (*path, "description"), option.get("description"), 1, 100)
    kind = option["type"]
    if kind == GROUP:
        _check_options(form, (*path, "options"), option.get("options"), depth=1)
    elif kind == SUBCOMMAND:
        _check_options(form, (*path, "options"), option.get("options"), depth=2)
    else:
        _check_value_option(form, path, option)


def _check_value_option(form: FormErrors, path: Path, option: Json) -> None:
    if option.get("choices"):
        check_choices(form, (*path, "choices"), option["choices"], option["type"])
    if option.get("autocomplete") and option.get("choices"):
        form.add(path, "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Autocomplete options cannot have choices")
    if option.get("autocomplete") and option["type"] not in {STRING, INTEGER, NUMBER}:
        form.add((*path, "autocomplete"), "BASE_TYPE_CHOICES", "Only text and number options complete themselves")
    check.whole_number(form, (*path, "min_length"), option.get("min_length"), 0, 6_000)
    check.whole_number(form, (*path, "max_length"), option.get("max_length"), 1, 6_000)


def _chars(node: Json) -> int:
    total = sum(len(text) for key in ("name", "description", "value") if isinstance(text := node.get(key), str))
    for key in ("options", "choices"):
        children = node.get(key)
        total += sum(_chars(child) for child in children if isinstance(child, dict)) if children else 0
    return total
