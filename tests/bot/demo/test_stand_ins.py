"""What the demo's stand-ins make of an order."""

import os
import socket
import subprocess
import sys

import msgspec
import pytest

from bot.demo.stand_in_process import Places, SignedIn, StandInOrder
from bot.demo.stand_ins import serve
from streaming.errors import RequestError, UnavailableError
from streaming.process.framing import FrameReader


class Said(list):
    """Closes the pipe as soon as Schwab is there."""

    def __init__(self, inlet: int) -> None:
        super().__init__()
        self._inlet = inlet

    def __call__(self, answer: object) -> None:
        self.append(answer)
        if isinstance(answer, SignedIn):
            os.close(self._inlet)


async def test_the_places_are_told_first_and_the_login_when_schwab_is_there():
    outlet, inlet = os.pipe()
    said = Said(inlet)
    await serve(StandInOrder(port=0, seed=1), FrameReader(outlet), said)
    os.close(outlet)
    places, signed_in = said
    assert isinstance(places, Places)
    assert list(places.channel_ids) == ["SPX", "NDX"]
    assert places.clock().now() >= places.start_at
    assert msgspec.json.decode(signed_in.token)["token"]["access_token"]


async def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"Port {port} of the local Discord"):
            await serve(StandInOrder(port=port, seed=1), FrameReader(0), print)


async def test_a_file_that_is_no_chain_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"nothing\.json"):
        await serve(StandInOrder(port=0, seed=1, chain=str(tmp_path / "nothing.json")), FrameReader(0), print)


def test_the_page_is_served_before_anything_heavy_is_imported():
    check = (
        "import sys, bot.demo.stand_ins;"
        "heavy = {'numpy', 'discord', 'pydantic', 'redis', 'httpx', 'cryptography', 'matplotlib', 'streaming.model'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
