"""The page's own API: state, live events, what a visitor does, files (same origin as the page)."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.sandbox.rest.rest import json_response
from bot.sandbox.rest.traffic import Traffic
from bot.sandbox.visitor.actions import PageActions
from bot.sandbox.visitor.bodies import read_json
from bot.sandbox.visitor.page_view import PageView
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.interactions import Interaction
from bot.sandbox.world.page_events import PageHub
from bot.sandbox.world.records import Json, Persona
from bot.sandbox.world.world import World

PAGE_FILES: Final = Path(__file__).parents[1] / "page"
QUIET_S: Final = 15.0
_WRITE_WITHIN_S: Final = 10.0
_SAFE_INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_UNCHANGING: Final = "public, max-age=31536000, immutable"


class PageApi:
    """Serves the page and everything it asks for."""

    def __init__(self, world: World, traffic: Traffic, view: PageView, actions: PageActions, hub: PageHub) -> None:
        self._world = world
        self._traffic = traffic
        self._view = view
        self._hub = hub
        self._actions: dict[str, Callable[[Persona, Json], Interaction]] = {
            "command": actions.command,
            "autocomplete": actions.autocomplete,
            "component": actions.component,
            "modal": actions.modal,
        }

    def mount(self, app: web.Application) -> None:
        """Register the page's routes beside those of the API."""
        app.router.add_get("/", self.index)
        app.router.add_get("/api/page/state", self.state)
        app.router.add_get("/api/page/events", self.events)
        app.router.add_get("/api/page/traffic", self.traffic)
        app.router.add_post("/api/page/interact", self.interact)
        app.router.add_get("/attachments/{attachment_id}/{filename}", self.attachment)
        if PAGE_FILES.is_dir():
            app.router.add_static("/static/", PAGE_FILES)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """The page; never from a cache, since its files change with the program."""
        return web.FileResponse(PAGE_FILES / "index.html", headers={"Cache-Control": "no-cache"})

    async def state(self, request: web.Request) -> web.Response:
        """Everything that a persona sees, for the first paint and after a lost connection."""
        persona = self._persona(request.query.get("as"))
        if persona is None:
            return _nobody()
        return json_response(self._view.state(persona), headers={"Cache-Control": "no-store"})

    async def traffic(self, request: web.Request) -> web.Response:
        """Counters of the REST interface; with `requests=1` also the latest bodies, for checks from outside."""
        body = self._traffic.summary
        if request.query.get("requests") == "1":
            body["requests"] = [asdict(record) for record in self._traffic.requests]
        return json_response(body, headers={"Cache-Control": "no-store"})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A stream of server-sent events until the page goes or falls behind."""
        persona = self._persona(request.query.get("as"))
        if persona is None:
            return _nobody()
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        viewer = self._hub.join(persona.key)
        try:
            await response.write(b"retry: 1000\n\n")
            while (event := await viewer.next(QUIET_S)) is not None:
                async with asyncio.timeout(_WRITE_WITHIN_S):
                    await response.write(event)
        except (ConnectionError, TimeoutError):
            return response
        finally:
            self._hub.leave(viewer)
        return response

    async def interact(self, request: web.Request) -> web.Response:
        """Start an interaction; autocomplete waits for its choices, everything else is answered by events."""
        try:
            asked = await read_json(request)
            persona = self._persona(asked.get("as"))
            action = self._actions.get(str(asked.get("type")))
            if persona is None or action is None:
                return _nobody()
            interaction = action(persona, asked)
        except ApiError as error:
            return json_response({"message": str(error)}, error.status)
        if interaction.choices is not None:
            return json_response({"choices": await interaction.choices})
        return json_response({"interaction_id": str(interaction.id)}, 202)

    async def attachment(self, request: web.Request) -> web.Response:
        """A file; shown in place only when it cannot run anything in the page."""
        wanted = request.match_info["attachment_id"]
        for message in self._world.messages():
            for item in message.attachments:
                if str(item.id) == wanted and item.data:
                    kind = item.content_type
                    headers = {"Cache-Control": _UNCHANGING, "X-Content-Type-Options": "nosniff"}
                    if kind not in _SAFE_INLINE:
                        headers["Content-Disposition"] = "attachment"
                    return web.Response(body=item.data, content_type=kind, headers=headers)
        return json_response({"message": "The file is gone."}, 404)

    def _persona(self, key: object) -> Persona | None:
        return self._world.personas.get(str(key or "owner"))


def _nobody() -> web.Response:
    return json_response({"message": "Nobody of that name is here."}, 404)
