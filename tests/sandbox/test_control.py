"""The controls: who can use them, what they list and what they set."""

from datetime import UTC, datetime, timedelta

import anyio
import httpx2
import pytest
from starlette.types import Message

from sandbox.app import create_app
from sandbox.serving import RunningSandbox, running
from tests.cases import each
from tests.sandbox.api import MONDAY, Api, Json, bearer, iso


@pytest.mark.requirement("control-requests")
async def test_calls_are_listed_with_time_method_path_query_and_status(api: Api) -> None:
    await api.get("/users/me")
    await api.get("/event_types", count=3)
    await api.post("/invitees", {}, "noscopes")
    listed = (await api.http.get("/_sandbox/requests")).json()
    time = f"{MONDAY:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert listed == [
        {"time": time, "method": "GET", "path": "/users/me", "query": "", "status": 200},
        {"time": time, "method": "GET", "path": "/event_types", "query": "count=3", "status": 400},
        {"time": time, "method": "POST", "path": "/invitees", "query": "", "status": 403},
    ]


@pytest.mark.requirement("control-requests")
@pytest.mark.parametrize(
    "address",
    [
        "/users/sandbox-pat-owner",
        "/users/me?access_token=secret-of-mine",
        "/users/me?page_token=cursor&token=secret-of-mine",
        "/users/me?x=sandbox-rt-abcdef",
        "/oauth/authorize?client_secret=secret-of-mine&code=secret-of-mine",
    ],
)
async def test_the_list_of_calls_never_holds_a_token(api: Api, address: str) -> None:
    await api.http.get(address, headers=bearer("owner"))
    text = (await api.http.get("/_sandbox/requests")).text
    assert "[redacted]" in text
    assert not [secret for secret in ("sandbox-pat", "sandbox-rt", "secret-of-mine") if secret in text]
    assert ("page_token=cursor" in text) == ("page_token" in address)


@pytest.mark.requirement("control-loopback")
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "[x"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://[x"},
    ],
)
async def test_the_controls_answer_this_machine_only(api: Api, headers: dict[str, str]) -> None:
    for answer in (
        await api.http.get("/_sandbox/requests", headers=headers),
        await api.http.post("/_sandbox/reset", headers=headers),
    ):
        assert answer.status_code == 403
        assert answer.json()["title"] == "Forbidden"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:9000"])
