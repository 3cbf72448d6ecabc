"""The sandbox as an ASGI application."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control.routes import control_routes
from sandbox.endpoints import ENDPOINTS
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import ApiError, body_for, insufficient_scope, invalid_argument
from sandbox.oauth import oauth_routes
from sandbox.records.scopes import grants
from sandbox.requests.fields import read_object
from sandbox.requests.gate import Gate
from sandbox.requests.permissions import identify
from sandbox.state.clock import RealNow, SandboxClock, Sleep, utc_now
from sandbox.state.sandbox import Sandbox


def create_app(*, now: RealNow = utc_now, sleep: Sleep = asyncio.sleep) -> Starlette:
    """Make the application of a new sandbox, which is kept as `app.state.sandbox`.

    Args:
        now: Reads the real time, as an aware UTC time.
        sleep: Waits real seconds: before a webhook is sent again, and for a fault with a delay.
    """
    sandbox = Sandbox(SandboxClock(now, sleep))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        yield
        await sandbox.deliveries.close()

    app = Starlette(
        routes=[
            *(_route(sandbox, endpoint) for endpoint in ENDPOINTS),
            *oauth_routes(sandbox),
            *control_routes(sandbox),
        ],
        middleware=[Middleware(Gate, sandbox=sandbox)],
        exception_handlers={HTTPException: _no_route},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.sandbox = sandbox
    return app


def _route(sandbox: Sandbox, endpoint: SandboxEndpoint) -> Route:
    async def answer(request: Request) -> Response:
        try:
            shape = endpoint.answer(await _call(sandbox, endpoint, request))
        except ApiError as error:
            return error.response()
        return Response(status_code=endpoint.status) if shape is None else JSONResponse(shape, endpoint.status)

    return Route(endpoint.path, answer, methods=[endpoint.method])


async def _call(sandbox: Sandbox, endpoint: SandboxEndpoint, request: Request) -> EndpointCall:
    """Check the token and its scopes, and read the body. An empty body is an empty object.

    Raises:
        ApiError: 401, 403 or 400.
    """
    caller = identify(sandbox, request.headers.get("Authorization", ""))
    if not any(grants(caller.token.scopes, scope) for scope in endpoint.scopes):
        raise insufficient_scope(endpoint.scopes[:1])
    body = read_object(await request.body() or b"{}") if endpoint.method in {"POST", "PATCH"} else {}
    if body is None:
        raise invalid_argument({"message": "The request body must be a JSON object."})
    return EndpointCall(
        sandbox, caller, cast("str", request.scope["path"]), request.path_params, request.query_params, body
    )


async def _no_route(_request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    return JSONResponse(body_for(status), status_code=status)
