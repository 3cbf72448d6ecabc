"""The audit log in plain words, as a page shows it: meetings by name, times on the reader's clock, no ids. Pure.

An entry says `Claude listed the scheduled events of you, 1 to 7 Dec 2026: allowed, 20 found`; on the page of that agent
it is `Listed your meetings, 1 to 7 Dec 2026: 20`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from auth.audit.entries import AuditEntry
from auth.endpoints.html import app_name

_ID: Final = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-Z]{16,})"
_MEETING: Final = re.compile(rf"\bthe (?:scheduled )?event ({_ID})\b")
_EVENT_TYPE: Final = re.compile(rf"\bthe event type ({_ID})\b")
_OTHER: Final = re.compile(rf"\bthe ([a-z]+(?: [a-z]+)*) {_ID}\b")
_BARE: Final = re.compile(rf" ?\b{_ID}\b")
_YOURS: Final = re.compile(r"\bthe ([a-z]+(?: [a-z]+)*) of you\b")
_INSTANT: Final = re.compile(r"\b(\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d) UTC([+-]\d\d:\d\d)?")
_FOUND: Final = re.compile(r", (\d+) found$")

_AGREED: Final = {
    "by a person": "after {you} said yes",
    "by a person on the page": "after {you} said yes on this server's page",
    "by the agent's word": "because it said that {you} agreed",
    "by the client, sooner than a person can read": "because its app agreed at once, without a person",
}
_DECIDED: Final = {"asked": "needs {your} approval", "declined": "{you} did not agree", "refused": ""}
_REFUSED: Final = {
    "operator": "the operator of this server does not allow it",
    "person": "not allowed by {you}",
    "token": "the app has to sign in again for that",
    "calendly": "Calendly did not give this server the right to it",
    "request": "the app itself had ruled it out",
}
_NOTES: Final = {
    "redeem_code": "{agent} signed in",
    "refresh": "{agent} stayed signed in",
}
_FAILED: Final = {
    "invalid_argument": "it did not say well what it wanted",
    "not_found": "Calendly knows no such thing",
    "permission_denied": "Calendly does not allow it to this account",
    "insufficient_scope": "Calendly did not give this server the right to it",
    "unauthenticated": "Calendly asks for a new sign-in",
    "rate_limited": "too many calls at that moment",
    "conflict": "it was so already, or is over",
    "upstream_error": "Calendly had a fault",
    "upstream_unreachable": "Calendly could not be reached",
    "outcome_unknown": "whether it was done is not known",
    "canceled": "it was given up on the way",
    "internal_error": "a fault of this server",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """How a page words entries.

    Attributes:
        event_types: The names of event types by uuid.
        meetings: What meetings are called by uuid.
        local: Writes a moment on the reader's clock.
        is_own: The reader is the person of the entries, on the page of the agent; else both are named.
    """

    event_types: Mapping[str, str]
    meetings: Mapping[str, str]
    local: Callable[[datetime], str]
    is_own: bool = True


def ids_of_meetings(sentences: Collection[str]) -> list[str]:
    """Return the uuids of the meetings that sentences name."""
    return list(dict.fromkeys(uuid for sentence in sentences for uuid in _MEETING.findall(sentence)))


def ids_of_event_types(sentences: Collection[str]) -> list[str]:
    """Return the uuids of the event types that sentences name."""
    return list(dict.fromkeys(uuid for sentence in sentences for uuid in _EVENT_TYPE.findall(sentence)))


def in_words(entry: AuditEntry, wording: Wording) -> str:
    """Return what a page says of an entry."""
    did, _, ending = entry.sentence.rpartition(": ")
    if entry.tool is None:
        told = _NOTES.get(entry.action, did) if entry.decision == "allowed" else entry.sentence
        named = told.replace("{agent}", entry.agent or "an agent")
        return _upper(_with_agent(named, entry.agent, "it" if wording.is_own else None))
    if wording.is_own:
        did = did.removeprefix(f"{entry.agent} ")
    elif entry.agent and did.startswith(entry.agent):
        did = f"“{app_name(entry.agent)}”{did.removeprefix(entry.agent)}"
    if entry.decision == "asked":
        did = did.replace("tried to ", "asked to ", 1)
    you, your = ("you", "your") if wording.is_own else ("the person", "the person's")
    end = _end(entry, ending).format(you=you, your=your)
    return _upper(f"{_named(did, wording)}{end}")


def _end(entry: AuditEntry, ending: str) -> str:
    """Return how a call ended."""
    if entry.decision in _DECIDED and entry.kind != "begun":
        return f": {_DECIDED[entry.decision] or _refused(entry)}"
    agreed = f", {_AGREED[entry.confirmed]}" if entry.confirmed in _AGREED else ""
    if entry.ending != "answered":
        return f"{agreed}: {_FAILED.get(entry.ending or '', 'it did not work')}"
    found = _FOUND.search(ending)
    rest = "nothing was sent" if entry.decision == "tried" else found and found[1]
    return f"{agreed}: {rest}" if rest else agreed


def _refused(entry: AuditEntry) -> str:
    if entry.source == "person" and " is limited to " in (entry.rule or ""):
        return "outside the conditions set by {you}"
    return _REFUSED.get(entry.source or "", (entry.rule or "a rule of this server").replace("{", "(").replace("}", ")"))


def _named(text: str, wording: Wording) -> str:
    """Return a text with names in the place of ids, in words for a person."""

    def by_name(names: Mapping[str, str], noun: str) -> Callable[[re.Match[str]], str]:
        return lambda found: names.get(found[1], noun)

    text = _MEETING.sub(by_name(wording.meetings, "a meeting"), text)
    text = _EVENT_TYPE.sub(
        by_name({uuid: f"“{name}”" for uuid, name in wording.event_types.items()}, "an event type"), text
    )
    text = _OTHER.sub(lambda found: f"{'an' if found[1][0] in 'aeiou' else 'a'} {found[1]}", text)
    text = _INSTANT.sub(lambda found: wording.local(_instant(found)), _BARE.sub("", text))
    return _YOURS.sub(r"your \1", text).replace("scheduled event", "meeting")


def _with_agent(text: str, agent: str | None, word: str | None) -> str:
    """Return a text with a word in the place of an agent's name, or with the name set apart from our words."""
    if not agent:
        return text
    return re.sub(rf"(?<!\w){re.escape(agent)}(?!\w)", lambda _: word or f"“{app_name(agent)}”", text)


def _instant(found: re.Match[str]) -> datetime:
    return datetime.strptime(f"{found[1]} {found[2] or '+00:00'}", "%d %b %Y, %H:%M %z")


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
