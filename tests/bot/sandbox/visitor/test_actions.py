import pytest

from bot.sandbox.visitor.actions import modal_answers
from bot.sandbox.world.api_errors import ApiError

TEXT = {"type": 4, "id": 2, "custom_id": "level", "label": "Level", "min_length": 2, "max_length": 4}
NOTE = {"type": 4, "id": 4, "custom_id": "note", "label": "Note", "required": False}
SHOWN = [{"type": 1, "id": 1, "components": [TEXT]}, {"type": 1, "id": 3, "components": [NOTE]}]


def test_flat_and_nested_answers_mean_the_same() -> None:
    flat = [{"custom_id": "level", "value": "500"}]
    nested = [{"type": 1, "components": [{"type": 4, "custom_id": "level", "value": "500"}]}]
    assert modal_answers(SHOWN, flat) == modal_answers(SHOWN, nested)
    assert modal_answers(SHOWN, flat) == [
        {"type": 1, "id": 1, "components": [{"type": 4, "id": 2, "custom_id": "level", "value": "500"}]},
        {"type": 1, "id": 3, "components": [{"type": 4, "id": 4, "custom_id": "note", "value": ""}]},
    ]


@pytest.mark.parametrize("value", ["", "5", "50000", None])
def test_a_text_of_the_wrong_length_is_refused_by_its_label(value: str | None) -> None:
    with pytest.raises(ApiError, match="Level"):
        modal_answers(SHOWN, [{"custom_id": "level", "value": value}])


def test_a_required_text_without_a_length_still_needs_a_character() -> None:
    shown = [{"type": 1, "id": 1, "components": [{"type": 4, "id": 2, "custom_id": "why", "label": "Why"}]}]
    with pytest.raises(ApiError, match="Why"):
        modal_answers(shown, [])
    assert modal_answers(shown, [{"custom_id": "why", "value": "x"}])


def test_labels_and_selects_keep_their_shape() -> None:
    select = {"type": 3, "id": 2, "custom_id": "scope", "options": []}
    shown = [{"type": 18, "id": 1, "label": "Scope", "component": select}, {"type": 10, "id": 3, "content": "read"}]
    answers = modal_answers(shown, [{"type": 18, "component": {"custom_id": "scope", "values": ["zero"]}}])
    assert answers == [
        {"type": 18, "id": 1, "component": {"type": 3, "id": 2, "custom_id": "scope", "values": ["zero"]}},
        {"type": 10, "id": 3},
    ]
