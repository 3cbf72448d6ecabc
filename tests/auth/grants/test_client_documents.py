import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.grants import client_rows
from auth.grants.client_documents import LARGEST, PATIENCE, is_document_address, life, proxy_for, read_document
from auth.grants.rate_limits import RATE_LIMITS
from auth.protocol.errors import InvalidClient
from tests.auth.document_host import CLIENT_ID, DOCUMENT, HOST, DocumentHost, answer, connect_proxy, document_host
from tests.auth.site import BACK, ISSUER, Json, Served, serve
from tests.public_host import NEVER_ENDS

CLIENT: Json = {"client_id": CLIENT_ID, "redirect_uris": [BACK]}


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[DocumentHost]:
    async with document_host(tmp_path) as running:
        yield running


@pytest.fixture
def served(served: Served, host: DocumentHost) -> Served:
    """Our server, which finds the documents of that host."""
    return serve(replace(served.site, documents=host.fetcher()), served.calendly)


@pytest.mark.requirement("documents")
async def test_a_client_signs_in_under_the_address_of_its_document(served: Served, host: DocumentHost) -> None:
    form = await served.browser().consent_form(served.request(CLIENT))
    assert "Agent with a document" in form.response.text
    assert "<bdi>client.example</bdi>" in form.response.text
    tokens = await served.sign_in(CLIENT, scope="users:read")
    assert (await served.call(tokens.access)).json()["client_id"] == CLIENT_ID
    assert (await served.refresh(CLIENT, tokens.refresh)).scope == "users:read"
    assert host.connected_to == ["93.184.216.34:443"]
    [request] = host.requests
    assert request.startswith(b"GET /oauth/client.json HTTP/1.1\r\nHost: client.example\r\n")
    assert b"cookie" not in request.lower()
    assert b"authorization" not in request.lower()


@pytest.mark.requirement("documents")
async def test_redirect_uris_of_a_document_match_like_registered_ones(served: Served) -> None:
    for uri, status in (
        ("http://127.0.0.1:61999/callback", 200),
        (BACK, 200),
        (f"{BACK}/", 400),
        ("https://client.example/x", 400),
    ):
        response = await served.browser().open(served.request(CLIENT, redirect_uri=uri))
        assert response.status_code == status


@pytest.mark.requirement("documents-cached")
async def test_a_document_is_fetched_again_when_its_time_is_over_and_its_approval_stays(
    served: Served, host: DocumentHost
) -> None:
    host.answers = [answer(more=["Cache-Control: public, max-age=3600"])]
    await served.sign_in(CLIENT)
    for _ in range(3):
        await served.browser().open(served.request(CLIENT))
    assert len(host.requests) == 1
    served.advance(hours=1)
    host.answers = [answer(json.dumps({**DOCUMENT, "client_name": "Renamed", "redirect_uris": [BACK]}).encode())]
    form = await served.browser().consent_form(served.request(CLIENT))
    assert "Renamed" in form.response.text
    gone = await served.browser().open(served.request(CLIENT, redirect_uri="http://127.0.0.1:1/callback"))
    assert gone.status_code == 400
    assert len(host.requests) == 2
    async with served.site.database.read() as connection:
        stored = await client_rows.find(connection, CLIENT_ID)
    assert stored is not None
    assert stored.approved


@pytest.mark.requirement("documents-cached")
@given(st.integers(0, 10**9))
def test_a_document_is_kept_for_five_minutes_to_a_day(seconds: int) -> None:
    kept = life(f"Public, Max-Age={seconds}")
    assert timedelta(minutes=5) <= kept <= timedelta(days=1)
    assert kept == timedelta(seconds=seconds) or not 300 <= seconds <= 86400


@pytest.mark.parametrize("cache_control", ["", "no-store", "max-age=", "max-age=-1", "max-age=x", "s-maxage=9999"])
def test_a_document_that_does_not_say_how_long_is_kept_for_five_minutes(cache_control: str) -> None:
    assert life(cache_control) == timedelta(minutes=5)


