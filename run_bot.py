"""Entry point: `python run_bot.py [--demo [--chain FILE]] [--check]`."""

import sys

from bot.app import main

if __name__ == "__main__":
    sys.exit(main())
