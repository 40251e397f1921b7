"""Entry points: `python run_bot.py [--demo [--chain FILE]] [--check]`, and the commands of an installed Gexcord."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_WRONG_SETTING = 78
"""As ConfigurationError, which may be out of reach."""


def main() -> int:
    """`gexcord`: the bot; its exit status."""
    if foreign := foreign_packages("bot", "cogs", "streaming"):
        return _told(foreign)
    from bot.app import main as run

    return run()


def stream() -> int:
    """`gexcord-stream`: what `python -m streaming` does; its exit status."""
    if foreign := foreign_packages("streaming"):
        return _told(foreign)
    from streaming.commands.cli import main as run

    return run(prog="gexcord-stream")


def foreign_packages(*names: str) -> Sequence[str]:
    """A sentence for each of these packages that is not ours but one of the same name."""
    return [
        f"Python finds a package `{name}` that is not Gexcord's ({place or 'without a file'}). Install Gexcord "
        "into a virtual environment of its own, and take that package out of PYTHONPATH."
        for name in names
        if not _is_ours(name, place := _place_of(name))
    ]


def _place_of(name: str) -> str | None:
    found = find_spec(name)
    return None if found is None else found.origin


def _is_ours(name: str, place: str | None) -> bool:
    """A package of another project may lie elsewhere, or have been installed over ours."""
    if place is None or Path(place).resolve() != _HERE / name / "__init__.py":
        return False
    return "Gexcord" in Path(place).read_text(encoding="utf-8", errors="replace")


def _told(sentences: Sequence[str]) -> int:
    sys.stderr.write("\n".join(sentences) + "\n")
    return _WRONG_SETTING


if __name__ == "__main__":
    sys.exit(main())
