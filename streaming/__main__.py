"""`python -m streaming`."""

import sys

from streaming.commands.cli import main

sys.exit(main())