async def test_every_loopback_name_is_this_machine(api: Api, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert (await api.http.get("/_sandbox/outbox", headers=headers)).json() == []


@pytest.mark.requirement("control-reset")
async def test_a_reset_puts_everything_back(api: Api) -> None:
    before = await api.read("/scheduled_events", user=(await api.me())["uri"], count=100)
    invitee = await api.book()
    await api.control("limits", {"per_minute": 3, "retry_after": True, "available_times_days": 1})
    await api.control("faults", {"path": "/users/me", "status": 500, "times": 9})
    await api.control("faults", {"read_lag": 60})
    await api.control("clock", {"now": iso(MONDAY + timedelta(days=400))})
    assert await api.control("reset", {}) == {"now": f"{MONDAY:%Y-%m-%dT%H:%M:%S.%fZ}"}
    assert (await api.http.get("/_sandbox/requests")).json() == []
    assert (await api.http.get("/_sandbox/outbox")).json() == []
    answer = await api.get("/users/me")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (200, "499")
    assert (await api.get(invitee["uri"])).status_code == 404
    assert await api.read("/scheduled_events", user=(await api.me())["uri"], count=100) == before
    assert (await api.control("faults", {"read_lag": 0}))["read_lag"] == 0


@each(
    "name, body",
    [
        ("clock", {}),
        ("clock", {"now": "tomorrow"}),
        ("clock", {"now": 7}),
        ("limits", {"per_minute": 0}),
        ("limits", {"per_minute": "many"}),
        ("limits", {"retry_after": "yes"}),
        ("limits", {"available_times_days": 1.5}),
        ("faults", {}),
        ("faults", {"path": "/users/me"}),
        ("faults", {"drop": False}),
        ("faults", {"status": 99}),
        ("faults", {"status": True}),
        ("faults", {"drop": "sometimes"}),
        ("faults", {"drop": []}),
        ("faults", {"delay": -1}),
        ("faults", {"status": 500, "times": 0}),
        ("faults", {"status": 500, "headers": {"Retry-After": 7}}),
        ("faults", {"status": 500, "headers": "Retry-After: 7"}),
        ("faults", {"status": 500, "method": 7}),
        ("faults", {"read_lag": -1}),
        ("bookings", {}),
        ("cancellations", {}),
        ("reschedulings", {"reschedule_url": "x"}),
        ("no_shows", {}),
        ("no_shows", {"invitee": "x"}),
        ("no_shows", {"invitee": "x", "marked": "yes"}),
        ("submissions", {"answers": {"Shoe size": "44"}}),
        ("submissions", {"answers": "none"}),
        ("submissions", {"routing_form": "x"}),
        ("submissions", {"routing_form": "https://api.calendly.com/routing_forms/AAAAAAAAAAAAAAAA"}),
        ("replays", {}),
        ("replays", {"delivery": "x"}),
        ("replays", {"delivery": "x", "times": 0}),
        ("delivery_faults", {}),
        ("delivery_faults", {"duplicate": False}),
        ("delivery_faults", {"duplicate": "two"}),
        ("delivery_faults", {"corrupt": "envelope"}),
        ("delivery_faults", {"drop": True, "times": 0}),
        ("delivery_faults", {"delay": -1}),
        ("webhook_states", {}),
        ("webhook_states", {"webhook": "x", "state": "active"}),
        ("webhook_states", {"webhook": "https://api.calendly.com/webhook_subscriptions/AAAAAAAAAAAAAAAA"}),
        (
            "webhook_states",
            {"webhook": "https://api.calendly.com/webhook_subscriptions/AAAAAAAAAAAAAAAA", "state": "active"},
        ),
    ],
)
async def test_a_bad_control_names_what_is_wrong(api: Api, name: str, body: Json) -> None:
    answer = await api.http.post(f"/_sandbox/{name}", json=body)
    assert (answer.status_code, answer.json()["title"]) in {(400, "Invalid Argument"), (404, "Resource Not Found")}
    if answer.status_code == 400:
        assert answer.json()["details"][0]["message"]


@pytest.mark.parametrize("text", ["{", "[]", "7"])
async def test_a_control_takes_a_json_object(api: Api, text: str) -> None:
    answer = await api.http.post("/_sandbox/clock", content=text)
    assert (answer.status_code, answer.json()["message"]) == (400, "A control takes a JSON object.")


@pytest.mark.requirement("control-faults")
async def test_a_fault_with_a_status_ends_calls_before_they_act(api: Api) -> None:
    await api.control("faults", {"method": "POST", "path": "/invitees", "status": 503, "times": 2})
    body = await api.booking()
    assert [(await api.post("/invitees", body)).status_code for _ in range(3)] == [503, 503, 201]


async def test_a_fault_after_the_act_answers_wrongly_about_what_was_done(api: Api) -> None:
    await api.control("faults", {"method": "POST", "path": "/invitees", "status": 500, "after": True})
    body = await api.booking()
    answer = await api.post("/invitees", body)
    assert answer.status_code == 500
    assert answer.json() == {
        "title": "Internal Server Error",
        "message": "The server encountered an unexpected condition that prevented it from fulfilling the request.",
    }
    query = {"user": (await api.me())["uri"], "invitee_email": "lee@acme.example"}
    assert len(await api.read("/scheduled_events", **query)) == 1


@pytest.mark.requirement("control-faults")
@pytest.mark.parametrize(("drop", "booked"), [(True, 0), ("before", 0), ("after", 1)])
async def test_a_drop_closes_the_connection_before_or_after_the_act(
    api: Api, drop: Json, booked: int, capfd: pytest.CaptureFixture[str]
) -> None:
    await api.control("faults", {"method": "POST", "path": "/invitees", "drop": drop})
    body = await api.booking()
    with pytest.raises(httpx2.RemoteProtocolError):
        await api.post("/invitees", body)
    query = {"user": (await api.me())["uri"], "invitee_email": "lee@acme.example"}
    assert len(await api.read("/scheduled_events", **query)) == booked
    calls = (await api.http.get("/_sandbox/requests")).json()
    assert [call["status"] for call in calls if call["path"] == "/invitees"] == [None]
    assert capfd.readouterr() == ("", "")


async def test_a_path_may_have_stars_for_segments(api: Api) -> None:
    await api.control("faults", {"path": "/scheduled_events/*/invitees", "status": 504, "times": 2})
    event = (await api.read("/scheduled_events", user=(await api.me())["uri"], count=1))[0]["uri"]
    assert (await api.get(event)).status_code == 200
    assert (await api.get(f"{event}/invitees")).status_code == 504
    assert (await api.get("/scheduled_events/x/invitees")).status_code == 504
    assert (await api.get(f"{event}/invitees")).status_code == 200


@pytest.mark.requirement("control-faults")
async def test_a_fault_brings_its_own_body_and_headers(api: Api) -> None:
    page = "<html>Bad gateway</html>"
    await api.control("faults", {"path": "/users/me", "status": 502, "body": page})
    await api.control("faults", {"path": "/users/me", "status": 200, "body": {"resource": {"new": 1}}})
    headers = {"Retry-After": "7", "X-RateLimit-Remaining": "0", "Content-Type": "application/json"}
    await api.control("faults", {"path": "/users/me", "status": 429, "headers": headers, "body": '{"title": "trunc'})
    await api.control("faults", {"path": "/users/me", "status": 204})
    await api.control("faults", {"status": 418})
    html, ours, limited, empty, teapot = [await api.get("/users/me") for _ in range(5)]
    assert (html.status_code, html.text, html.headers["content-type"]) == (502, page, "text/html")
    assert ours.json() == {"resource": {"new": 1}}
    assert (limited.status_code, limited.text, limited.headers["Retry-After"]) == (429, '{"title": "trunc', "7")
    assert limited.headers["X-RateLimit-Remaining"] == "0"
    assert (empty.status_code, empty.content) == (204, b"")
    assert teapot.json()["title"] == "I'm a Teapot"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 424, 429])