REFUSED = {
    "redirect": answer(b"", status="302 Found", more=["Location: http://169.254.169.254/"]),
    "permanent redirect": answer(b"", status="308 Permanent Redirect", more=["Location: https://client.example/x"]),
    "not found": answer(status="404 Not Found"),
    "error": answer(status="500 Internal Server Error"),
    "html": answer(kind="text/html"),
    "no type": answer(kind=""),
    "too large": answer(json.dumps({**DOCUMENT, "x": "y" * LARGEST}).encode()),
    "no json": answer(b"<html>"),
    "a list": answer(b"[]"),
    "deeply nested": answer(b"[" * 5000),
    "another client": answer(json.dumps({**DOCUMENT, "client_id": "https://client.example/other.json"}).encode()),
    "no client": answer(json.dumps({**DOCUMENT, "client_id": None}).encode()),
    "a secret": answer(json.dumps({**DOCUMENT, "client_secret": "x"}).encode()),
    "a secret's method": answer(json.dumps({**DOCUMENT, "token_endpoint_auth_method": "client_secret_basic"}).encode()),
    "a key's method": answer(json.dumps({**DOCUMENT, "token_endpoint_auth_method": "private_key_jwt"}).encode()),
    "no redirect": answer(json.dumps({**DOCUMENT, "redirect_uris": []}).encode()),
    "bad redirect": answer(json.dumps({**DOCUMENT, "redirect_uris": ["javascript:alert(1)"]}).encode()),
    "cut short": answer()[:-20],
    "no http": b"hello\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.requirement("documents-guarded")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_good_document_stops_the_sign_in_without_a_word_about_what_is_there(
    served: Served, host: DocumentHost, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    host.answers = [REFUSED[name]]
    response = await served.browser().open(served.request(CLIENT))
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "metadata document" in response.text
    assert f"can register itself instead (RFC 7591), at {ISSUER}/register" in response.text
    assert f"the metadata document {CLIENT_ID}" in caplog.text
    assert len(host.requests) == 1  # nothing was followed, nothing was tried again


@pytest.mark.requirement("documents-guarded")
async def test_a_host_that_takes_too_long_is_not_waited_for(served: Served, host: DocumentHost) -> None:
    assert PATIENCE == 10
    host.answers = [sent + NEVER_ENDS for sent in (b"", b"HTTP/1.1 200 OK\r\n", answer()[:-20])]
    served = serve(replace(served.site, documents=host.fetcher(patience=2)), served.calendly)
    clients = [{**CLIENT, "client_id": f"https://{HOST}/oauth/{number}.json"} for number in range(3)]
    pages = await asyncio.gather(*(served.browser().open(served.request(client)) for client in clients))
    assert [page.status_code for page in pages] == [400] * 3
    assert len(host.requests) == 3


async def test_a_failure_is_not_remembered(served: Served, host: DocumentHost) -> None:
    host.answers = [REFUSED["error"], answer()]
    assert (await served.browser().open(served.request(CLIENT))).status_code == 400
    assert (await served.browser().open(served.request(CLIENT))).status_code == 200


@pytest.mark.requirement("documents-public")
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.8"], ["169.254.169.254"], ["::1"], []])
async def test_a_document_on_a_machine_of_ours_is_not_asked_for(
    served: Served, host: DocumentHost, addresses: list[str]
) -> None:
    host.addresses = [addresses]
    response = await served.browser().open(served.request(CLIENT))
    assert response.status_code == 400
    assert (host.connected_to, host.requests) == ([], [])


@pytest.mark.requirement("documents-public")
async def test_a_name_that_rebinds_between_check_and_connection_gains_nothing(
    served: Served, host: DocumentHost
) -> None:
    host.addresses = [["93.184.216.34"], ["127.0.0.1"]]
    assert (await served.browser().open(served.request(CLIENT))).status_code == 200
    assert host.connected_to == ["93.184.216.34:443"]


@pytest.mark.requirement("documents-guarded")
async def test_a_host_that_does_not_prove_its_name_is_not_believed(served: Served, host: DocumentHost) -> None:
    served = serve(replace(served.site, documents=host.fetcher(ssl.create_default_context())), served.calendly)
    assert (await served.browser().open(served.request(CLIENT))).status_code == 400
    assert host.requests == []


@pytest.mark.requirement("documents-guarded")
async def test_a_certificate_for_another_name_is_not_believed(served: Served, host: DocumentHost) -> None:
    other = {"client_id": "https://other.example/oauth/client.json", "redirect_uris": [BACK]}
    assert (await served.browser().open(served.request(other))).status_code == 400
    assert host.requests == []


@pytest.mark.requirement("documents-guarded")
@pytest.mark.parametrize(
    "client_id",
    [
        "http://client.example/client.json",
        "https://client.example",
        "https://client.example/",
        "https://client.example/client.json#x",
        "https://client.example/client.json?x",
        "https://user@client.example/client.json",
        "https://user:pass@client.example/client.json",
        "https://client.example/a/../client.json",
        "https://client.example/./client.json",
        "https://client.example/..",
        "https://client.example/%2e%2e/client.json",
        "https://client.example\\@evil.example/client.json",
        "https://127.0.0.1/client.json",
        "https://2130706433/client.json",
        "https://[::1]/client.json",
        "https://localhost/client.json",
        "https://CLIENT.example/client.json",
        "https://client.example./client.json",
        "https://-client.example/client.json",
        "https://client..example/client.json",
        "https://client.example:0/client.json",
        "https://client.example:65536/client.json",
        "https://client.example/cl ient.json",
        "https://client.example/client.json\n",
        "https://cli\u0435nt.example/client.json",
        "https://client.example/" + "x" * 500,
        "file:///etc/passwd",
        "javascript:alert(1)",
        "client-abc",
        "",
    ],
)
def test_what_is_no_plain_https_address_of_a_named_host_is_no_document_address(client_id: str) -> None:
    assert not is_document_address(client_id)


@pytest.mark.parametrize(
    "client_id",
    [
        "https://claude.ai/oauth/claude-code-client-metadata",
        "https://vscode.dev/oauth/client-metadata.json",
        "https://client.example:8443/a/b/c.json",
        "https://xn--bcher-kva.example/client",
    ],
)
def test_the_addresses_of_real_documents_are_taken(client_id: str) -> None:
    assert is_document_address(client_id)


@given(st.binary(max_size=200))
def test_whatever_a_host_sends_is_a_client_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidClient):
        read_document(CLIENT_ID, body, ())


