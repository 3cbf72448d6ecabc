"""The one look-up of people by name or e-mail address: the caller, and the members of their organization."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import override

from calendly.errors import CalendlyError, InsufficientScope, PermissionDenied
from calendly.identifiers import InvalidIdentifier, UserId
from calendly.models.user import MemberUser
from tools.endpoints.organization import list_organization_memberships
from tools.endpoints.users import get_current_user, get_user
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE
from tools.matching import folded, near, turned
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, DeniedByPolicy, ToolError
from tools.toolset.wording import one_line

_MOST_NAMED: Final = 10
_BY_ID: Final = "People are found in the list of members, which is off here. Their uuid or URI will do, too."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be meant.

    Attributes:
        user: Their identifier.
        name: Their full name, empty if Calendly does not tell it.
        email: Their address, empty if Calendly does not tell it.
        page: Their booking page, None if Calendly does not tell it.
    """

    user: UserId
    name: str
    email: str
    page: str | None = None

    @override
    def __str__(self) -> str:
        return f"{one_line(self.name) or 'somebody'} ({self.email or self.user.uri})"

    @property
    def named(self) -> UserId:
        """Their identifier, which says who they are."""
        return replace(self.user, called=str(self))

    def goes_by(self, wanted: str) -> bool:
        """Return whether a name or address is exactly this person's."""
        return not {wanted, turned(wanted)}.isdisjoint({folded(self.name), folded(self.email)})


async def find_person(call: Call, parameter: str, text: str) -> UserId:
    """Return who goes by a name or an e-mail address.

    Raises:
        ArgumentError: Nobody or several do; the message names whom it could mean.
        DeniedByPolicy, CalendlyError: The list of members may not be read, or the read failed.
    """
    wanted = folded(text)
    me = _person(await call.via(get_current_user)())
    if me is not None and "@" in wanted and me.goes_by(wanted):
        return me.named
    try:
        members = await _members(call, text)
    except (InsufficientScope, PermissionDenied, DeniedByPolicy) as refused:
        if me is None or not me.goes_by(wanted):
            if isinstance(refused, DeniedByPolicy):
                raise DeniedByPolicy(f"{refused} {parameter}: {_BY_ID}") from refused
            raise
        members = []
    people = list({person.user: person for person in [*([me] if me else []), *members]}.values())
    found = [person for person in people if person.goes_by(wanted)]
    if len(found) != 1:
        raise ArgumentError.of(parameter, _several(found) if found else _nobody(wanted, people))
    return found[0].named


async def owner_of_page(call: Call, page: str) -> UserId | None:
    """Return whose booking page is the one above `page`, None if nobody's or if members may not be read."""
    try:
        members = await _members(call)
    except (CalendlyError, ToolError):
        return None
    owner = page.rpartition("/")[0]
    return next((person.named for person in members if person.page == owner), None)


async def named(call: Call, user: UserId) -> UserId:
    """Return somebody with their name, as far as it may be read."""
    reading = get_current_user if user.is_me else get_user
    if user.called or not call.allows(reading):
        return user
    try:
        person = _person(await (call.via(get_current_user)() if user.is_me else call.via(get_user)(user)))
    except (CalendlyError, ToolError):
        return user
    return user if person is None else person.named


async def _members(call: Call, text: str = "") -> list[Person]:
    """Return the members of the organization, of whom only one can have an address."""
    listed = await call.via(list_organization_memberships)(
        organization=await call.own(None),
        email=text if "@" in text else None,
        count=LARGEST_PAGE,
        max_pages=ENOUGH_PAGES,
    )
    return [person for row in listed.get("collection", []) if (person := _person(row.get("user") or {}))]


def _person(user: MemberUser) -> Person | None:
    try:
        page = (user.get("scheduling_url") or "").casefold().rstrip("/") or None
        return Person(UserId.parse(user.get("uri") or ""), user.get("name") or "", user.get("email") or "", page)
    except InvalidIdentifier:
        return None


def _several(found: Sequence[Person]) -> str:
    return f"Several people go by that name, so pass the e-mail address of one: {_listed(found)}."


def _nobody(wanted: str, people: Sequence[Person]) -> str:
    """Say whom a name comes near: one that holds it is offered and never taken."""
    if "@" in wanted:
        return "Nobody in the organization has that e-mail address."
    names = {person.name: person for person in people if person.name}
    meant = [names[name] for name in near(wanted, names)]
    told = f"did you mean {_listed(meant)}?" if meant else f"there are: {_listed(people) or 'none'}."
    return f"Nobody in the organization has that name; {told}"


def _listed(people: Sequence[Person]) -> str:
    rest = len(people) - _MOST_NAMED
    return ", ".join(map(str, people[:_MOST_NAMED])) + (f" and {rest} more" if rest > 0 else "")
