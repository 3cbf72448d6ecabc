"""What the audit log says of polls that found nothing: one entry an hour for each agent, with their number."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from calendly.errors import CalendlyError
from events.feed.empty_polls import EmptyPollCounts, EmptyPolls
from events.outgoing.standing import EventNote, Noted
from server.calls.caller import Callers
from server.calls.events.notes import notes_of
from server.calls.principal import Principal
from storage.errors import StorageUnavailable

_PAUSE: Final = 60.0
"""Between two times that what is over is told, in seconds."""

_log: Final = logging.getLogger(__name__)


async def count_empty_poll(callers: Callers, principal: Principal) -> None:
    """Count a poll of an agent that found nothing; what cannot be counted has an entry of its own."""
    account, agent = principal.account, principal.agent
    known = principal.identity or callers.identities.get(account.user)
    person = known.user.uri if known else account.user
    noted = notes_of(callers.audit_log, principal)
    try:
        counts = (await callers.events()).empty_polls
        over = await counts.count(agent.grant or f"{person} {account.agent}", person, agent.name)
    except (StorageUnavailable, CalendlyError):
        over = [EmptyPolls(grant=agent.grant or "", person=person, agent=agent.name, began_at=callers.audit_log.now())]
    for polls in over:
        noted.jot(note_of(polls))


async def tell_empty_polls(counts: EmptyPollCounts, noted: Noted, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Tell what is over every minute, until cancelled. `sleep` waits for a number of seconds."""
    while True:
        await sleep(_PAUSE)
        try:
            for polls in await counts.take_over():
                await noted.note(note_of(polls))
        except StorageUnavailable as error:
            _log.info("polls that found nothing will be told later: %s", error)


def note_of(polls: EmptyPolls) -> EventNote:
    """Return the entry."""
    often = "once" if polls.polls == 1 else f"{polls.polls} times"
    return EventNote(
        action="poll_events",
        told=f"{{agent}} polled the events of {{person}} {often} within an hour and found nothing",
        person=polls.person,
        agent=polls.agent,
        grant=polls.grant,
    )