@pytest.mark.requirement("rate-limits")
async def test_one_address_makes_us_fetch_only_so_often(served: Served, host: DocumentHost) -> None:
    limits = {**RATE_LIMITS, "registrations": 2}
    served = serve(replace(served.site, documents=host.fetcher(), rate_limits=limits), served.calendly)
    host.answers = [REFUSED["not found"]]
    statuses = [(await served.browser().open(served.request(CLIENT))).status_code for _ in range(4)]
    assert statuses == [400, 400, 429, 429]
    assert len(host.requests) == 2


@pytest.mark.requirement("documents-per-host")
async def test_one_host_is_asked_only_so_often_and_its_known_clients_go_on(served: Served, host: DocumentHost) -> None:
    limits = {**RATE_LIMITS, "document_fetches": 2}
    served = serve(replace(served.site, documents=host.fetcher(), rate_limits=limits), served.calendly)
    assert (await served.browser().open(served.request(CLIENT))).status_code == 200
    served.advance(minutes=10)  # the document is to be fetched again
    others = [{**CLIENT, "client_id": f"{CLIENT_ID}/{number}"} for number in range(3)]
    statuses = [
        (await served.browser(f"192.0.2.{number}").open(served.request(other))).status_code
        for number, other in enumerate(others)
    ]
    assert statuses == [400, 400, 429]
    assert (await served.browser().open(served.request(CLIENT))).status_code == 200
    assert len(host.requests) == 3


@pytest.mark.requirement("documents-switch")
async def test_where_documents_are_not_taken_none_is_advertised_and_the_app_is_told_to_register(served: Served) -> None:
    served = serve(replace(served.site, documents=None), served.calendly)
    metadata = (await served.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["client_id_metadata_document_supported"] is False
    response = await served.browser().open(served.request(CLIENT))
    assert response.status_code == 400
    assert f"can register itself instead (RFC 7591), at {ISSUER}/register" in response.text


@pytest.mark.requirement("documents-proxy")
@pytest.mark.parametrize(("addresses", "fetched"), [(["93.184.216.34"], True), ([], True), (["10.0.0.8"], False)])
async def test_documents_are_fetched_through_the_proxy_of_the_environment(
    served: Served, host: DocumentHost, addresses: list[str], *, fetched: bool
) -> None:
    host.addresses = [addresses]
    async with connect_proxy(host.port) as proxy:
        fetcher = host.fetcher(proxy=lambda _host: f"http://user:word@127.0.0.1:{proxy.port}")
        served = serve(replace(served.site, documents=fetcher), served.calendly)
        status = (await served.browser().open(served.request(CLIENT))).status_code
    assert status == (200 if fetched else 400)
    assert proxy.asked == ([f"CONNECT {HOST}:443 user:word"] if fetched else [])
    assert host.connected_to == []


@pytest.mark.requirement("documents-proxy")
def test_the_proxy_is_the_one_that_the_environment_names_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example")
    assert proxy_for("client.example") == "http://proxy.example:3128"
    assert proxy_for("internal.example") is None
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert proxy_for("client.example") == "http://proxy.example:3128"


@pytest.mark.requirement("documents-proxy")
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://[bad", "http://127.0.0.1:99999", "http://"])
async def test_a_proxy_that_cannot_be_used_is_no_fault_of_this_server(
    host: DocumentHost, proxy: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidClient, match="could not be fetched"):
        await host.fetcher(proxy=lambda _host: proxy).fetch(CLIENT_ID)
    assert "could not be fetched" in caplog.text
