"""A plain client of Calendly's API for tests, and the seeded resources."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

CALENDLY = "https://api.calendly.com"

# When every test starts: a Monday morning before working hours.
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

# Whose token a request carries by default: `sandbox-pat-owner`.
OWNER = "owner"

Json = Any


def iso(moment: datetime) -> str:
    """Return a time as a client sends it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bearer(token: str) -> dict[str, str]:
    """Return the header for a seeded token by its short name, or for any full token."""
    return {"Authorization": f"Bearer {token_named(token)}"}


def token_named(token: str) -> str:
    """Return a seeded token by its short name, or any full token as it is."""
    return token if token.startswith("sandbox-") else f"sandbox-pat-{token}"


@dataclass(frozen=True)
class Api:
    """Sends requests with a seeded token. An address is a path or a resource URI."""

    http: httpx2.AsyncClient

    async def get(self, address: str, token: str = OWNER, **query: str | int) -> httpx2.Response:
        """Send a GET."""
        return await self.http.get(path_of(address), params=query or None, headers=bearer(token))

    async def post(self, address: str, body: Json = None, token: str = OWNER) -> httpx2.Response:
        """Send a POST, with an empty object by default."""
        return await self.http.post(path_of(address), json={} if body is None else body, headers=bearer(token))

    async def patch(self, address: str, body: Json, token: str = OWNER) -> httpx2.Response:
        """Send a PATCH to a resource URI or an address."""
        return await self.http.patch(path_of(address), json=body, headers=bearer(token))

    async def delete(self, address: str, token: str = OWNER) -> httpx2.Response:
        """Send a DELETE."""
        return await self.http.delete(path_of(address), headers=bearer(token))

    async def control(self, name: str, body: Json) -> Json:
        """Use a control. It must succeed."""
        answer = await self.http.post(f"/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fail(self, path: str, method: str = "GET", **fault: Json) -> None:
        """Have the next requests of a path answered with a fault."""
        await self.control("faults", {"method": method, "path": path, **fault})

    async def read(self, address: str, token: str = OWNER, **query: str | int) -> Json:
        """Return an existing resource, or the rows of a list."""
        answer = await self.get(address, token, **query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return body["resource"] if "resource" in body else body["collection"]

    async def me(self, token: str = OWNER) -> Json:
        """Return the user of the token."""
        return await self.read("/users/me", token)

    async def event_type(self, name: str, token: str = OWNER) -> Json:
        """Return an event type of the user by its name."""
        user = (await self.me(token))["uri"]
        return next(kind for kind in await self.read("/event_types", token, user=user) if kind["name"] == name)

    async def slots(self, event_type: str, token: str = OWNER, *, after: datetime = MONDAY, days: int = 7) -> list[str]:
        """Return the starts of the open slots of a type."""
        start = after + timedelta(minutes=1)
        rows = await self.read(
            "/event_type_available_times",
            token,
            event_type=event_type,
            start_time=iso(start),
            end_time=iso(start + timedelta(days=days)),
        )
        return [row["start_time"] for row in rows]

    async def booking(self, name: str = "Intro call", token: str = OWNER, **changes: Json) -> Json:
        """Return the body of a valid booking, with changes. A change to None leaves the field out."""
        kind = await self.event_type(name, token)
        places = {"kind": kind["locations"][0]["kind"]} if kind["locations"] and not kind["pooling_type"] else None
        body = {
            "event_type": kind["uri"],
            "start_time": changes.get("start_time") or (await self.slots(kind["uri"], token))[0],
            "invitee": {"name": "Lee Park", "email": "lee@acme.example", "timezone": "America/New_York"},
            "location": places,
            "questions_and_answers": [
                {"question": question["name"], "answer": "Pricing", "position": question["position"]}
                for question in kind["custom_questions"]
                if question["required"]
            ],
            **changes,
        }
        return {field: value for field, value in body.items() if value is not None}

    async def book(self, name: str = "Intro call", token: str = OWNER, **changes: Json) -> Json:
        """Book, which must succeed, and return the invitee."""
        answer = await self.post("/invitees", await self.booking(name, token, **changes), token)
        assert answer.status_code == 201, answer.text
        return answer.json()["resource"]


async def subscribe(api: Api, callback: str, token: str = OWNER, **changes: Json) -> httpx2.Response:
    """Create a webhook subscription for the organization, with changes. A change to None leaves the field out."""
    me = await api.me(token)
    body = {
        "url": callback,
        "events": ["invitee.created", "invitee.canceled"],
        "organization": me["current_organization"],
        "scope": "organization",
        **changes,
    }
    return await api.post("/webhook_subscriptions", {name: one for name, one in body.items() if one is not None}, token)


async def subscribed(api: Api, callback: str, token: str = OWNER, **changes: Json) -> Json:
    """Create a webhook subscription, which must succeed."""
    answer = await subscribe(api, callback, token, **changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["resource"]


REDIRECT = "http://localhost:1/callback"


async def registered(api: Api, person: str, scope: str) -> str:
    """Sign in as a user with an application that registers itself, and return the access token."""
    answer = await api.http.post("/oauth/register", json={"client_name": "Own", "redirect_uris": [REDIRECT]})
    client = answer.json()
    return await sign_in(api, person, scope, (client["client_id"], client["client_secret"]))


async def sign_in(
    api: Api, person: str, scope: str, client: tuple[str, str] = ("sandbox-client", "sandbox-secret")
) -> str:
    """Sign in as a user with a confidential application, and return the access token."""
    asked = {"client_id": client[0], "redirect_uri": REDIRECT, "response_type": "code", "scope": scope}
    page = (await api.http.get("/oauth/authorize", params=asked)).text
    chosen = page.partition(person)[0].rpartition('name="person" value="')[2].partition('"')[0]
    sent = await api.http.post("/oauth/authorize", data={**asked, "person": chosen, "decision": "allow"})
    code = sent.headers["location"].partition("code=")[2]
    answer = await api.http.post(
        "/oauth/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT},
        auth=client,
    )
    return str(answer.json()["access_token"])


def path_of(address: str) -> str:
    """Return a resource URI without Calendly's origin."""
    return address.removeprefix(CALENDLY)
