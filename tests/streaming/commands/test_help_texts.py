"""The help of every command ends with examples that its parser takes, and with the statuses it can end with."""

import argparse
import shlex

import pytest

from bot import app
from streaming.commands import cli
from streaming.process.flags import EXIT_STATUSES

PARSERS = {"python run_bot.py": app._parser, "python -m streaming": lambda: cli._parser("python -m streaming")}


def commands(parser, words=()):
    """Every command of a parser, itself among them, by the words that lead to it."""
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from commands(child, (*words, name))


EVERY = [(program, *one) for program, make in PARSERS.items() for one in commands(make())]


def shown(command, part):
    """The lines of the epilog under a title."""
    lines = command.epilog.replace("%(prog)s", command.prog).partition(f"{part}:\n")[2].partition("\n\n")[0]
    return lines.splitlines()


@pytest.mark.parametrize(
    ("program", "words", "command"), EVERY, ids=[f"{program} {' '.join(words)}" for program, words, _ in EVERY]
)
def test_each_command_shows_examples_that_it_understands_and_its_statuses(program, words, command):
    parser = PARSERS[program]()
    for line in shown(command, "examples"):
        arguments = shlex.split(line.removeprefix(f"  {command.prog}").partition("    ")[0])
        if arguments != ["replay", "--help"]:
            assert parser.parse_args([*words, *arguments])
    assert shown(command, "examples") or len(words) > 1, "an action of a command may do without"
    statuses = [int(line.split()[0]) for line in shown(command, "exit statuses")]
    assert statuses == sorted(statuses) and {0, 2, 70, 130} <= set(statuses) <= set(EXIT_STATUSES)
    assert "exit statuses:\n  0    done" in command.format_help()
