"""The wheel: what is in it, and what its commands do far away from the clone."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streaming import __version__

ROOT = Path(__file__).resolve().parents[1]
ASIDE = {"__pycache__"}


def run(*command: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=environment | variables, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel in a folder of its own; what it needs is found in the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    target = ["pip", "install", "--no-deps", "--no-index", "--disable-pip-version-check", "-q", "--target", str(folder)]
    done = run(sys.executable, "-m", *target, str(wheel), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def command(
    installed: Path, name: str, *arguments: str, cwd: Path, path: str = ""
) -> "subprocess.CompletedProcess[str]":
    where = os.pathsep.join(filter(None, [path, str(installed)]))
    return run(sys.executable, str(installed / "bin" / name), *arguments, cwd=cwd, PYTHONPATH=where)


def test_every_file_of_the_three_packages_is_in_the_wheel_and_env_back_besides(wheel):
    files = {path.relative_to(ROOT).as_posix() for top in ("bot", "cogs", "streaming") for path in files_of(ROOT / top)}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == files | {"run_bot.py", "streaming/.env.back"}


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not ASIDE & set(path.parts)]


@pytest.mark.parametrize("name", ["gexcord", "gexcord-stream"])
def test_each_command_tells_the_version_and_is_called_by_its_name(installed, tmp_path, name):
    assert command(installed, name, "--version", cwd=tmp_path).stdout == f"Gexcord {__version__}\n"
    assert f"usage: {name} " in command(installed, name, "--help", cwd=tmp_path).stdout


def test_an_installed_bot_prints_every_setting_and_reads_env_where_it_is_run(installed, tmp_path):
    assert command(installed, "gexcord", "--settings", cwd=tmp_path).stdout == (ROOT / ".env.back").read_text()
    (tmp_path / ".env").write_text("GEX_FEED_UPDATE_SECONDS=soon\n")
    done = command(installed, "gexcord", cwd=tmp_path)
    assert done.returncode == 78
    assert "GEX_FEED_UPDATE_SECONDS is not valid" in done.stderr


def test_a_package_of_the_same_name_in_front_of_ours_is_one_sentence(installed, tmp_path):
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise SystemExit('imported')\n")
    done = command(installed, "gexcord", "--version", cwd=tmp_path, path=str(tmp_path))
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"Python finds a package `bot` that is not Gexcord's ({tmp_path}")


def test_a_package_installed_over_ours_is_noticed_as_well(installed, tmp_path):
    ours = installed / "streaming" / "__init__.py"
    text = ours.read_text()
    try:
        ours.write_text('"""Videos."""\n')
        done = command(installed, "gexcord-stream", "--version", cwd=tmp_path)
    finally:
        ours.write_text(text)
    assert done.returncode == 78
    assert "`streaming` that is not Gexcord's" in done.stderr


def test_the_newest_entry_of_the_changelog_is_of_this_version():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == __version__
    assert len(headings) == len(set(headings))
