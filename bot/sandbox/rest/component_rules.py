"""What Discord accepts as buttons, selects and modals."""

from collections.abc import Iterator
from typing import Any, Final

from bot.sandbox.world import form_checks as check
from bot.sandbox.world.api_errors import FormErrors
from bot.sandbox.world.form_checks import Path
from bot.sandbox.world.records import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS: Final = (3, 5, 6, 7, 8)
SECTION, TEXT_DISPLAY, GALLERY, LABEL, CONTAINER = 9, 10, 12, 18, 17
MODERN: Final = (ROW, SECTION, TEXT_DISPLAY, GALLERY, 13, 14, CONTAINER)
LINK, PREMIUM = 5, 6
_ROWS, _BUTTONS_PER_ROW, _OPTIONS, _MODERN_TOTAL, _PICTURES = 5, 5, 25, 40, 10
_TEXT_TOTAL: Final = 4_000


def check_message_components(form: FormErrors, path: Path, value: Any, *, modern: bool) -> None:
    """Name every component of a message that breaks a rule; `modern` is the second kind's flag."""
    rows = check.objects(form, path, value, 0, _MODERN_TOTAL if modern else _ROWS)
    for index, row in enumerate(rows):
        if check.choice(form, (*path, index, "type"), row.get("type"), MODERN if modern else (ROW,)):
            _check_block(form, (*path, index), row)
    _check_distinct(form, path, rows)
    if modern:
        _check_modern_totals(form, path, rows)


def check_modal(form: FormErrors, path: Path, body: Json) -> None:
    """Name everything in a modal that breaks a rule."""
    check.text(form, (*path, "custom_id"), body.get("custom_id"), 1, 100)
    check.text(form, (*path, "title"), body.get("title"), 1, 45)
    rows = check.objects(form, (*path, "components"), body.get("components"), 1, _ROWS)
    for index, row in enumerate(rows):
        _check_modal_row(form, (*path, "components", index), row)
    _check_distinct(form, (*path, "components"), rows)


