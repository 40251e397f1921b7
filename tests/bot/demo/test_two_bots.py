"""Two bots of one demo: what each is told. That one takes over from the other is seen by `tests.fuzz.paused_leader`."""

import asyncio
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bot.app import main
from bot.demo.demo_settings import BotOrder, demo_of
from bot.demo.stand_in_process import Places
from bot.demo.two_bots import _end_with
from bot.sandbox.local_discord import make_token
from streaming.process.framing import FrameReader

API_TOKEN = "x" * 40
HERE = "127.0.0.1:1"
PLACES = Places(
    page_url=f"http://{HERE}/",
    api_url=f"http://{HERE}/api/v10",
    gateway_url=f"ws://{HERE}/gateway/",
    bot_token=make_token(),
    owner_id=1191168914227200010,
    channel_ids={"SPX": 1191168914227200100},
    schwab_url=f"http://{HERE}",
    start_at=datetime(2026, 8, 20, tzinfo=UTC),
    began_s=0.0,
)


def test_two_bots_share_folder_and_token_and_answer_at_addresses_of_their_own(tmp_path: Path):
    demo = demo_of(PLACES, tmp_path, 4711, API_TOKEN)
    one, two = (msgspec.msgpack.decode(msgspec.msgpack.encode(order), type=BotOrder) for order in demo.orders(2))
    assert (one.places, one.folder, one.api_port, one.api_token) == (PLACES, str(tmp_path), 4711, API_TOKEN)
    assert (two.folder, two.api_token) == (one.folder, one.api_token)
    assert two.api_port not in {0, one.api_port}


def test_one_of_two_finds_the_login_kept(tmp_path: Path):
    asyncio.run(demo_of(PLACES, tmp_path, 4711, API_TOKEN).sign_in())
    assert list(tmp_path.iterdir()) == []


def test_a_bot_is_told_to_end_when_whoever_started_it_has_gone():
    outlet, inlet = os.pipe()
    told = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        os.close(inlet)
        _end_with(FrameReader(outlet))
        assert told.wait(1.0)
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(outlet)


def test_two_bots_are_the_demos_only(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--two"])
    assert "--two: only with --demo" in capsys.readouterr().err
