"""What the guard refuses and adds, and what the log says of refused requests and of proxies that nobody named."""

from ipaddress import ip_network

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.transports.guard import Guard, Reach
from server.transports.proxies import MOST_AT_ONCE, Proxies
from server.transports.refusals import Refusals

SECRET = "c0nf1rmS3cret"


class Minutes:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.seconds


def client(reach: Reach, clock: Minutes | None = None) -> httpx2.AsyncClient:
    """Make a client of a server that refuses much."""

    async def refuse(request: Request) -> Response:
        request.state.refusal = "The token expired."
        request.state.agent = "Claude"
        return PlainTextResponse("x", 401)

    async def read(request: Request) -> Response:
        return PlainTextResponse(f"{len(await request.body())}")

    app = Starlette(
        routes=[Route("/token", refuse, methods=["POST"]), Route("/mcp", read, methods=["POST"])],
        middleware=[Middleware(Refusals, clock or Minutes()), Middleware(Guard, reach)],
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=reach.address)


@pytest.mark.requirement("refusals-logged")
async def test_refused_requests_are_logged_with_reason_and_client_and_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "server.transports.refusals")
    async with client(Reach(address="https://mcp.example", is_local=False)) as http:
        await http.post("/token?code=hidden")
        await http.get(f"/confirm/{SECRET}?x=hidden", headers={"User-Agent": "cursor/1.2 (somebody@example.com)"})
        await http.get("/mcp", headers={"User-Agent": ""})
        await http.post("/mcp", headers={"Host": "evil.example"})
        assert (await http.post("/mcp")).status_code == 200
    refused, unknown, method, host = caplog.messages
    assert refused == "refused POST /token: 401 The token expired. [Claude]"
    assert unknown == "refused GET /confirm/…: 404 Not Found [cursor/1.2]"
    assert method == "refused GET /mcp: 405 Method Not Allowed [no name]"
    assert host.startswith("refused POST /mcp: 421 This server answers as https://mcp.example only")


@pytest.mark.requirement("refusals-logged")
async def test_a_flood_of_refusals_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server.transports.refusals")
    clock = Minutes()
    async with client(Reach(address="https://mcp.example", is_local=False), clock) as http:
        for _ in range(100):
            await http.get("/nothing")
        clock.seconds = 60.0
        await http.get("/nothing")
    assert len(caplog.messages) == 62
    assert caplog.messages[60] == "40 more requests were refused in that minute"


@pytest.mark.requirement("declared-length")
async def test_a_declared_length_over_the_limit_is_refused_at_once_on_every_path() -> None:
    async with client(Reach(address="https://mcp.example", is_local=False)) as http:
        for path, length, status in (
            ("/mcp", 1024 * 1024, 200),
            ("/mcp", 1024 * 1024 + 1, 413),
            ("/mcp/", 10**30, 413),
            ("/token", 64 * 1024 + 1, 413),
            ("/healthz", 64 * 1024 + 1, 413),
            ("/nothing", 10**12, 413),
        ):
            response = await http.post(path, content=b"", headers={"Content-Length": str(length)})
            assert response.status_code == status, path
            assert ("close" in response.headers.get("connection", "")) is (status == 413)


@pytest.mark.requirement("hsts")
async def test_where_clients_come_by_https_every_answer_says_that_they_have_to() -> None:
    for address, said in (("https://mcp.example", "max-age=31536000"), ("http://127.0.0.1:8000", None)):
        async with client(Reach(address=address, is_local=False)) as http:
            for answer in (await http.post("/mcp"), await http.get("/nothing"), await http.get("/", headers=FOREIGN)):
                assert answer.headers.get("strict-transport-security") == said


FOREIGN = {"Host": "evil.example"}


@pytest.mark.requirement("proxy-noticed")
def test_a_proxy_that_nobody_named_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    proxies = Proxies((ip_network("10.0.0.0/8"),))
    for peer in ("192.0.2.1", "10.0.0.1", "192.0.2.2"):
        for number in range(9):
            with proxies.request(peer, [f"198.51.100.{number if peer != '192.0.2.2' else 0}"]) as may_go_on:
                assert may_go_on
    [line] = caplog.messages
    assert line.startswith("192.0.2.1 sends requests for several addresses")
    assert "--trusted-proxies" in line


@pytest.mark.requirement("many-connections")
def test_behind_a_trusted_proxy_each_address_has_so_many_requests_under_way() -> None:
    proxies = Proxies((ip_network("10.0.0.0/8"),))
    under_way = [proxies.request("10.0.0.1", ["evil, 198.51.100.1"]) for _ in range(MOST_AT_ONCE + 1)]
    answers = [each.__enter__() for each in under_way]
    assert answers == [True] * MOST_AT_ONCE + [False]
    with proxies.request("10.0.0.1", ["198.51.100.2"]) as may_go_on:
        assert may_go_on
    for each in under_way:
        each.__exit__(None, None, None)
    with proxies.request("10.0.0.1", ["198.51.100.1"]) as may_go_on:
        assert may_go_on