async def test_a_fault_without_a_body_has_the_one_calendly_sends(api: Api, status: int) -> None:
    await api.control("faults", {"status": status})
    answer = await api.get("/users/me")
    assert answer.status_code == status
    assert set(answer.json()) == {"title", "message"}


async def test_a_drop_within_one_process_is_an_aborted_connection() -> None:
    transport = httpx2.ASGITransport(create_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
        await http.post("/_sandbox/faults", json={"drop": True})
        with pytest.raises(ConnectionAbortedError):
            await http.get("/users/me")


@pytest.mark.parametrize("host", ["[x", "evil.example", ""])
async def test_the_api_answers_under_any_host_name(api: Api, host: str) -> None:
    for path in ("/users/me", "/.well-known/oauth-authorization-server"):
        assert (await api.http.get(path, headers={**bearer("owner"), "Host": host})).status_code == 200


async def test_faults_hit_oauth_requests_too(api: Api) -> None:
    await api.control("faults", {"path": "/oauth/token", "drop": True})
    with pytest.raises(httpx2.RemoteProtocolError):
        await api.http.post("/oauth/token")


@pytest.mark.requirement("control-faults")
async def test_a_delay_holds_a_request_before_it_acts() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    async with running(sleep=sleep) as one, httpx2.AsyncClient(base_url=one.url) as http:
        await http.post("/_sandbox/faults", json={"path": "/users/me", "delay": 2.5})
        await http.post("/_sandbox/faults", json={"path": "/users/me", "delay": 1, "status": 500})
        answers = [(await http.get("/users/me", headers=bearer("owner"))).status_code for _ in range(3)]
    assert answers == [200, 500, 200]
    assert slept == [2.5, 1]


async def test_a_delayed_request_acts_even_if_its_client_has_left() -> None:
    held, let_go = anyio.Event(), anyio.Event()

    async def sleep(_seconds: float) -> None:
        held.set()
        await let_go.wait()

    async with running(now=lambda: MONDAY, sleep=sleep) as one, httpx2.AsyncClient(base_url=one.url) as http:
        api = Api(http)
        body = await api.booking()
        await api.control("faults", {"method": "POST", "path": "/invitees", "delay": 9})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(api.post, "/invitees", body)
            await held.wait()
            tasks.cancel_scope.cancel()
        assert one.sandbox.outbox.mails == []
        let_go.set()
        while not one.sandbox.outbox.mails:
            await anyio.lowlevel.checkpoint()
    assert {mail.to for mail in one.sandbox.outbox.mails} >= {"lee@acme.example"}


async def test_a_request_of_which_a_part_never_came_is_not_received() -> None:
    app = create_app()
    parts: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return parts.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/invitees", "query_string": b"", "headers": [(b"host", b"x")]}
    await app(scope, receive, send)
    assert list(app.state.sandbox.received) == []
    assert parts == []


async def test_a_sandbox_stops_during_a_delay_without_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    async with running() as one, httpx2.AsyncClient(base_url=one.url) as http:
        await http.post("/_sandbox/faults", json={"delay": 3600})
        with pytest.raises(httpx2.ReadTimeout):
            await http.get("/users/me", timeout=httpx2.Timeout(5, read=0.05))
    assert capfd.readouterr() == ("", "")


@pytest.mark.requirement("control-clock")
async def test_the_clock_is_the_real_one_until_it_is_set() -> None:
    async with running() as one, httpx2.AsyncClient(base_url=one.url) as http:
        before = datetime.now(UTC)
        reset = (await http.post("/_sandbox/reset")).json()["now"]
        assert before <= datetime.fromisoformat(reset) <= datetime.now(UTC)
        moved = (await http.post("/_sandbox/clock", json={"now": "2030-01-01T00:00:00Z"})).json()["now"]
        assert moved.startswith("2030-01-01T00:00:0")


@pytest.mark.needs("ipv6")
async def test_each_sandbox_listens_where_it_says_and_holds_its_own_state() -> None:
    async with running(host="::1") as one, running() as other:
        assert one.url.startswith("http://[::1]:")
        assert isinstance(other, RunningSandbox)
        async with httpx2.AsyncClient() as http:
            await http.post(f"{one.url}/_sandbox/limits", json={"per_minute": 7})
            limits = [
                (await http.get(f"{url}/users/me", headers=bearer("owner"))).headers["X-RateLimit-Limit"]
                for url in (one.url, other.url)
            ]
    assert limits == ["7", "500"]


async def test_a_port_that_is_taken_is_an_error(shared_sandbox: RunningSandbox) -> None:
    port = int(shared_sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with running(port=port):
            pass


async def test_addresses_that_do_not_exist_and_wrong_methods_are_calendlys_not_found(api: Api) -> None:
    for answer in (await api.get("/nothing"), await api.get("/users/me/"), await api.post("/users/me")):
        assert answer.status_code in {404, 405}
        assert set(answer.json()) == {"title", "message"}
        assert "X-RateLimit-Limit" in answer.headers
