"""Reading `.env`: UTF-8, every character of a value as it stands, and what in it is probably a slip of the pen."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream
from pydantic_settings import DotEnvSettingsSource

_ALIKE: Final = 0.85
"""How much of two names must agree: a slip of one or two letters, and no more."""
_PREFIXES: Final = ("DISCORD_", "GEX_", "SCHWAB_", "REDIS_", "GEXBOT_", "CBOE_", "ALERTS_", "METRICS_")


class PlainEnvFile(DotEnvSettingsSource):
    """The values of `.env` as written: a `${NAME}` inside a secret is part of the secret."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        lines = parse_stream(StringIO(read_text(file_path)))
        return {line.key.lower(): line.value for line in lines if line.key is not None and line.value != ""}


def read_text(path: Path) -> str:
    """The file's text, without a byte order mark; UnicodeError when it is not UTF-8, OSError when unreadable."""
    text = path.read_text(encoding="utf-8-sig")
    if "\0" in text:
        raise UnicodeError("no text holds a zero byte")
    return text


def doubtful_lines(text: str, known: Collection[str]) -> Sequence[str]:
    """A sentence for each line that cannot be read and each unknown name that looks like one of ours.

    `known` holds the settings' names in capitals. What a line says beyond its name is never repeated.
    """
    found = []
    for binding in parse_stream(StringIO(text)):
        name = (binding.key or "").upper()
        if binding.error:
            found.append(f"line {binding.original.line} is not NAME=value, so it is ignored.")
        elif (sentence := doubtful_name(name, known)) is not None:
            found.append(sentence)
    return found


def doubtful_name(name: str, known: Collection[str], *, ours: bool = True) -> str | None:
    """A sentence about a name that is no setting but reads like one, or in a file of `ours` begins like one; else None.

    In the environment other programs have names that begin with REDIS_ or METRICS_.
    """
    if name in known:
        return None
    meant = get_close_matches(name, known, n=1, cutoff=_ALIKE)
    if not meant and not (ours and name.startswith(_PREFIXES)):
        return None
    advice = f"Is {meant[0]} meant?" if meant else "Compare its spelling with .env.back."
    return f"{name} is no setting of this program, so it is ignored. {advice}"
