import asyncio
import socket

import pytest

from auth.local.listener import AuthorizationAnswer, Callback, listening, read_request
from auth.upstream.login import LoginRefused
from tests.cases import each

STATE = "the-state"
PORT = 8765


def head(
    target: str = f"/callback?code=the-code&state={STATE}", *, method: str = "GET", host: str = "localhost:8765"
) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n".encode()


@pytest.mark.requirement("login-listener")
@each("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765"])
def test_the_code_with_the_right_state_is_the_answer(host: str) -> None:
    reply = read_request(head(host=host), PORT, STATE)
    assert (reply.status, reply.answer) == (200, AuthorizationAnswer(code="the-code"))


@pytest.mark.requirement("login-listener", "callback-iss")
def test_an_answer_may_name_calendly_as_its_sender() -> None:
    request = head(f"/callback?code=the-code&state={STATE}&iss=https://calendly.com")
    assert read_request(request, PORT, STATE, {"https://calendly.com"}).status == 200
    assert read_request(request, PORT, STATE, {"https://auth.calendly.com"}).status == 400


@pytest.mark.requirement("login-listener")
@each("error, told", [("access_denied", "access_denied"), ("<b>other</b>", "server_error")])
def test_a_refusal_is_an_answer_too(error: str, told: str) -> None:
    reply = read_request(head(f"/callback?error={error}&state={STATE}"), PORT, STATE)
    assert (reply.status, reply.answer) == (200, AuthorizationAnswer(error=told))
    assert b"<b>" not in reply.encode()


@pytest.mark.requirement("login-listener")
@each(
    "request_head, status",
    [
        (head("/callback?code=x&state=another"), 400),
        (head("/callback?code=x"), 400),
        (head("/callback?code=x&state="), 400),
        (head(f"/callback?state={STATE}"), 400),
        (head(f"/callback?code=x&code=y&state={STATE}"), 400),
        (head(f"/callback?code=x&state={STATE}&state={STATE}"), 400),
        (head("/callback?code=x&state=%ff%00"), 400),
        (head(f"/callback?code=x&state={STATE}&iss=https://evil.example"), 400),
        (head(host="attacker.example:8765"), 400),
        (head(host="localhost:9000"), 400),
        (head(host="localhost"), 400),
        (head(host="localhost:8765\r\nHost: localhost:8765"), 400),
        (b"GET /callback HTTP/1.1\r\n\r\n", 400),
        (head("/favicon.ico"), 404),
        (head(f"/callback/more?code=x&state={STATE}"), 404),
        (head(f"http://localhost:8765/callback?code=x&state={STATE}"), 404),
        (head(method="POST"), 404),
        (b"\xff\xfe\r\nHost: localhost:8765\r\n\r\n", 404),
        (b"\r\n\r\n", 400),
    ],
)
def test_nothing_else_is_an_answer(request_head: bytes, status: int) -> None:
    reply = read_request(request_head, PORT, STATE)
    assert (reply.status, reply.answer) == (status, None)


async def ask(callback: Callback, request: bytes, *, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """Send a request and return all of the reply."""
    host = "127.0.0.1" if family is socket.AF_INET else "::1"
    reader, writer = await asyncio.open_connection(host, callback.port)
    writer.write(request)
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


@pytest.mark.requirement("login-listener", "login-port")
async def test_the_listener_waits_for_the_right_answer_among_wrong_ones() -> None:
    async with listening(0, STATE) as callback:
        assert callback.redirect_uri == f"http://localhost:{callback.port}/callback"
        host = f"localhost:{callback.port}"
        answer = asyncio.create_task(callback.answer())
        await asyncio.sleep(0)
        assert (await ask(callback, head("/favicon.ico", host=host))).startswith(b"HTTP/1.1 404 ")
        assert (await ask(callback, head("/callback?code=forged&state=guessed", host=host))).startswith(
            b"HTTP/1.1 400 "
        )
        assert await ask(callback, b"GET " + b"a" * 70_000) == b""
        assert not answer.done()
        reply = await ask(callback, head(host=host))
        assert reply.startswith(b"HTTP/1.1 200 ")
        assert b"the-code" not in reply
        assert b"default-src 'none'" in reply
        assert await answer == AuthorizationAnswer(code="the-code")
        assert (await ask(callback, head("/callback?code=later&state=the-state", host=host))).startswith(
            b"HTTP/1.1 200 "
        )
        assert await callback.answer() == AuthorizationAnswer(code="the-code")


@pytest.mark.needs("ipv6")
@pytest.mark.requirement("login-listener")
async def test_localhost_may_be_either_address() -> None:
    async with listening(0, STATE) as callback:
        reply = await ask(callback, head(host=f"localhost:{callback.port}"), family=socket.AF_INET6)
        assert reply.startswith(b"HTTP/1.1 200 ")
        assert await callback.answer() == AuthorizationAnswer(code="the-code")


async def test_connections_on_which_nothing_comes_hold_up_nobody() -> None:
    async with listening(0, STATE) as callback:
        reader, writer = await asyncio.open_connection("127.0.0.1", callback.port)
        answer = asyncio.create_task(callback.answer())
        await ask(callback, head(host=f"localhost:{callback.port}"))
        assert await answer == AuthorizationAnswer(code="the-code")
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


@pytest.mark.requirement("login-listener")
async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LoginRefused, match=f"port {port} "):
            async with listening(port, STATE):
                pass


@pytest.mark.needs("ipv6")
async def test_a_port_that_is_taken_under_the_other_address_is_not_taken_either() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with pytest.raises(LoginRefused, match=f"port {port} "):
            async with listening(port, STATE):
                pass
        with socket.create_server(("127.0.0.1", port)):
            pass  # it was let go
