"""The image without an engine: its command, its health check and its settings, run as the Dockerfile words them."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import compose_spec

from bot.settings import BotSettings
from streaming.bus.server.embedded import free_port
from streaming.setting_values import is_secret
from tests.e2e.conftest import ROOT, Home
from tests.e2e.test_accounts import open_world
from tests.support.redis_server import plain_redis

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = compose_spec.PyCompose.from_yaml((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE.to_dict()["services"]


def instruction(name: str) -> str:
    """The last one of a name."""
    return re.findall(rf"^\s*{name} (.+)$", DOCKERFILE, flags=re.MULTILINE)[-1]


def command(text: str) -> list[str]:
    """In exec form, with this clone and this Python in the place of the image's."""
    python, *arguments = json.loads(text)
    assert python == "python"
    return [argument.replace("/opt/gexcord", str(ROOT)) for argument in arguments]


CHECK = command(instruction("HEALTHCHECK").partition("CMD ")[2])
SETTINGS = dict(pair.split("=", 1) for pair in shlex.split(instruction("ENV")))
OWN = {name: value for name, value in SETTINGS.items() if name not in {"PATH", "PYTHONPATH"}}


async def check(environment: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *CHECK, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


async def test_its_command_becomes_healthy_with_a_token_from_a_file_and_ends_when_told_to(home: Home, tmp_path: Path):
    folder, port = tmp_path / "redis-server", str(free_port())
    folder.mkdir()
    image = OWN | {"METRICS_PORT": port}
    with plain_redis(folder) as (url, _):
        async with open_world(home, url) as world:
            secret = tmp_path / "token.txt"
            secret.write_text(world.environment.pop("DISCORD_BOT_TOKEN") + "\n")
            assert await check(image) != 0
            settings = world.environment | image | {"DISCORD_BOT_TOKEN_FILE": str(secret)}
            program = home.start(*command(instruction("CMD")), **settings)
            async with asyncio.timeout(30):
                while await check(image) != 0:
                    await asyncio.sleep(0.2)
            await asyncio.to_thread(program.wait_for, re.compile("connected to Discord as"), within_s=20.0)
            assert await asyncio.to_thread(program.stop) == 0
            assert await check(image) != 0


def test_the_image_has_what_the_program_reads_and_runs_as_nobody_in_particular():
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE))
    assert set(" ".join(copied).split()) == {"requirements.txt", "run_bot.py", ".env.back", "streaming", "bot", "cogs"}
    assert int(instruction("USER")) > 1000
    assert set(OWN) - {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} <= {
        name.upper() for name in BotSettings.model_fields
    }


def test_nothing_private_gets_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == {
        "requirements.txt", "run_bot.py", ".env.back", "streaming", "bot", "cogs"
    }  # fmt: skip


def test_compose_says_what_the_specification_knows_and_gives_secrets_as_files():
    COMPOSE.validate()
    environment = SERVICES["bot"]["environment"]
    secrets = {name.upper() for name, field in BotSettings.model_fields.items() if is_secret(field)}
    by_file = {name.removesuffix("_FILE"): value for name, value in environment.items() if name.endswith("_FILE")}
    assert by_file.keys() <= secrets
    assert set(by_file.values()) == {f"/run/secrets/{name}" for name in SERVICES["bot"]["secrets"]}
    assert environment.keys() - {f"{name}_FILE" for name in by_file} <= {
        name.upper() for name in BotSettings.model_fields
    }
    assert set(SERVICES["bot"]["secrets"]) == COMPOSE.to_dict()["secrets"].keys()


def test_what_compose_keeps_is_on_volumes_and_what_it_opens_on_this_machine():
    kept = {"bot": "data:/data", "valkey": "valkey:/data"}
    assert {name: service["volumes"] for name, service in SERVICES.items()} == {
        name: [volume] for name, volume in kept.items()
    }
    assert instruction("VOLUME") == instruction("WORKDIR") == "/data"
    assert SERVICES["bot"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in (OWN["METRICS_PORT"], 9106)]
    assert "--appendonly" in SERVICES["valkey"]["command"]


if shutil.which("hadolint"):  # no wheel has it, so it is asked only where it is

    def test_hadolint_has_nothing_against_the_dockerfile():
        command = ["hadolint", "Dockerfile"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "")
