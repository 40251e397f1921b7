"""The flags of each of our programs: its version, what a shell completes, dates, and what its help says at the end."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from streaming import __version__
from streaming.clock import date_of

_SHELLS: Final = ("bash", "zsh", "tcsh")
EXIT_STATUSES: Final = {
    0: "done, or asked to stop",
    2: "an unknown option",
    65: "a file, a symbol or a ticker cannot be used",
    69: "a service does not answer, such as Redis",
    70: "a bug, or a disk that cannot be written; the message says which",
    74: "a refreshed login was not stored",
    75: "temporary, try again",
    76: "the other side broke its protocol",
    77: "a login is needed, or a permission is missing",
    78: "a setting is wrong or missing",
    130: "interrupted",
}
"""What they mean in a shell; in full: specs/operations.md."""
_ALWAYS: Final = (0, 2, 70, 130)


class HelpLayout(argparse.HelpFormatter):
    """Wraps what is one paragraph, and leaves a text of several lines as it stands."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text.rstrip() if "\n" in text else super()._fill_text(text, width, indent)


def epilog(examples: Sequence[str], statuses: Iterable[int] = EXIT_STATUSES) -> str:
    """What help ends with: examples, if any, and the exit statuses, those that every command has among them."""
    lines = ["examples:", *(f"  {example}" for example in examples), ""] if examples else []
    shown = sorted({*_ALWAYS, *statuses})
    return "\n".join([*lines, "exit statuses:", *(f"  {status:<4} {EXIT_STATUSES[status]}" for status in shown)])


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
