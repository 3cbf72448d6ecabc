"""Parameter types that tools share. Arguments are checked before anything is sent.

An error is a sentence about its parameter. The schema states Calendly's limits only; limits that
merely keep nonsense out are not in it, since every agent reads every word of a schema.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from typing_extensions import override

from calendly.identifiers import (
    ContactId,
    EventTypeId,
    GroupId,
    GroupRelationshipId,
    Identifier,
    InvalidIdentifier,
    InvitationId,
    InviteeId,
    MeetingRecapId,
    MembershipId,
    NestedIdentifier,
    NoShowId,
    OrganizationId,
    RoutingFormId,
    RoutingFormSubmissionId,
    ScheduledEventId,
    ScheduleId,
    ShareId,
    TeamId,
    UserId,
    WebhookSubscriptionId,
)
from calendly.models.personal import PERSONAL
from tools.links import page_of, understood
from tools.matching import folded
from tools.times import Day, parse_moment, parse_time
from tools.toolset.errors import ArgumentError
from tools.toolset.schemas import WrittenAsText
from tools.zones import named_zone

IdentifierT = TypeVar("IdentifierT", bound=Identifier)
Nested = TypeVar("Nested", bound=NestedIdentifier)
Listed = TypeVar("Listed")

LARGEST_PAGE: Final = 100
"""Most rows of one page."""

MOST_PAGES: Final = 50
ENOUGH_PAGES: Final = 5
"""Enough for the lists that a person looks through."""

_LONGEST_LINE: Final = 500
_LONGEST_TEXT: Final = 10_000
_LONGEST_URL: Final = 2_000
_LONGEST_EMAIL: Final = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets

# Control characters, and halves of surrogate pairs, which no encoding can carry.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL: Final = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+\.[^@\s<>,;:\"()\[\]\\.]+")
_DOMAIN: Final = re.compile(r"(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)+)\.?(?:[/?#:](?!\S*\.\.)\S*)?")
_MAILBOX: Final = re.compile(r"[^<>]*<([^<>]*)>")  # RFC 5322, 3.4: a name, and the address in angle brackets
_NO_VALUE: Final = frozenset({"null", "undefined"})

# What has a letter, and none of the marks of addresses. One word with a digit is an id.
_PERSON_NAME: Final = re.compile(
    r"(?=.*[^\W\d_])(?!\S*\d\S*\Z)(?!\s)[^\x00-\x1f\x7f-\x9f\ud800-\udfff/\\%@<>{}|^`\"?#:;=*&\[\]]{1,100}(?<!\s)"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


# What is certainly an id: a UUID, or the 16 characters of older accounts. `me` is one too.
_SURE_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Z]{16}|me")

_OLDER_ID: Final = re.compile(r"[0-9A-Z]{16}")

_BLANKS: Final = " \t\u00a0"

# What is certainly no id of Calendly's: it has no digit.
_WORD: Final = re.compile(r"[A-Za-z_-]+")

_LONGEST_NAME: Final = 55
"""Most characters of an event type's name, in Calendly."""

