"""The text of an `.env`: values written into it so that they read back as they were.

Pure: `.env` itself is ours to read only.
"""

import re
from collections.abc import Mapping
from io import StringIO
from typing import Final

from dotenv.parser import parse_stream

from streaming.settings import ENV_FILE

NEW_ENV_FILE: Final = f"{ENV_FILE}.new"
"""What we write beside `.env`, for a person to take into use."""
_PLAIN: Final = re.compile(r"[\w.,:/+=@%$*-]*", re.ASCII)


def names_in(text: str) -> Mapping[str, str]:
    """Each setting that has a value, in capitals."""
    lines = parse_stream(StringIO(text))
    return {line.key.upper(): line.value for line in lines if line.key is not None and line.value}


def with_values(text: str, values: Mapping[str, str]) -> str:
    """The text with each name at its value: in place of its first line, whose repetitions go, or at the end."""
    left, parts = dict(values), []
    for binding in parse_stream(StringIO(text)):
        name, written = (binding.key or "").upper(), binding.original.string
        if name not in values:
            parts.append(written)
        elif name in left:
            space = written[: len(written) - len(written.lstrip())]
            parts.append(f"{space}{name}={quoted(left.pop(name))}\n")
    whole = "".join(parts)
    gap = "\n" if whole and not whole.endswith("\n") else ""
    return whole + gap + "".join(f"{name}={quoted(value)}\n" for name, value in left.items())


def quoted(value: str) -> str:
    """A value as it may stand behind `NAME=`."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
