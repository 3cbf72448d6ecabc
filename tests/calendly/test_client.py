import pytest

from calendly.endpoint import Endpoint
from calendly.request import Request
from tests.calendly.desk import Desk
from tests.hostile_upstream import answer

pytestmark = pytest.mark.anyio


async def test_a_read_returns_the_object_that_calendly_answers(desk: Desk) -> None:
    desk.upstream.will(answer(200, {"resource": {"name": "Dana"}}))
    assert await desk.send(Request(Endpoint("GET", "/users/{user}"), {"user": "U/1"}, {"a": "x y", "b": None})) == {
        "resource": {"name": "Dana"}
    }
    [request] = desk.upstream.requests
    assert (request.method, request.target, request.body) == ("GET", "/users/U%2F1?a=x+y", b"")
    assert request.token == "secret-token"
    assert request.headers["user-agent"] == "calendly-mcp-server/0"
    assert request.headers["accept"] == "application/json"
