"""Every picture of the pages, made anew by one command: `python -m tests.pictures`."""
