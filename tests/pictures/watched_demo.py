"""The demo with a port for `/metrics`: `python -m tests.pictures.watched_demo PORT ARGUMENTS OF run_bot.py`."""

import sys
from pathlib import Path

from bot import app
from bot.demo import demo_settings
from bot.demo.stand_in_process import Places
from bot.settings import BotSettings

_settings = demo_settings._settings


def main(port: int, *arguments: str) -> int:
    def watched(places: Places, folder: Path, api_port: int, api_token: str) -> BotSettings:
        return _settings(places, folder, api_port, api_token).model_copy(update={"metrics_port": port})

    demo_settings._settings = watched
    return app.main(["--demo", *arguments])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
