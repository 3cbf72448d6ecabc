"""Contact lists: named lists of contacts, and views that follow a filter."""

from typing import Final, Literal

from calendly import models
from tools.contact_fields import ContactListRef, Heading
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, searched

contact_lists = Toolset("contacts")

_IMPORTED: Final = "Views that an import made are never among them."


@contact_lists.tool(
    "GET",
    "/contact_lists",
    title="List contact lists",
    scope="contacts:read",
    capability="contacts",
    audit=Sentence("list", lambda call: f"the contact lists of {call.person()}"),
)
async def list_contact_lists(
    call: Call,
    type: Literal["static_list", "dynamic_view"] | None = None,  # noqa: A002 - Calendly's name
) -> Page[models.ContactList]:
    """List your lists of contacts, and views that follow a filter. Next: list_contacts with contact_list."""
    page = await call.only_page(models.ContactList, query={"type": type})
    return page_of(page, searched("you"), nothing_matches({"type": type}, beyond=_IMPORTED))


@contact_lists.tool(
    "POST",
    "/contact_lists",
    title="Create contact list",
    scope="contacts:write",
    capability="contacts",
    audit=Sentence("create", "a contact list"),
)
async def create_contact_list(call: Call, name: Heading) -> models.ContactList:
    """Create an empty list of contacts. A person fills it in Calendly: no tool puts contacts on a list."""
    return await call(models.ContactList, body={"name": name})


@contact_lists.tool(
    "GET",
    "/contact_lists/{contact_list}",
    title="Get contact list",
    scope="contacts:read",
    capability="contacts",
    audit=Sentence("read", "the contact list {contact_list}"),
)
async def get_contact_list(call: Call, contact_list: ContactListRef) -> models.ContactList:
    """Look up a contact list: its name, and how many contacts are on it."""
    return await call(models.ContactList, contact_list=contact_list)


@contact_lists.tool(
    "PATCH",
    "/contact_lists/{contact_list}",
    title="Rename contact list",
    scope="contacts:write",
    capability="contacts",
    audit=Sentence("rename", "the contact list {contact_list}"),
)
async def rename_contact_list(call: Call, contact_list: ContactListRef, name: Heading) -> models.ContactList:
    """Rename a contact list or a view. The view of all contacts keeps its name."""
    return await call(models.ContactList, contact_list=contact_list, body={"name": name})
