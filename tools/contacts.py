"""The look-up of contacts by full name or e-mail address, among the person's own."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from calendly import models
from calendly.identifiers import ContactId, InvalidIdentifier
from tools.endpoints.contacts.contacts import addresses, list_contacts
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE
from tools.matching import folded, near
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError
from tools.toolset.wording import one_line

_MOST_NAMED: Final = 10

_WORD: Final = re.compile(r"\w+")
"""What is looked for: one word, however the name around it is written."""


async def find_contact(call: Call, parameter: str, text: str) -> ContactId:
    """Return the contact of a full name or an e-mail address.

    Raises:
        ArgumentError: No contact or several have it; the message names whom it could mean.
        DeniedByPolicy, CalendlyError: Contacts may not be read, or the read failed.
    """
    wanted, is_address = folded(text), "@" in text
    page = await call.via(list_contacts)(
        name=None if is_address else max(_WORD.findall(text), key=len),
        email=",".join(dict.fromkeys((text, text.lower()))) if is_address else None,
        exclude="custom_fields",
        count=LARGEST_PAGE,
        max_pages=ENOUGH_PAGES,
    )
    listed = page.get("collection", [])
    found = [one for one in listed if wanted in _known_as(one)]
    if len(found) == 1 and (contact := _identifier(found[0])):
        return contact
    if found:
        raise ArgumentError.of(parameter, f"Several contacts go by that, so pass the URI of one: {_listed(found)}.")
    if is_address:
        raise ArgumentError.of(parameter, "No contact of yours has that e-mail address.")
    meant = listed or await _near(call, text)
    told = f"Did you mean {_listed(meant)}?" if meant else "list_contacts finds a part of a name."
    raise ArgumentError.of(parameter, f"No contact of yours has exactly that name. {told}")


async def _near(call: Call, text: str) -> Sequence[models.Contact]:
    """Return the contacts whose names come near, such as without the accents, which Calendly's own search minds."""
    page = await call.via(list_contacts)(exclude="custom_fields", count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)
    by_name = {name: one for one in page.get("collection", []) if (name := one.get("name"))}
    return [by_name[name] for name in near(text, by_name)]


def told_as(contact: models.Contact) -> str:
    """Return a contact's name and first address, as a sentence or question names the contact."""
    name, address = one_line(contact.get("name")), next(iter(addresses(contact)), None)
    return f"{name} ({address})" if name and address else name or address or "somebody"


def _known_as(contact: models.Contact) -> set[str]:
    return {folded(text) for text in (contact.get("name"), *addresses(contact)) if text}


def _identifier(contact: models.Contact) -> ContactId | None:
    try:
        return replace(ContactId.parse(contact.get("uri") or ""), called=told_as(contact))
    except InvalidIdentifier:
        return None


def _listed(contacts: Sequence[models.Contact]) -> str:
    told = [f"{one_line(told_as(one))}, {one.get('uri') or 'without a URI'}" for one in contacts[:_MOST_NAMED]]
    rest = len(contacts) - len(told)
    return "; ".join([*told, *([f"{rest} more"] if rest else [])])
