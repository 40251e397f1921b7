"""Run a program that ends when its parent ends: `parent_death.py PARENT_PID PROGRAM [ARGUMENT ...]`.

Started as a script in a bare interpreter, so the tie is made between fork and exec without running Python
in a forked copy of a program that has threads. On Linux the kernel delivers the signal (it watches the
*thread* that forked, so start this from the main thread); elsewhere this process stays and waits for its
standard input to close.
"""

import ctypes
import os
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1
_ORPHANED = 3


def _tie_to_parent(parent: int) -> None:
    """Ask for SIGTERM at the parent's death; leave at once if that death has already happened."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused the parent-death signal")
    if os.getppid() != parent:
        sys.exit(_ORPHANED)


def _watch_parent(command: list[str]) -> int:
    """Run `command` until it ends or standard input closes; its exit status, as a shell would say it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:  # noqa: S603  # our own argument list
        signal.signal(signal.SIGTERM, lambda *_: program.terminate())
        signal.signal(signal.SIGCHLD, lambda *_: os.close(0))
        try:
            while os.read(0, 1):
                pass
        except OSError:
            pass  # closed by the handler: the program has ended
        else:
            program.terminate()
        status = program.wait()
        return status if status >= 0 else 128 - status


def main() -> int:
    """Become the program (Linux), or run it and watch (elsewhere)."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        _tie_to_parent(parent)
        os.execv(command[0], command)  # noqa: S606  # no shell is wanted
    return _watch_parent(command)


if __name__ == "__main__":
    sys.exit(main())
