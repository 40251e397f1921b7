"""`gexcord init`, `backup` and `restore` on the command line; what they do is imported when it is asked for."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from streaming.errors import RequestError
from streaming.process.flags import HelpLayout, epilog

if TYPE_CHECKING:  # the shell asks for no records
    from streaming.ports import Tell

_FEWEST: Final = 8
_STATUSES: Final = (65, 69, 75, 78)
_INIT: Final = ("%(prog)s                  then look at .env.new and rename it to .env",)
_BACKUP: Final = (
    "%(prog)s gexcord.backup",
    "%(prog)s /mnt/safe/gexcord.backup --passphrase-file passphrase.txt --force",
)
_RESTORE: Final = (
    "%(prog)s gexcord.backup                  into this folder",
    "%(prog)s gexcord.backup /opt/gexcord-data",
)
Subparsers = argparse._SubParsersAction  # noqa: SLF001  # argparse gives it no other name


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the commands to the parser of `gexcord`."""
    init = _add(commands, "init", "ask for what is needed, test each answer, and write .env.new", _INIT)
    init.set_defaults(run=_init)
    backup = _add(commands, "backup", "write settings, login, alerts and day rows into one encrypted file", _BACKUP)
    backup.add_argument("file", type=Path, metavar="FILE", help="the backup to write")
    backup.add_argument("--force", action="store_true", help="replace a file that exists")
    restore = _add(commands, "restore", "put a backup into a folder; settings become .env.new", _RESTORE)
    restore.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore.add_argument("folder", type=Path, metavar="FOLDER", nargs="?", default=Path(), help="where to; else here")
    restore.add_argument("--force", action="store_true", help="replace what is in the way")
    for command in (backup, restore):
        command.add_argument(
            "--passphrase-file",
            type=Path,
            metavar="FILE",
            help="take its first line; else it is asked for",
        )
    backup.set_defaults(run=_backup)
    restore.set_defaults(run=_restore)


def _add(
    commands: "Subparsers[argparse.ArgumentParser]", name: str, text: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}. In full: specs/shell.md.",
        epilog=epilog(examples, _STATUSES),
        formatter_class=HelpLayout,
    )


def _init(_: argparse.Namespace, tell: "Tell") -> int:
    if not sys.stdin.isatty():
        raise RequestError("`init` asks questions, so it needs a terminal.", remedy="Or copy .env.back to .env.")
    from bot.setup.init import Person, initialise
    from streaming.clock import SystemClock

    initialise(Path(), Person(ask=input, ask_unseen=getpass, say=tell), SystemClock())
    return 0


def _backup(arguments: argparse.Namespace, tell: "Tell") -> int:
    from bot.setup.backup import BackupOrder, back_up
    from streaming.clock import SystemClock

    passphrase = asked_passphrase(arguments.passphrase_file, twice=True)
    order = BackupOrder(target=arguments.file, passphrase=passphrase, force=arguments.force)
    asyncio.run(back_up(order, SystemClock(), tell=tell))
    return 0


def _restore(arguments: argparse.Namespace, tell: "Tell") -> int:
    from bot.setup.restore import RestoreOrder, restore
    from streaming.clock import SystemClock

    passphrase = asked_passphrase(arguments.passphrase_file, twice=False)
    order = RestoreOrder(source=arguments.file, passphrase=passphrase, folder=arguments.folder, force=arguments.force)
    asyncio.run(restore(order, SystemClock(), tell=tell))
    return 0


def asked_passphrase(path: Path | None, *, twice: bool, ask: Callable[[str], str] = getpass) -> str:
    """The first line of a file, or what a person types unseen; `twice` for a new one, which has to be long enough.

    RequestError where there is neither a file nor a terminal, or the two differ.
    """
    if path is not None:
        passphrase = _first_line(path)
    elif not sys.stdin.isatty():
        raise RequestError("A passphrase is asked for at a terminal only.", remedy="Give --passphrase-file FILE.")
    else:
        passphrase = ask("Passphrase: ")
        if twice and ask("Once more: ") != passphrase:
            raise RequestError("The two passphrases differ.", remedy="Try again.")
    if twice and len(passphrase) < _FEWEST:
        raise RequestError("The passphrase is short.", remedy=f"Take {_FEWEST} characters or more.")
    return passphrase


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RequestError(f"{path} cannot be read: {reason}.") from None
