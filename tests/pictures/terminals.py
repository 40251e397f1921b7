"""What a terminal shows, as a page for a browser: `gexcord init` answered by somebody, and the shell's help."""

import asyncio
import os
import subprocess
import sys
import tempfile
from contextlib import chdir
from html import escape
from pathlib import Path
from typing import Final
from unittest.mock import patch

from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.world.permission_bits import Permission
from bot.setup.init import Person, initialise
from streaming.clock import SystemClock

_STYLE: Final = """
body { margin: 0; background: #151515; color: #e2e2e2; }
pre { margin: 0; padding: 20px 22px; font: 15px/1.45 'DejaVu Sans Mono'; white-space: pre-wrap; width: 1150px; }
b { color: #9a9a9a; font-weight: normal; } i { color: #6cb6ff; font-style: normal; }
"""
_ROOT: Final = Path(__file__).resolve().parents[2]


def page(command: str, body: str) -> str:
    """A page; `body` is HTML already."""
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><pre><b>$ {escape(command)}</b>\n{body}</pre>"


async def help_page() -> str:
    """All commands of `python -m streaming`."""
    command = [sys.executable, "-m", "streaming", "--help"]
    environment = os.environ | {"COLUMNS": "120"}
    done = await asyncio.to_thread(subprocess.run, command, cwd=_ROOT, env=environment, capture_output=True, check=True)
    return page("python -m streaming --help", escape(done.stdout.decode().rstrip()))


async def init_page() -> str:
    """Somebody who mistypes the token, and whose bot may not write in one of two channels until they change that."""
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        async with open_sandbox() as discord:
            places = {"DISCORD_API_URL": discord.api_url, "DISCORD_GATEWAY_URL": discord.gateway_url}
            spx, ndx = discord.channel_ids.values()
            discord.world.deny(ndx, Permission.SEND_MESSAGES)
            shown = iter(("", f"SPX:{spx},NDX:{ndx}", "", "", "", "", ""))
            unseen = iter(("mistyped", discord.token, "k" * 32, "s" * 16))

            def ask(words: str) -> str:
                answer = next(shown)
                said.append(f"{escape(words)}<i>{escape(answer)}</i>")
                if words.startswith("Channels ["):
                    discord.world.deny(ndx, Permission(0))
                return answer

            def ask_unseen(words: str) -> str:
                said.append(escape(words))
                return next(unseen)

            person = Person(ask=ask, ask_unseen=ask_unseen, say=lambda line: said.append(escape(line)))
            kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
            with patch.dict(os.environ, kept | places, clear=True):
                await asyncio.to_thread(initialise, Path(folder), person, SystemClock())
    return page("gexcord init", "\n".join(said))
