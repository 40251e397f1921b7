from typing import Any

import pytest

from bot.sandbox.rest.component_rules import check_message_components, check_modal
from bot.sandbox.world.api_errors import ApiError, FormErrors

BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
SELECT = {"type": 3, "custom_id": "pick", "options": [{"label": "a", "value": "a"}]}
INPUT = {"type": 4, "custom_id": "text", "style": 1, "label": "Text"}


def row(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(items)}


def is_refused(*rows: dict[str, Any]) -> bool:
    form = FormErrors()
    check_message_components(form, ("components",), list(rows), modern=False)
    return _refuses(form)


def is_modal_refused(**changes: Any) -> bool:
    form = FormErrors()
    body = {"custom_id": "m", "title": "Title", "components": [row(INPUT)], **changes}
    check_modal(form, ("data",), body)
    return _refuses(form)


def _refuses(form: FormErrors) -> bool:
    try:
        form.raise_if_any()
    except ApiError:
        return True
    return False


def test_buttons_and_selects_pass() -> None:
    assert not is_refused(
        row(BUTTON, {"type": 2, "style": 5, "label": "Site", "url": "https://example.org"}), row(SELECT)
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "x" * 81},
        {"label": None},
        {"custom_id": "x" * 101},
        {"custom_id": None},
        {"style": 7},
        {"style": 5},
        {"type": 4},
        {"type": 99},
    ],
)
def test_a_button_that_breaks_a_rule_is_refused(changed: dict[str, Any]) -> None:
    assert is_refused(row({**BUTTON, **changed}))


@pytest.mark.parametrize(
    "changed",
    [
        {"options": []},
        {"options": [{"label": "a", "value": str(n)} for n in range(26)]},
        {"options": [{"label": "a", "value": "same"}] * 2},
        {"options": [{"label": "x" * 101, "value": "a"}]},
        {"placeholder": "x" * 151},
        {"max_values": 26},
    ],
)
def test_a_select_that_breaks_a_rule_is_refused(changed: dict[str, Any]) -> None:
    assert is_refused(row({**SELECT, **changed}))


def test_rows_hold_five_buttons_or_one_select_and_ids_differ() -> None:
    buttons = [{**BUTTON, "custom_id": str(number)} for number in range(6)]
    assert not is_refused(row(*buttons[:5]))
    assert is_refused(row(*buttons))
    assert is_refused(*[row({**BUTTON, "custom_id": str(number)}) for number in range(6)])
    assert is_refused(row(SELECT, BUTTON))
    assert is_refused(row(BUTTON, BUTTON))
    assert is_refused(row())


def test_a_modal_passes_with_inputs_in_rows_or_labels() -> None:
    assert not is_modal_refused()
    labelled = {"type": 18, "label": "Text", "component": {"type": 4, "custom_id": "t", "style": 2}}
    assert not is_modal_refused(components=[labelled, {"type": 10, "content": "read this"}])


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 46},
        {"custom_id": "x" * 101},
        {"components": []},
        {"components": [row(INPUT)] * 6},
        {"components": [row(BUTTON)]},
        {"components": [row({**INPUT, "label": "x" * 46})]},
        {"components": [row({**INPUT, "max_length": 4_001})]},
        {"components": [row({**INPUT, "placeholder": "x" * 101})]},
    ],
)
def test_a_modal_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    assert is_modal_refused(**changes)
