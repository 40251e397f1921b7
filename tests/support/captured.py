"""Where files of third parties lie that may not be part of the repository: a second opinion, beside it or nowhere."""

from pathlib import Path
from typing import Final

CAPTURED: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
