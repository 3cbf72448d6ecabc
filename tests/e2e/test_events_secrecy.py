"""What is secret in events is in no log, entry, list or plain column, whatever was done with it."""

import json
from pathlib import Path
from typing import Final

import anyio
import httpx2
import pytest

from events.incoming.webhooks import PATH
from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import hosted, upstream_settings
from tests.e2e.processes import run
from tests.e2e.test_events import SECRET, WATCHING, Host, arrival, book, kept_in, signed_in
from tests.e2e.test_webhooks import subscriptions
from tests.events.outgoing.callback_host import CallbackHost, answer, plain_callback_host, repeating
from tests.sandbox.api import Api

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("measured")]

OTHER_SECRET: Final = "whsec_" + "y" * 32
GUEST: Final = "quentin.secretive@nowhere.example"


async def everything(host: Host, sandbox: Sandbox, api: Api) -> list[str]:
    """Do all there is to do with events; what nobody may find afterwards."""
    (hook,) = await subscriptions(api)
    async with plain_callback_host() as callback, httpx2.AsyncClient() as http:
        start = await host.subscribe(callback)
        await book(sandbox, GUEST)
        assert (await arrival(callback)).content["data"]["invitee"]["email"] == GUEST
        await host.subscribe(callback, delivery=_delivery(callback, OTHER_SECRET))
        callback.answers = lambda _: answer(status="500 Oops")
        await book(sandbox, GUEST.replace("secretive", "failing"))
        await arrival(callback)
        callback.answers = repeating
        assert (await host.result("events/poll", name="meeting.booked", cursor=start["cursor"]))["events"]
        await host.result("tools/call", name="list_received_events", arguments={})
        forged = {"Calendly-Webhook-Signature": f"t=1,v1={'0' * 64}"}
        for url in (hook["callback_url"], f"{host.site.url}{PATH}/{'Unknown' * 6}"):
            await http.post(url, content=json.dumps({"payload": {"email": GUEST}}), headers=forged)
        refused = await host.ask("events/subscribe", name="meeting.booked", delivery=_delivery(callback, "whsec_no"))
        assert refused["error"]["data"] == {"field": "delivery.secret"}
        assert await host.result("events/unsubscribe", name="meeting.booked", delivery=_delivery(callback)) == {}
    secret = hook["callback_url"].rpartition("/")[2]
    texts = (secret, SECRET, SECRET.removeprefix("whsec_"), OTHER_SECRET, "y" * 32, "whsec_no", "/hook", "for=us")
    return [*texts, "UnknownUnknown", "secretive", "quentin.failing", "Lee Park", "sandbox-signing-key"]


def _delivery(callback: CallbackHost, secret: str = SECRET) -> dict[str, str]:
    return {"mode": "webhook", "url": f"http://127.0.0.1:{callback.port}/hook?for=us", "secret": secret}


@pytest.mark.requirement("mcp-events-secret", "webhook-audit")
async def test_nothing_secret_is_found_after_everything_was_done(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {
        **upstream_settings(sandbox.url),
        **kept_in(tmp_path),
        "CALENDLY_MCP_CALLBACK_HOSTS": "127.0.0.1",
        "CALENDLY_MCP_LOG_LEVEL": "debug",
    }
    with hosted(**settings) as site:
        operator = {**settings, "CALENDLY_MCP_PUBLIC_URL": site.url}
        host = await signed_in(site, access=WATCHING)
        shown = [run("events", "enable", **operator)]
        async with httpx2.AsyncClient(base_url=sandbox.url) as http:
            secrets = await everything(host, sandbox, Api(http))
        shown += [
            run(*words, **operator)
            for words in (("events", "list"), ("events", "list", "--json"), ("audit", "list", "--limit", "200"))
        ]
        site.process.ask_to_stop()
        log = (await anyio.to_thread.run_sync(site.process.end)).stderr
    assert [one.status for one in shown] == [0] * 4
    told = {"log": log, "database": database_in(tmp_path)}
    told |= {f"output {number}": one.stdout + one.stderr for number, one in enumerate(shown)}
    assert "Posted the event 'meeting.booked'" in shown[-1].stdout
    assert {name: [secret for secret in secrets if secret in text] for name, text in told.items()} == {
        name: [] for name in told
    }


def database_in(folder: Path) -> str:
    """Read the files of the database: what is sealed cannot be found there, and all else can."""
    files = list(folder.glob("database*"))
    assert files
    return b"".join(file.read_bytes() for file in files).decode("latin-1")
