"""`python -m tests.data_builders FOLDER`: the made chains, the whole one and the frames as files."""

import argparse
import sys
from pathlib import Path

from tests.data_builders.chains import RECIPES, made, spx_whole
from tests.data_builders.frames import FILES, as_file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="made if it is not there")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in RECIPES:
        made(name).write(folder / name)
    spx_whole().write(folder / "spx_whole.csv")
    for name, frames in FILES.items():
        (folder / name).write_bytes(as_file(frames()))
    sys.stdout.write(f"{len(RECIPES) + 1} chains and {len(FILES)} recordings of frames are in {folder}.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
