"""The requests by which webhook subscriptions are made, listed and deleted at Calendly."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol, cast

from calendly.endpoint import Endpoint
from calendly.errors import NotFound, UpstreamError, unreadable
from calendly.paging import walk
from calendly.request import JSON, Request
from events.facts import last_segment
from events.incoming.webhook_states import told_by
from events.kinds import EventFamily

_MOST_LISTED: Final = 100
_MOST_PAGES: Final = 10

_COLLECTION: Final = "/webhook_subscriptions"
_CREATE: Final = Endpoint("POST", _COLLECTION)
_LIST: Final = Endpoint("GET", _COLLECTION)
_DELETE: Final = Endpoint("DELETE", f"{_COLLECTION}/{{webhook_subscription}}")


class CalendlyOfPeople(Protocol):
    """Calendly, asked on behalf of a person."""

    async def send(self, person: str, request: Request, *, token: str | None = None) -> JSON:
        """Send a request with a person's connection, or with a token that was taken from it. Raises CalendlyError."""
        ...

    async def organization(self, person: str) -> str:
        """Return the URI of a person's organization. Raises CalendlyError."""
        ...

    async def signed_in_at(self, person: str) -> datetime | None:
        """Return when a person last signed in at Calendly, None where the connection was refreshed since."""
        ...


def creation(url: str, person: str, organization: str, family: EventFamily, key: str | None = None) -> Request:
    """Return the request that makes a subscription.

    Args:
        url: Where Calendly is to post.
        person: Whose events.
        organization: The person's.
        family: Which events.
        key: What Calendly is to sign with; left out where the request is only shown.
    """
    body: dict[str, object] = {
        "url": url,
        "events": told_by(family),
        "organization": organization,
        "scope": family.extent,
    }
    whose = {"user": person} if family.extent == "user" else {}
    return Request(_CREATE, body={**body, **whose, **({} if key is None else {"signing_key": key})})


def deletion(subscription: str | None) -> Request | None:
    """Return the request that deletes a subscription, None without its URI."""
    uuid = last_segment(subscription)
    return None if uuid is None else Request(_DELETE, {"webhook_subscription": uuid})


async def remove(
    calendly: CalendlyOfPeople, person: str, subscription: str | None, *, token: str | None = None
) -> None:
    """Delete a subscription, unless it is gone. Raises CalendlyError."""
    request = deletion(subscription)
    if request is not None:
        with suppress(NotFound):
            await calendly.send(person, request, token=token)


async def listed(calendly: CalendlyOfPeople, person: str, organization: str, extent: str) -> list[JSON]:
    """List the subscriptions of a person (`user`) or of everybody (`organization`).

    Raises CalendlyError, also where they are not all there: what is not listed counts as gone.
    """
    query = {"organization": organization, "scope": extent, **({"user": person} if extent == "user" else {})}

    async def page(token: str | None) -> JSON:
        request = Request(_LIST, query={**query, "count": _MOST_LISTED, "page_token": token})
        answer = await calendly.send(person, request)
        if not isinstance(answer.get("collection"), list):
            raise unreadable(request)
        return answer

    answer = await walk(page, None, _MOST_PAGES)
    if answer["pagination"].get("next_page_token"):
        raise UpstreamError("Calendly lists more webhook subscriptions than are read.")
    return [cast("JSON", row) for row in answer["collection"] if isinstance(row, Mapping)]
