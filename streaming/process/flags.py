"""The flags of each of our programs: its version, what a shell completes, and dates."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from streaming import __version__
from streaming.clock import date_of

_SHELLS: Final = ("bash", "zsh", "tcsh")


def add_usual_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--version` and `--print-completion SHELL`."""
    parser.add_argument("--version", action="version", version=f"Gexcord {__version__}")
    parser.add_argument(
        "--print-completion",
        choices=_SHELLS,
        action=_PrintCompletion,
        help="print the shell's completion of this command, and exit",
    )


def a_day(text: str) -> date:
    """The date that an argument names; argparse says so where it names none."""
    found = date_of(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be a date such as 2026-11-20")
    return found


class _PrintCompletion(argparse.Action):
    """Prints and ends the program, as `--help` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        _namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option: str | None = None,
    ) -> None:
        sys.stdout.write(completion(parser, str(values)))
        parser.exit()


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """A script for the shell; the parser's own error where the extra `completion` is not installed."""
    try:
        import shtab
    except ImportError:
        parser.error("--print-completion needs the package shtab: pip install 'gexcord[completion]'")
    _complete_files(parser, shtab)
    script: str = shtab.complete(parser, shell)
    return script


def _complete_files(parser: argparse.ArgumentParser, shtab: ModuleType) -> None:
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of a parser and of all its commands."""
    for action in parser._actions:  # noqa: SLF001  # argparse lists them nowhere else
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
