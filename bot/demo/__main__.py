"""`python -m bot.demo`: the process of the demo's stand-ins, which the demo starts."""

import gc


def run() -> None:
    """No collection looks at what is imported, which takes a fifteenth of the time until the page answers."""
    gc.disable()
    from bot.demo.stand_ins import main

    main()


if __name__ == "__main__":
    run()
