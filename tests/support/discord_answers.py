"""Answers of Discord, and of what stands in front of it, as discord.py raises them."""

from collections.abc import Mapping
from types import SimpleNamespace

import discord

PAGE = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>" + "x" * 1500 + "</html>"
)
"""What a proxy sends instead of an answer."""


def json_answer(status: int, code: int, message: str = "words", **headers: str) -> discord.HTTPException:
    """Discord's own error body."""
    return _raised(status, {"code": code, "message": message}, {"Content-Type": "application/json", **headers})


def page_answer(
    status: int,
    text: str = PAGE,
    content_type: str = "text/html; charset=UTF-8",
    headers: Mapping[str, str] | None = None,
) -> discord.HTTPException:
    """A text that is not Discord's."""
    return _raised(status, text, {"Content-Type": content_type, **(headers or {})})


def refused_token() -> discord.HTTPException:
    """What Discord says to a token it does not know."""
    return json_answer(401, 0, "401: Unauthorized")


def _raised(status: int, body: str | dict[str, object], headers: dict[str, str]) -> discord.HTTPException:
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    kind = discord.DiscordServerError if status >= 500 else kinds.get(status, discord.HTTPException)
    return kind(SimpleNamespace(status=status, reason="reason", headers=headers), body)
