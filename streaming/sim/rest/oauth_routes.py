"""HTTP face of the authority: `/v1/oauth/authorize` approves by itself, `/v1/oauth/token` issues tokens."""

from collections.abc import Iterable
from urllib.parse import urlencode

from aiohttp import web

from streaming.sim.rest.authority import RefusedError
from streaming.sim.shared_state import SharedState


class OAuthRoutes:
    """Handlers of the two OAuth endpoints."""

    def __init__(self, shared: SharedState) -> None:
        self._hall = shared

    def routes(self) -> Iterable[web.RouteDef]:
        """What to mount."""
        return (web.get("/v1/oauth/authorize", self._authorize), web.post("/v1/oauth/token", self._token))

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        authority, query = self._hall.authority, request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != authority.client_id or not redirect_uri:
            return web.json_response({"error": "invalid_client", "error_description": "Unauthorized"}, status=401)
        try:
            code = authority.authorize(redirect_uri)
        except RefusedError as error:
            return web.Response(status=error.status, text=str(error.body))
        answer = {"code": code, "session": authority.uuid()}
        if "state" in query:
            answer["state"] = query["state"]
        joint = "&" if "?" in redirect_uri else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}"})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            body = self._hall.authority.exchange(request.headers.get("Authorization"), form)
        except RefusedError as error:
            return web.json_response(error.body, status=error.status)
        return web.json_response(self._hall.faults.granted(body))