# What is no name: an address, a path, an id with something around it.
_NO_NAME: Final = re.compile(
    r"://|^//|^\.*$|^\.\.[\\/%]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|^\S*%(?:25)?[0-9a-f]{2}\S*$"
    r"|^(?:users|organizations|event_types|scheduled_events)/",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource named as people name it; `tools.references` looks it up before the tool runs.

    Attributes:
        kind: The type of identifier.
        text: The name.
    """

    kind: type[Identifier]
    text: str

    @property
    def is_of_contact(self) -> bool:
        """Whether it is personal data, which hidden invitee data includes."""
        return self.kind is ContactId


def _is_never(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Named(WrittenAsText):
    """An identifier written as a uuid or a resource URI. The validation context holds the accepted origins.

    Attributes:
        kind: The type of identifier.
        names: Says whether a text could be a name, where names are accepted.
        expected: What the error says is accepted as well.
    """

    kind: type[Identifier]
    names: Callable[[str], bool] = _is_never
    expected: str = ""

    @override
    def parse(self, text: str, info: ValidationInfo) -> Identifier | Reference:
        """Read a uuid, a URI or a name. Raises ValueError."""
        text = understood(text.lstrip(_BLANKS).rstrip(), self.kind)
        if self.names(text) and not _SURE_ID.fullmatch(text):
            return Reference(self.kind, text)
        try:
            return no_word(text, self.kind.parse(text, origins=cast("tuple[str, ...]", info.context or ())))
        except InvalidIdentifier as fault:
            raise ValueError(f"{fault}{self.expected}") from None


def no_word(text: str, identifier: IdentifierT) -> IdentifierT:
    """Return what a text identifies. Raises ValueError for a word: Calendly would only say that there is no such id."""
    if _WORD.fullmatch(text) and not _SURE_ID.fullmatch(text):
        raise ValueError(f"This is a word, and no id of {identifier.resource}: pass the uuid or URI that a list tells.")
    return identifier


@dataclass(frozen=True, slots=True)
class AsText(WrittenAsText):
    """Another type that is written as text, which a function reads."""

    read: Callable[[str], object]

    @override
    def parse(self, text: str, info: ValidationInfo) -> object:
        return self.read(text)


def _bounded(text: str, limit: int, unwanted: re.Pattern[str]) -> str:
    if len(text) > limit:
        raise ValueError(f"Must have at most {limit} characters.")
    if unwanted.search(text):
        raise ValueError("Must not contain control characters.")
    return text


def line(text: str) -> str:
    """Return a text that is one line, without blanks around it. Raises ValueError."""
    if not text.strip():
        raise ValueError("Must not be empty.")
    return _bounded(text.strip(), _LONGEST_LINE, _CONTROL)


def sought(text: str) -> str:
    """Return a text to search for, also of a JSON list with this one alone. Raises ValueError."""
    text = line(text)
    try:
        items: object = json.loads(text) if text.startswith('["') else None
    except ValueError:
        items = None
    if isinstance(items, list):
        texts = cast("list[object]", items)
        if len(texts) != 1 or not isinstance(texts[0], str):
            raise ValueError("Must be one text: call once for each.")
        return line(texts[0])
    if text.casefold() in _NO_VALUE:
        raise ValueError("This is no text to search for; leave the parameter out instead.")
    return text


def checked_text(text: str) -> str:
    """Return a text with newlines and tabs. Raises ValueError if it is too long or has other control characters."""
    return _bounded(text, _LONGEST_TEXT, _CONTROL_BUT_LINES)


def _opaque(text: str) -> str:
    if not text:
        raise ValueError("Must not be empty; leave it out instead.")
    return _bounded(text, _LONGEST_URL, _CONTROL)


def _email(text: str) -> str:
    """Return an e-mail address, also of somebody who is named before it. Raises ValueError."""
    text = text.strip()
    mailbox = _MAILBOX.fullmatch(text)
    text = mailbox[1].strip() if mailbox else text
    if len(text) > _LONGEST_EMAIL or _CONTROL.search(text) or not _EMAIL.fullmatch(text):
        raise ValueError("Expected an e-mail address such as lee@example.com.")
    return text


def _domain(text: str) -> str:
    """Return the domain of an e-mail address or a web page, in lower case. Raises ValueError."""
    text = sought(text).casefold().rpartition("@")[2]
    found = _DOMAIN.fullmatch(text)
    if found is None:
        raise ValueError("Expected the part of an e-mail address after the @, such as acme.com.")
    return found[1]


def _is_email(text: str) -> bool:
    try:
        return _email(text) == text.strip()
    except ValueError:
        return False


def is_person(text: str) -> bool:
    """Return whether a text could be the name or the e-mail address of somebody."""
    return _PERSON_NAME.fullmatch(text) is not None or _is_email(text)


def _is_mine(text: str) -> bool:
    return text.casefold() == "mine"


def _no_organization_name(text: object) -> object:
    """Refuse a word, which Calendly could not tell from an id: `me`, or what people call the organization."""
    if isinstance(text, str) and text.isalpha() and not (_is_mine(text) or _OLDER_ID.fullmatch(text)):
        raise ValueError('Organizations go by no name: "mine" is your own, others go by uuid or URI.')
    return text


def is_event_type_name(text: str) -> bool:
    """Return whether a text could be the name, slug or booking page of an event type."""
    if page_of(text):
        return True
    is_long = len(unicodedata.normalize("NFC", text.strip())) > _LONGEST_NAME
    return not is_long and _is_name(text)


def is_name(text: str) -> bool:
    """Return whether a text could be the name of a schedule, a team or something else that people name."""
    return len(text) <= _LONGEST_LINE and _is_name(text)


def _is_name(text: str) -> bool:
    name = folded(text)
    return bool(name) and not (_CONTROL.search(text.strip()) or _NO_NAME.search(name))


def on_date(text: str) -> str:
    """Return a date as YYYY-MM-DD. Raises ValueError."""
    text = text.strip()
    try:
        date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise ValueError("Expected a date such as 2026-12-01.") from None
    return text


def _url(text: str) -> str:
    text = text.strip()
    _bounded(text, _LONGEST_URL, _CONTROL)
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        fits = fits and parts.port != 0 and not re.search(r"[\s\\]", text)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("Expected an absolute URL such as https://example.com/hook, without user name or spaces.")
    return text


def _whole_if_it_is(number: float) -> float:
    return int(number) if number.is_integer() else number


def at_most(limit: int) -> AfterValidator:
    """Return a limit for a list that Calendly does not limit."""

    def check(items: list[Listed]) -> list[Listed]:
        if len(items) > limit:
            raise ValueError(f"Must have at most {limit} items.")
        return items

    return AfterValidator(check)


UserRef = Annotated[
    UserId,
    Named(UserId, is_person, " A full name or an e-mail address will do too."),
    Field(description="name, e-mail, URI or me"),
]
OrganizationRef = Annotated[
    OrganizationId,
    Named(OrganizationId, _is_mine, ' "mine" will do too.'),
    BeforeValidator(_no_organization_name),
    Field(description="mine, uuid or URI"),
]
EventTypeRef = Annotated[
    EventTypeId,
    Named(EventTypeId, is_event_type_name, " Its name, slug or booking page will do too."),
    Field(description="uuid, URI, name, slug or booking URL"),
]
ScheduledEventRef = Annotated[ScheduledEventId, Named(ScheduledEventId), Field(description="uuid or URI")]
_BY_NAME: Final = " Its name will do too."
_OR_NAME: Final = Field(description="name or URI")
ScheduleRef = Annotated[ScheduleId, Named(ScheduleId, is_name, _BY_NAME), _OR_NAME]
MembershipRef = Annotated[MembershipId, Named(MembershipId), Field(description="uuid or URI")]
WebhookSubscriptionRef = Annotated[
    WebhookSubscriptionId, Named(WebhookSubscriptionId), Field(description="uuid or URI")
]
GroupRef = Annotated[GroupId, Named(GroupId, is_name, _BY_NAME), _OR_NAME]
GroupRelationshipRef = Annotated[GroupRelationshipId, Named(GroupRelationshipId), Field(description="uuid or URI")]
TeamRef = Annotated[TeamId, Named(TeamId, is_name, _BY_NAME), _OR_NAME]
MeetingRecapRef = Annotated[MeetingRecapId, Named(MeetingRecapId), Field(description="uuid or URI")]
RoutingFormRef = Annotated[RoutingFormId, Named(RoutingFormId, is_name, _BY_NAME), _OR_NAME]
RoutingFormSubmissionRef = Annotated[
    RoutingFormSubmissionId, Named(RoutingFormSubmissionId), Field(description="uuid or URI")
]
InviteeRef = Annotated[InviteeId, Named(InviteeId), Field(description="URI, or uuid with scheduled_event")]
ShareRef = Annotated[ShareId, Named(ShareId), Field(description="uuid or URI")]
NoShowRef = Annotated[NoShowId, Named(NoShowId), Field(description="uuid or URI")]
InvitationRef = Annotated[InvitationId, Named(InvitationId), Field(description="URI, or uuid with organization")]

Line = Annotated[str, AfterValidator(line)]
"""One line that people read."""

Name = Annotated[str, Field(max_length=55), AfterValidator(line)]
"""The name of an event type."""

Text = Annotated[str, AfterValidator(checked_text)]
"""Text with newlines and tabs."""

Reason = Annotated[Text, Field(max_length=_LONGEST_TEXT)]
"""Why a meeting is canceled."""

Opaque = Annotated[str, AfterValidator(_opaque)]
"""A token or key."""

Email = Annotated[str, AfterValidator(_email)]
InviteeEmail = Annotated[Email, PERSONAL]
"""An invitee to search for. Hidden invitee data cannot be searched either."""

SearchText = Annotated[str, AfterValidator(sought), PERSONAL]
"""What invitees to search for have in their name or in an answer."""

Domain = Annotated[str, AfterValidator(_domain), PERSONAL]
"""Where invitees to search for have their address."""

Url = Annotated[str, AfterValidator(_url)]
TimeZone = Annotated[str, AfterValidator(named_zone), Field(description="IANA name")]
Date = Annotated[str, AfterValidator(on_date), Field(description="YYYY-MM-DD")]
Time = Annotated[datetime, AsText(parse_time), Field(description="ISO 8601; no offset: your zone")]
RangeTime = Annotated[datetime | Day, AsText(parse_moment), Field(description="ISO 8601 or date; no offset: your zone")]
"""One end of a range. A date is the whole day."""

Minutes = Annotated[float, Field(ge=1, le=720, description="minutes"), AfterValidator(_whole_if_it_is)]

Count = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="page size")]
PageToken = Annotated[Opaque, Field(description="next_page_token; same filters")]
MaxPages = Annotated[int, Field(ge=1, le=MOST_PAGES, description="pages to fetch")]
ByCreation = Literal["created_at:asc", "created_at:desc"]


def within(identifier: Nested, parent: Identifier | None) -> Nested:
    """Return the identifier with the parent that was passed beside it, if any.

    Raises:
        ArgumentError: The parent is missing, or given twice and different.
    """
    try:
        return identifier.within(parent)
    except InvalidIdentifier as fault:
        raise ArgumentError.of(identifier.parameter, str(fault)) from None
