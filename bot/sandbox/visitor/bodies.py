"""What the page sends."""

import json
from typing import Any

from aiohttp import web

from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Json


async def read_json(request: web.Request) -> Json:
    """The body of a page request; only JSON, which no other site's form can send here."""
    if request.content_type != "application/json":
        raise ApiError(415, 0, "The page sends JSON.")
    try:
        asked: Any = json.loads(await request.read())
    except ValueError:
        raise ApiError(400, 0, "The page sent broken JSON.") from None
    if not isinstance(asked, dict):
        raise ApiError(400, 0, "The page sends an object.")
    return asked
