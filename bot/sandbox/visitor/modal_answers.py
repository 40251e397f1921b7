"""What a person typed into a modal, in the shape the interaction carries it."""

from typing import Any

from bot.sandbox.rest.asked_options import bad_request
from bot.sandbox.rest.component_rules import LABEL, ROW, TEXT_INPUT, walk
from bot.sandbox.world.records import Json


def modal_answers(shown: list[Json], typed: Any) -> list[Json]:
    """The modal's rows with their values, checked against what the modal asks.

    `typed` may be nested as Discord nests it or a flat list; only `custom_id` with `value` or `values` counts.
    """
    rows = [row for row in typed if isinstance(row, dict)] if isinstance(typed, list) else []
    given = {item["custom_id"]: item for item in walk(rows) if isinstance(item.get("custom_id"), str)}
    return [_answer_row(row, given) for row in shown]


def _answer_row(row: Json, given: dict[str, Json]) -> Json:
    if row["type"] == ROW:
        return {"type": ROW, "id": row["id"], "components": [_answer(field, given) for field in row["components"]]}
    if row["type"] == LABEL:
        return {"type": LABEL, "id": row["id"], "component": _answer(row["component"], given, row["label"])}
    return {"type": row["type"], "id": row["id"]}


def _answer(field: Json, given: dict[str, Json], label: str | None = None) -> Json:
    item = given.get(field["custom_id"], {})
    answer: Json = {"type": field["type"], "id": field["id"], "custom_id": field["custom_id"]}
    if field["type"] == TEXT_INPUT:
        return {**answer, "value": _text(field, item.get("value"), label or field.get("label"))}
    if "values" in item or field["type"] in {3, 5, 6, 7, 8, 19, 22}:
        return {**answer, "values": item.get("values") or []}
    return {**answer, "value": item.get("value")}


def _text(field: Json, value: Any, label: Any) -> str:
    text = value if isinstance(value, str) else ""
    if not text and not field.get("required", True):
        return text
    if not (field.get("min_length") or 1) <= len(text) <= (field.get("max_length") or 4_000):
        raise bad_request(f"{label} is empty, too short or too long.")
    return text