def every_component(components: list[Json]) -> Iterator[Json]:
    """Every component of a message or modal, outer ones first."""
    for component in components:
        yield component
        children = component.get("components")
        yield from every_component(
            [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []
        )
        for key in ("component", "accessory"):
            if isinstance(child := component.get(key), dict):
                yield from every_component([child])


def _check_block(form: FormErrors, path: Path, block: Json) -> None:
    if block["type"] == ROW:
        _check_row(form, path, block)
    elif block["type"] == TEXT_DISPLAY:
        check.text(form, (*path, "content"), block.get("content"), 1, _TEXT_TOTAL)
    elif block["type"] == GALLERY:
        check.objects(form, (*path, "items"), block.get("items"), 1, _PICTURES)
    elif block["type"] in {CONTAINER, SECTION}:
        for index, inner in enumerate(check.objects(form, (*path, "components"), block.get("components"), 1, 40)):
            if check.choice(form, (*path, "components", index, "type"), inner.get("type"), MODERN):
                _check_block(form, (*path, "components", index), inner)
    if isinstance(accessory := block.get("accessory"), dict) and accessory.get("type") == BUTTON:
        _check_button(form, (*path, "accessory"), accessory)


def _check_row(form: FormErrors, path: Path, row: Json) -> None:
    items = check.objects(form, (*path, "components"), row.get("components"), 1, _BUTTONS_PER_ROW)
    for index, item in enumerate(items):
        here = (*path, "components", index)
        if not check.choice(form, (*here, "type"), item.get("type"), (BUTTON, *SELECTS)):
            continue
        if item["type"] == BUTTON:
            _check_button(form, here, item)
        else:
            _check_select(form, here, item)
            if len(items) > 1:
                form.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")


def _check_button(form: FormErrors, path: Path, button: Json) -> None:
    if not check.choice(form, (*path, "style"), button.get("style"), (1, 2, 3, 4, LINK, PREMIUM)):
        return
    check.text(form, (*path, "label"), button.get("label"), 0, 80)
    if button["style"] == LINK:
        check.text(form, (*path, "url"), button.get("url"), 1, 512)
    elif button["style"] != PREMIUM:
        check.text(form, (*path, "custom_id"), button.get("custom_id"), 1, 100)
    if not button.get("label") and not button.get("emoji") and button["style"] != PREMIUM:
        form.add(path, "BUTTON_COMPONENT_MISSING_LABEL", "A button must have a label or an emoji")


def _check_select(form: FormErrors, path: Path, select: Json) -> None:
    check.text(form, (*path, "custom_id"), select.get("custom_id"), 1, 100)
    check.text(form, (*path, "placeholder"), select.get("placeholder"), 0, 150)
    check.whole_number(form, (*path, "min_values"), select.get("min_values"), 0, _OPTIONS)
    check.whole_number(form, (*path, "max_values"), select.get("max_values"), 1, _OPTIONS)
    if select["type"] != STRING_SELECT:
        return
    options = check.objects(form, (*path, "options"), select.get("options"), 1, _OPTIONS)
    for index, option in enumerate(options):
        here = (*path, "options", index)
        check.text(form, (*here, "label"), option.get("label"), 1, 100)
        check.text(form, (*here, "value"), option.get("value"), 1, 100)
        check.text(form, (*here, "description"), option.get("description"), 0, 100)
    if len({str(option.get("value")) for option in options}) < len(options):
        form.add((*path, "options"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified values must be unique")


def _check_modal_row(form: FormErrors, path: Path, row: Json) -> None:
    if not check.choice(form, (*path, "type"), row.get("type"), (ROW, TEXT_DISPLAY, LABEL)):
        return
    if row["type"] == ROW:
        for index, item in enumerate(check.objects(form, (*path, "components"), row.get("components"), 1, 1)):
            _check_field(form, (*path, "components", index), item)
    elif row["type"] == LABEL:
        check.text(form, (*path, "label"), row.get("label"), 1, 45)
        check.text(form, (*path, "description"), row.get("description"), 0, 100)
        component = row.get("component")
        _check_field(form, (*path, "component"), component if isinstance(component, dict) else {}, labelled=True)


def _check_field(form: FormErrors, path: Path, field: Json, *, labelled: bool = False) -> None:
    allowed = (TEXT_INPUT, *SELECTS, 19, 21, 22, 23) if labelled else (TEXT_INPUT,)
    if not check.choice(form, (*path, "type"), field.get("type"), allowed):
        return
    check.text(form, (*path, "custom_id"), field.get("custom_id"), 1, 100)
    if field["type"] in SELECTS:
        _check_select(form, path, field)
    if field["type"] != TEXT_INPUT:
        return
    check.choice(form, (*path, "style"), field.get("style"), (1, 2))
    if not labelled:
        check.text(form, (*path, "label"), field.get("label"), 1, 45)
    check.whole_number(form, (*path, "min_length"), field.get("min_length"), 0, 4_000)
    check.whole_number(form, (*path, "max_length"), field.get("max_length"), 1, 4_000)
    check.text(form, (*path, "value"), field.get("value"), 0, 4_000)
    check.text(form, (*path, "placeholder"), field.get("placeholder"), 0, 100)


def _check_distinct(form: FormErrors, path: Path, rows: list[Json]) -> None:
    ids = [component["custom_id"] for component in every_component(rows) if isinstance(component.get("custom_id"), str)]
    if len(set(ids)) < len(ids):
        form.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


def _check_modern_totals(form: FormErrors, path: Path, rows: list[Json]) -> None:
    everything = list(every_component(rows))
    if len(everything) > _MODERN_TOTAL:
        form.add(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"At most {_MODERN_TOTAL} components are allowed")
    texts = [component.get("content") for component in everything if component.get("type") == TEXT_DISPLAY]
    if sum(len(text) for text in texts if isinstance(text, str)) > _TEXT_TOTAL:
        form.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"Text exceeds maximum size of {_TEXT_TOTAL}")
