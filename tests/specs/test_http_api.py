"""specs/http-api.md: its examples run as they stand, and what it lists is what there is."""

import asyncio
import json
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import jsonschema

from streaming.api.openapi import levels_schema
from streaming.api.routes import ROUTES
from tests.support.api import TOKEN, open_api
from tests.support.snapshots import snapshot

PAGE = (Path(__file__).resolve().parents[2] / "specs" / "http-api.md").read_text()


def example(language):
    """The one block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


def surroundings(rig):
    return {"PATH": os.environ["PATH"], "GEXCORD": rig.api.url, "GEXCORD_TOKEN": TOKEN}


def test_its_example_of_the_contract_is_valid_and_shows_every_field():
    jsonschema.Draft202012Validator(levels_schema()).validate(json.loads(example("json")))


def test_it_lists_every_path():
    table = PAGE.partition("## Paths")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`(/v1/[^`]+|/tickers|/\{ticker\}[^`]+)`", table)) - {"/v1/openapi.json"}
    assert listed | {"/{ticker}/classic/{category}/majors", "/{ticker}/classic/{category}/maxchange"} == {
        route.path for route in ROUTES
    }


async def test_its_example_in_python_reads_the_levels(redis):
    async with open_api(redis) as rig, asyncio.timeout(20):
        await rig.store.put(snapshot())
        rig.clock.advance(60.0)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", example("python"), env=surroundings(rig), stdout=PIPE
        )
        told = (await process.communicate())[0].decode().splitlines()
    assert told[0] == "not to act on: live, 62 s old"
    assert told[1:] == [
        "zero_gamma 6385.5", "call_wall 6450.0", "put_wall 6300.0", "call_wall_gross hidden", "put_wall_gross hidden"
    ]  # fmt: skip


if node := shutil.which("node"):

    async def test_its_example_in_javascript_follows_the_events(redis):
        async with open_api(redis) as rig, asyncio.timeout(20):
            await rig.store.put(snapshot())
            script = ("--input-type=module", "--eval", example("js"))
            process = await asyncio.create_subprocess_exec(node, *script, env=surroundings(rig), stdout=PIPE)
            try:
                assert (await process.stdout.readline()).decode().startswith("SPX {")
            finally:
                process.kill()
                await process.wait()


if shutil.which("curl"):

    async def test_its_line_for_a_shell_answers_with_the_levels(redis):
        async with open_api(redis) as rig, asyncio.timeout(20):
            await rig.store.put(snapshot())
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", example("sh").replace("curl", "curl --silent --fail")),
                env=surroundings(rig),
                stdout=PIPE,
            )
            assert json.loads((await process.communicate())[0])["levels"]["call_wall"] == 6450.0
