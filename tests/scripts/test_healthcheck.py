import http.server
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from scripts.healthcheck import problem_of
from tests.ports import kept_port

HTTP = ["/opt/calendly-mcp/bin/python", "/opt/calendly-mcp/bin/calendly-mcp", "http", ""]
STDIO = ["/opt/calendly-mcp/bin/python", "/opt/calendly-mcp/bin/calendly-mcp", "stdio", ""]


@contextmanager
def answering(status: HTTPStatus) -> Generator[int]:
    """A server that answers `/healthz` with a status and knows no other path. Gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else HTTPStatus.NOT_FOUND)
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_http_server_that_answers_is_well() -> None:
    with answering(HTTPStatus.OK) as port:
        assert problem_of(HTTP, port) is None


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NOT_FOUND])
def test_an_http_server_that_answers_anything_else_is_not_well(status: HTTPStatus) -> None:
    with answering(status) as port:
        assert problem_of(HTTP, port) == f"/healthz answers {status}"


def test_an_http_server_that_does_not_answer_is_not_well() -> None:
    with kept_port() as port:
        assert str(problem_of(HTTP, port)).startswith(f"no answer on port {port}: ConnectionRefused")


def test_any_other_command_is_well_while_it_lives() -> None:
    with kept_port() as port:
        assert problem_of(STDIO, port) is None
