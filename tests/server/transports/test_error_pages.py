"""What a browser is shown where a program gets a refusal as plain text."""

from typing import Final

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from auth.endpoints.html import Pages
from server.installing.front_page import error_page
from server.transports.error_pages import ErrorPages
from tests.cases import each

BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def _too_many(_request: Request) -> Response:
    return PlainTextResponse("Too many <requests>.\n", 429, {"Retry-After": "1"})


async def _unauthorized(_request: Request) -> Response:
    return JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": "Bearer x"})


async def _well(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


@each(
    "method, path, accept, status, kind, words",
    [
        ("GET", "/nowhere", BROWSER, 404, "text/html", "There is no page at this address."),
        ("GET", "/nowhere", "*/*", 404, "text/plain", "Not Found"),
        ("DELETE", "/well", BROWSER, 405, "text/html", "does not take that kind of request"),
        ("GET", "/many", "text/html", 429, "text/html", "Too many &lt;requests&gt;."),
        ("GET", "/mcp", BROWSER, 401, "text/html", "for programs that speak MCP"),
        ("POST", "/mcp", BROWSER, 401, "application/json", '{"error":"unauthorized"}'),
        ("GET", "/mcp", "application/json, text/event-stream", 401, "application/json", '{"error":"unauthorized"}'),
        ("GET", "/well", BROWSER, 200, "text/plain", "ok\n"),
    ],
)
async def test_a_browser_reads_a_page_and_a_program_what_it_always_read(  # noqa: PLR0913, PLR0917 - a row of the table
    method: str, path: str, accept: str, status: int, kind: str, words: str
) -> None:
    routes = [Route("/well", _well), Route("/many", _too_many), Route("/mcp", _unauthorized, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(ErrorPages, error_page(Pages()))])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as http:
        answer = await http.request(method, path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
    assert words in answer.text
    assert answer.headers.get("retry-after", "1") == "1"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert ("www-authenticate" in answer.headers) == (path == "/mcp")
    assert (answer.headers.get("x-frame-options") == "DENY") == (kind == "text/html")
