"""The description of the HTTP API, and the schema of its contract: what is served is what they say."""

import json
import re

import jsonschema

from streaming.api.answers import LevelPrices
from streaming.api.openapi import description, levels_schema
from streaming.api.routes import JSON, ROUTES
from tests.support.api import open_api
from tests.support.contract_pages import LEVELS, text_of
from tests.support.snapshots import snapshot

DESCRIBED = json.loads(description())


def valid(schema, value):
    whole = {**schema, "components": DESCRIBED["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_each_path_is_described_once_with_each_of_its_parameters():
    assert set(DESCRIBED["paths"]) == {path for route in ROUTES for path in (route.path, *route.also)}
    names = [operation["get"]["operationId"] for operation in DESCRIBED["paths"].values()]
    assert len(names) == len(set(names))
    for path, operation in DESCRIBED["paths"].items():
        inside = [one["name"] for one in operation["get"]["parameters"] if one["in"] == "path"]
        assert inside == re.findall(r"{(\w+)}", path)
        assert all(one["required"] == (one["in"] == "path") for one in operation["get"]["parameters"])


def test_its_schemas_are_schemas_and_every_reference_leads_somewhere():
    for schema in DESCRIBED["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', description().decode()))
    assert named <= set(DESCRIBED["components"]["schemas"])


def test_every_field_of_an_answer_is_promised():
    for route in ROUTES:
        if route.answer is not None:
            schema = DESCRIBED["components"]["schemas"][route.answer.__name__]
            assert schema["required"] == list(route.answer.__struct_encode_fields__)


async def test_what_is_served_is_what_is_described(redis):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        for path, operation in DESCRIBED["paths"].items():
            content = operation["get"]["responses"]["200"]["content"]
            if JSON in content:
                asked = re.sub(r"{(symbol|ticker)}", "SPX", path).replace("{category}", "full")
                valid(content[JSON]["schema"], (await rig.http.get(asked)).json())
        refused = await rig.http.get("/v1/levels/NDX")
        valid({"$ref": "#/components/schemas/ErrorAnswer"}, refused.json())


def test_the_schema_of_the_contract_is_kept_as_a_file():
    assert LEVELS.read_text() == text_of(levels_schema()), "python -m tests.support.contract_pages writes it anew"
    jsonschema.Draft202012Validator.check_schema(levels_schema())


def test_the_schema_of_the_contract_knows_null_and_no_text_and_lets_no_level_be_left_out():
    check = jsonschema.Draft202012Validator({"$ref": "#/$defs/LevelPrices", "$defs": levels_schema()["$defs"]})
    levels = dict.fromkeys(LevelPrices.__struct_fields__) | {"zero_gamma": 6385.5}
    assert check.is_valid(levels)
    assert not check.is_valid(levels | {"zero_gamma": "6385.5"})
    levels.pop("call_wall")
    assert not check.is_valid(levels)
