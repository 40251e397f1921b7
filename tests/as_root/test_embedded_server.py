"""What only another user on this machine can show of the embedded server; collected where we may become one."""

import os
import subprocess
import tempfile
import textwrap
from pathlib import Path

import pytest

from streaming.bus.server.embedded import open_embedded_server
from streaming.bus.server.folder import ServerFolder
from streaming.errors import UnavailableError

NOBODY = 65534
CONNECT = """
    import socket, sys
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(sys.argv[1])
        except OSError as error:
            print(type(error).__name__)
        else:
            print("connected")
"""
READ = """
    import os, sys
    found = 0
    for name in ("", "server.json", "server.conf", "server.log", "redis.sock", "appendonlydir"):
        try:
            os.scandir(sys.argv[1]) if not name else open(os.path.join(sys.argv[1], name))
        except PermissionError:
            continue
        found += 1
    print(found)
"""


def as_nobody(code: str, *arguments: str) -> str:
    """What a Python program of another user prints."""
    answer = subprocess.run(
        ["/usr/bin/env", "python3", "-c", textwrap.dedent(code), *arguments],
        cwd="/", user=NOBODY, group=NOBODY, extra_groups=(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout.strip() or answer.stderr


async def test_another_user_can_neither_connect_nor_read_a_file():
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)  # noqa: PTH101  # so that it is the server's own folder that keeps others out
        async with open_embedded_server(Path(place, "data")) as server:
            assert as_nobody(CONNECT, server.url.removeprefix("unix://")) == "PermissionError"
            assert as_nobody(READ, f"{place}/data") == "0"


def test_a_folder_in_which_another_user_has_planted_a_file_is_refused(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "server.conf").write_text("")
    os.chown(folder / "server.conf", NOBODY, NOBODY)
    with pytest.raises(UnavailableError, match="cannot be used") as caught:
        ServerFolder(folder)
    assert "REDIS_DATA_PATH" in caught.value.remedy
