import logging
from pathlib import Path

import pytest

from auth.endpoints.agent_tokens import create
from tests.auth.calendly_side import Calendly, consent
from tests.auth.site import Served, make_site, query_of, serve
from tests.databases import open_migrated

# Our own part. What the HTTP client of this test says of its requests is not the product's.
OURS = ("auth", "storage", "calendly", "sqlalchemy", "alembic", "asyncio")


def contents(folder: Path) -> list[bytes]:
    """Read the database, and what SQLite keeps beside it."""
    return [file.read_bytes() for file in folder.iterdir()]


async def use_everything(served: Served) -> set[str]:
    """Go through every flow, failures too, and return every secret that was seen on the way."""
    client = await served.register(token_endpoint_auth_method="client_secret_post")
    browser = served.browser()
    address = await browser.approve(served.request(client))
    answer = await consent(address)
    form = await browser.consent_form(served.request(client))
    cookies = {cookie.value or "" for cookie in browser.http.cookies.jar}
    code = query_of((await browser.return_from_calendly(answer)).headers["location"])["code"]
    tokens = await served.redeem(client, code)
    renewed = await served.refresh(client, tokens.refresh)
    made = await create(served.site, name="job", person=None, scopes=["users:read"])
    await served.call(renewed.access)
    await served.call(made.secret)
    served.advance(seconds=31)
    await served.try_to_refresh(client, tokens.refresh)
    await served.try_to_redeem(client, code)
    await browser.return_from_calendly(answer)
    await served.fault("POST", "/oauth/token", 503)
    await browser.return_from_calendly(await consent((await browser.submit(form.filled())).headers["location"]))
    records = served.calendly.running.sandbox.records
    return {
        *(client["client_secret"], code, tokens.access, tokens.refresh, renewed.access, renewed.refresh, made.secret),
        *(answer["state"], answer["code"], form.secret),
        *(value for value in cookies if value),
        *(value for value in (*records.access_tokens, *records.refresh_tokens, *records.codes) if "pat" not in value),
    }


@pytest.mark.requirement("secrets-nowhere", "token-digest", "secrets-sealed")
async def test_no_secret_stands_in_a_log_or_in_the_files_of_the_database(
    tmp_path: Path, upstream: Calendly, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "database.sqlite3"
    with caplog.at_level(logging.DEBUG):
        async with open_migrated(f"sqlite:///{path}") as database:
            secrets = await use_everything(serve(make_site(database, upstream), upstream))
            files = contents(tmp_path)
    assert len(secrets) >= 15
    assert len(files) > 1
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.partition(".")[0] in OURS)
    assert "replayed" in logged
    assert [secret for secret in secrets if secret in logged] == []
    assert [secret for secret in secrets if any(secret.encode() in content for content in files)] == []


@pytest.mark.requirement("secrets-nowhere")
async def test_no_error_repeats_the_secret_it_is_about(served: Served) -> None:
    client = await served.register(token_endpoint_auth_method="client_secret_post")
    code = await served.code(client)
    tokens = await served.redeem(client, code)
    answers = [
        await served.try_to_redeem(client, code),
        await served.try_to_redeem(client, code, client_secret="an-unusual-secret"),
        await served.try_to_refresh(client, tokens.refresh, scope="webhooks:write an-unusual-secret"),
        await served.post("/revoke", {"token": "an-unusual-secret"}),
        await served.call("an-unusual-secret"),
        await served.browser().open({"client_id": "an-unusual-secret"}),
        await served.browser().return_from_calendly({"state": "an-unusual-secret", "code": "x"}),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        said = f"{answer.text} {answer.headers}"
        for secret in (code, tokens.refresh, tokens.access, client["client_secret"], "an-unusual-secret"):
            assert secret not in said


async def test_what_holds_secrets_shows_none_of_them(served: Served) -> None:
    assert "secret" not in repr(served.site).lower().replace("client_secret", "")
    assert repr(served.site.keyring) not in repr(served.site)
