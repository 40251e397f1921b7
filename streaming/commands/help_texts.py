"""What `--help` shows after the options of each command: examples, and the statuses it ends with."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from streaming.commands.login.login_actions import NOT_PROVEN
from streaming.errors import (
    ConfigurationError,
    ContractError,
    LoginRequiredError,
    RequestError,
    TransientError,
    UnavailableError,
)
from streaming.process.flags import HelpLayout, epilog

_FILE, _REDIS, _LATER = RequestError.exit_status, UnavailableError.exit_status, TransientError.exit_status
_SETTING, _LOGIN, _PROTOCOL = ConfigurationError.exit_status, LoginRequiredError.exit_status, ContractError.exit_status


@dataclass(frozen=True, slots=True)
class _Help:
    """Of one command; an example is what follows its name."""

    examples: tuple[str, ...]
    statuses: tuple[int, ...]


_COMMANDS: Final = {
    "start": _Help(
        ("--dry-run", "--tickers SPX,NDX", "--symbols 'SPY,$SPX,/MNQ' --services LEVELONE_EQUITIES,LEVELONE_FUTURES"),
        (_FILE, _REDIS, _LOGIN, _SETTING),
    ),
    "gex": _Help(("chain.csv --scope zero", "spx.json.gz --iv otm --json"), (_FILE,)),
    "levels": _Help(("SPX --format tradingview", "NDX --weight vol --view future"), (_FILE, _REDIS, _LATER, _SETTING)),
    "book": _Help(("SPX", "NDX --scope zero --weight vol"), (_FILE, _REDIS, _LATER, _SETTING)),
    "token": _Help(
        ("login", "login --paste", "status", "import ~/schwab/token.json", "doctor", "explain invalid_client"),
        (_FILE, _LATER, _PROTOCOL, _LOGIN, _SETTING),
    ),
    "verify-refresh": _Help(("",), (NOT_PROVEN, _LATER, _PROTOCOL, _LOGIN, _SETTING)),
    "record": _Help(("--tickers SPX,NDX", "--ticks --path /data/recordings"), (_FILE, _REDIS, _SETTING)),
    "replay": _Help(
        (".recordings --day 2026-11-20 --start 10:30 --speed 10", "--stream gex:history:SPX --loop"),
        (_FILE, _REDIS, _SETTING),
    ),
    "history": _Help(
        (
            "",
            "import .recordings",
            "export days --csv days.csv --tickers SPX",
            'sql "SELECT day, spot_close FROM days"',
            "close 2026-11-20",
            "keep SPX,NDX",
        ),
        (_FILE, _REDIS, _LATER, _SETTING),
    ),
    "serve": _Help(("--tickers SPX,NDX",), (_FILE, _REDIS, _SETTING)),
    "status": _Help(("", "stream sources"), (_FILE, _REDIS, _LATER, _SETTING)),
    "tail": _Help(("market_data:ticks --count 5", "gex:snapshot:stream"), (_REDIS, _SETTING)),
    "redis-url": _Help(("",), (_REDIS, _SETTING)),
    "sim": _Help(("--port 8080", "--chain chain.csv --always-open"), (_FILE, _REDIS)),
}


def explain_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give each command, and each action of one, its examples and statuses.

    One that is not listed has neither, and works all the same.
    """
    for name, command in commands.choices.items():
        told = _COMMANDS.get(name, _Help((), ()))
        _explain(command, told.examples, told.statuses)


def _explain(command: argparse.ArgumentParser, examples: Iterable[str], statuses: tuple[int, ...]) -> None:
    command.formatter_class = HelpLayout
    command.epilog = epilog([f"%(prog)s {example}".rstrip() for example in examples], statuses)
    for action in command._actions:  # noqa: SLF001  # argparse lists them nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, part in action.choices.items():
                own = [text[len(name) :].strip() for text in examples if text.split()[:1] == [name]]
                _explain(part, own, statuses)
