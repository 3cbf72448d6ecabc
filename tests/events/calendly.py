"""Calendly's API over a made-up account, for looks: `events.looks.looks.PersonAccess`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from calendly.errors import CalendlyError, NotFound
from calendly.request import JSON, Request
from tests.events.histories import API, Account


@dataclass
class AccountApi:
    """Answers what looks ask.

    Attributes:
        account: What is answered.
        per_minute: How many requests a minute there may be.
        asked: The paths that were asked for.
        failing: What every request fails with.
        refusing: What requests for some paths fail with.
        before: Awaited before an answer.
    """

    account: Account
    per_minute: int = 500
    asked: list[str] = field(default_factory=list)
    failing: CalendlyError | None = None
    refusing: dict[str, CalendlyError] = field(default_factory=dict)
    before: Callable[[], Awaitable[object]] | None = None

    async def send(self, request: Request) -> JSON:
        """Answer a request."""
        self.asked.append(request.path)
        if self.before is not None:
            await self.before()
        if self.failing is not None:
            raise self.failing
        if request.path in self.refusing:
            raise self.refusing[request.path]
        return self._answer(request)

    def _answer(self, request: Request) -> JSON:
        meeting = f"{API}/scheduled_events/{request.ids.get('scheduled_event')}"
        if "invitee" in request.ids:
            return self._resource(self.account.invitees, f"{meeting}/invitees/{request.ids['invitee']}")
        if request.path.endswith("/invitees"):
            return _page([one for one in self.account.invitees.values() if one["event"] == meeting], request)
        if "scheduled_event" in request.ids:
            return self._resource(self.account.meetings, meeting)
        since = str(request.query["min_start_time"])
        rows = [one for one in self.account.meetings.values() if one["start_time"] >= since]
        return _page(sorted(rows, key=lambda row: str(row["start_time"])), request)

    @staticmethod
    def _resource(among: dict[str, JSON], uri: str) -> JSON:
        if uri not in among:
            raise NotFound("It is not there.", status=404)
        return {"resource": {**among[uri]}}


def _page(rows: list[Any], request: Request) -> JSON:
    first, count = int(request.query.get("page_token") or 0), int(request.query["count"] or 0)
    following = str(first + count) if first + count < len(rows) else None
    return {"collection": rows[first : first + count], "pagination": {"next_page_token": following}}
