"""The flags that each of our programs has."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streaming.process.flags import add_usual_flags, completion


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gexcord-stream")
    add_usual_flags(parser)
    commands = parser.add_subparsers()
    played = commands.add_parser("replay", help="play a recording")
    played.add_argument("path", type=Path)
    played.add_argument("--speed", help="how fast")
    return parser


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_a_command_its_options_and_files(parser, tmp_path):
    (tmp_path / "day.jsonl.gz").touch()
    script = tmp_path / "completion.sh"
    script.write_text(completion(parser, "bash"))
    assert "replay" in completed(script, "gexcord-stream", "re")
    assert "--speed" in completed(script, "gexcord-stream", "replay", "--s")
    assert "day.jsonl.gz" in completed(script, "gexcord-stream", "replay", "da")


def completed(script: Path, *words: str) -> list[str]:
    line = (
        f"source {script}; function=$(complete -p {words[0]} | sed -E 's/.*-F ([^ ]+).*/\\1/');"
        f" COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE='{' '.join(words)}';"
        f" COMP_POINT=${{#COMP_LINE}}; $function {words[0]} {words[-1]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    return subprocess.run(
        ["bash", "-c", line], cwd=script.parent, capture_output=True, text=True, check=False
    ).stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_flag_prints_a_script_and_ends(parser, capsys, shell):
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--print-completion", shell])
    assert ended.value.code == 0
    assert "replay" in capsys.readouterr().out


def test_without_the_extra_one_sentence_says_what_to_install(parser, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--print-completion", "bash"])
    assert ended.value.code == 2
    assert "pip install 'gexcord[completion]'" in capsys.readouterr().err
