"""The real third-party clients in an environment of their own, and a simulator process for them to talk to."""

import asyncio
import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from streaming.commands.sim import APP_KEY, APP_SECRET

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIENTS = ("schwab-py==1.5.1", "schwabdev==4.0.0", "schwaby==5.2.0")
INSTALL_LIMIT_S = 240
SCRIPT_LIMIT_S = 40
_ADDRESS = re.compile(r"Simulated Schwab: (http://\S+)")


@dataclass(frozen=True)
class Sim:
    """A simulator in another process."""

    url: str
    key: str = APP_KEY
    secret: str = APP_SECRET


@pytest.fixture(scope="session")
def clients_python(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A Python with the clients installed, kept between runs beside pytest's temporary folders."""
    base = tmp_path_factory.getbasetemp()
    kept = request.config.getoption("basetemp") is None
    version = ".".join(map(str, sys.version_info[:3]))
    home = (base.parent if kept else base) / f"clients-{version}-{'-'.join(CLIENTS)}"
    python, ready = home / "bin" / "python", home / "ready"
    with (home.parent / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be installing them
        if not ready.exists():
            venv.create(home, with_pip=True, clear=True)
            _install(python)
            ready.touch()
    return python


def _install(python: Path) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *CLIENTS]
    try:
        subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"pip cannot install {' and '.join(CLIENTS)} here")


@pytest.fixture
async def sim() -> AsyncIterator[Sim]:
    """`python -m streaming sim` on a free port, trading at whatever hour this is."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming", "sim", "--always-open"), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            found = _ADDRESS.match((await process.stderr.readline()).decode())
        yield Sim(found[1])
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
def run_script(clients_python: Path, tmp_path: Path) -> Callable[..., object]:
    """Runs a script of this folder in the clients' environment; what it told."""

    async def run(name: str, *arguments: str) -> dict:
        process = await asyncio.create_subprocess_exec(
            *(clients_python, HERE / name, *arguments),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AUTHLIB_INSECURE_TRANSPORT": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(SCRIPT_LIMIT_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()[-2000:]
        return json.loads(out)

    return run


@pytest.fixture
def callback_url() -> str:
    """A loopback callback whose port is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{probe.getsockname()[1]}"
