"""The shell lines of every page: those of fenced blocks, and the commands that stand in a sentence."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for top in ("specs", "tests", ".github") for page in (ROOT / top).rglob("*.md"))]
)
PROGRAMS = frozenset(
    {
        *("gexcord", "gexcord-stream", "python", "python3", "run_bot.py", "pip", "pipx", "uv", "uvx", "pytest", "ruff"),
        *("chmod", "cp", "curl", "docker", "eval", "export", "git", "jq", "kill", "mkdir", "openssl", "redis-cli"),
        *("systemctl", "touch", "zcat"),
    }
)
"""A span of code is a command when it begins with one of these and goes on; other words in code are names."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
FORM = re.compile(r"…|COMMAND|ACTION|\[[-\w]")
"""What only shows the form of a command has one of these."""
SHAPES = {
    "gexcord ": "python run_bot.py ",
    "gexcord-stream ": "python -m streaming ",
    "run_bot.py": "python run_bot.py",
    "python3 ": "python ",
}


class Command(NamedTuple):
    """A program with its arguments, and a page that shows it."""

    text: str
    page: str


def fenced(page: Path, *languages: str) -> list[str]:
    """The contents of the blocks in one of these languages; "" is a block that names none."""
    return [text for language, text in FENCE.findall(page.read_text()) if language in languages]


def shell_lines(page: Path) -> list[str]:
    """Each line of the blocks of shell, without its comment."""
    lines = [line for block in fenced(page, "sh", "bash", "shell", "console") for line in block.splitlines()]
    return [bare for line in lines if (bare := re.sub(r"(^|\s+)#.*$", "", line).strip())]


def spans(page: Path) -> list[str]:
    """The commands in the sentences and tables of a page."""
    found = re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text()))
    return [text for text in found if (words := text.split())[1:] and plain(words[0]) in PROGRAMS]


def plain(text: str) -> str:
    """Without the environment that a program is taken from."""
    return text.strip().removeprefix(".venv/bin/")


def in_one_shape(text: str) -> str:
    """The same command however it is called: from the environment, by name, or as an installed program."""
    text = plain(text)
    for begin, instead in SHAPES.items():
        if text.startswith(begin):
            return instead + text.removeprefix(begin)
    return text


def commands() -> list[Command]:
    """Every command of every page once, in one shape; what `&&` joins is two."""
    found = {
        in_one_shape(part): page.relative_to(ROOT).as_posix()
        for page in PAGES
        for line in (*shell_lines(page), *spans(page))
        for part in line.split(" && ")
        if not FORM.search(line)
    }
    return [Command(*pair) for pair in sorted(found.items())]


def forms() -> list[str]:
    """What only shows the form of a command: `python -m streaming sim [--port N]`."""
    lines = [
        line
        for page in PAGES
        for line in (*shell_lines(page), *spans(page), *"\n".join(fenced(page, "")).splitlines())
        if FORM.search(line)
    ]
    return sorted({in_one_shape(line) for line in lines if plain(line.split()[0]) in PROGRAMS})
