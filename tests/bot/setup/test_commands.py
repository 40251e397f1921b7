"""The commands on the command line: a passphrase is typed unseen and twice, or read from a file."""

import io
import sys

import pytest

from bot.app import main
from bot.setup.commands import asked_passphrase
from streaming.errors import RequestError


class Terminal(io.StringIO):
    def isatty(self):
        return True


def typing(monkeypatch, *answers):
    monkeypatch.setattr(sys, "stdin", Terminal())
    left = iter(answers)
    return lambda _prompt: next(left)


def test_a_new_one_is_asked_for_twice_and_one_that_is_known_once(monkeypatch):
    ask = typing(monkeypatch, "correct horse", "correct horse", "short")
    assert asked_passphrase(None, twice=True, ask=ask) == "correct horse"
    assert asked_passphrase(None, twice=False, ask=ask) == "short"


@pytest.mark.parametrize(
    ("typed", "why"), [(("correct horse", "correct hose"), "differ"), (("short", "short"), "short")]
)
def test_a_slip_and_a_short_one_are_refused(monkeypatch, typed, why):
    with pytest.raises(RequestError, match=why):
        asked_passphrase(None, twice=True, ask=typing(monkeypatch, *typed))


def test_the_first_line_of_a_file_is_one(tmp_path):
    (tmp_path / "pass").write_text("correct horse\r\nand more\n")
    assert asked_passphrase(tmp_path / "pass", twice=True) == "correct horse"
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        asked_passphrase(tmp_path / "none", twice=True)


@pytest.mark.parametrize("command", [["backup", "x"], ["restore", "x"]])
def test_without_a_terminal_or_a_file_it_is_one_sentence(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(command) == 65
    assert capsys.readouterr().err.startswith("A passphrase is asked for at a terminal only.")
    assert not list(tmp_path.iterdir())
