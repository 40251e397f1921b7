"""What schemas and pages repeat of the code; `python -m tests.support.contract_pages` writes it anew."""

import json
from pathlib import Path
from typing import Final

from streaming.api.openapi import levels_schema

SPECS: Final = Path(__file__).resolve().parents[2] / "specs"
LEVELS: Final = SPECS / "schemas" / "levels.json"


def levels_text() -> str:
    """`specs/schemas/levels.json`."""
    return json.dumps(levels_schema(), indent=2) + "\n"


if __name__ == "__main__":
    LEVELS.write_text(levels_text())
