"""The environment that programs we start are given: what they need to run, none of the settings with secrets."""

import os
from typing import Final

_NEEDED: Final = frozenset({
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV",
    "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",  # where matplotlib keeps its list of fonts
})  # fmt: skip
_NEEDED_KINDS: Final = ("LC_", "LD_", "DYLD_", "PYTHON")


def child_environment() -> dict[str, str]:
    """Those of our own variables that a child may see; tokens, keys and addresses stay here."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith(_NEEDED_KINDS)}
