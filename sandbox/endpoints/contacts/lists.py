"""Contact lists. Everybody has their own lists and views."""

import unicodedata
from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import already_exists, invalid_argument, not_found, permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.records.contacts import StoredContactList
from sandbox.records.contacts_as_json import contact_list_json
from sandbox.records.identifiers import new_id
from sandbox.requests.fields import MUST_BE_FILLED
from sandbox.requests.permissions import NO_ACCESS

LONGEST_NAME: Final = 255
MOST_LISTS: Final = 25
TYPES: Final = ("static_list", "dynamic_view")


def list_contact_lists(call: EndpointCall) -> JsonObject:
    """List all lists and views of the caller at once."""
    fields = call.query_fields()
    kind = fields.choice("type", TYPES)
    fields.check()
    rows = [one for one in _own(call) if not kind or one.type == kind]
    places = ("next_page", "previous_page", "next_page_token", "previous_page_token")
    return {
        "collection": [contact_list_json(one) for one in rows],
        "pagination": {"count": len(rows), **dict.fromkeys(places)},
    }


def create_contact_list(call: EndpointCall) -> JsonObject:
    """Create a list. What Calendly answers to one too many is not known: here it is a 400."""
    name = _read_name(call)
    _require_free(call, name, None)
    if len(_own(call)) >= MOST_LISTS:
        raise invalid_argument()
    made = StoredContactList(new_id(), call.caller.user.id, name, "static_list")
    call.records.contact_lists[made.id] = made
    return {"resource": contact_list_json(made)}


def get_contact_list(call: EndpointCall) -> JsonObject:
    """Return one list or view."""
    return {"resource": contact_list_json(own_list(call, call.path["uuid"]))}


def rename_contact_list(call: EndpointCall) -> JsonObject:
    """Rename a list or view. The view of all contacts keeps its name, and any other may have a name twice."""
    listed = own_list(call, call.path["uuid"])
    name = _read_name(call)
    if listed.is_default:
        raise already_exists("The resource already exists")
    if listed.type == "static_list":
        _require_free(call, name, listed)
    listed.name = name
    return {"resource": contact_list_json(listed)}


def own_list(call: EndpointCall, identifier: str) -> StoredContactList:
    """Return a list or view of the caller's. Raises ApiError: 404, and 403 for somebody else's."""
    listed = call.records.contact_lists.get(identifier)
    if listed is None:
        raise not_found()
    if listed.owner != call.caller.user.id:
        raise permission_denied(NO_ACCESS)
    return listed


def members_of(call: EndpointCall, listed: StoredContactList) -> frozenset[str]:
    """Return the ids of the contacts on a list; a view has all of its owner's, as no filter of one is stored."""
    if listed.type == "static_list":
        return frozenset(listed.members)
    return frozenset(contact.id for contact in call.records.contacts.values() if contact.owner == listed.owner)


def _own(call: EndpointCall) -> list[StoredContactList]:
    return [one for one in call.records.contact_lists.values() if one.owner == call.caller.user.id]


def _read_name(call: EndpointCall) -> str:
    fields = call.body_fields()
    name = fields.text("name", required=True, most=LONGEST_NAME).strip()
    if fields.has("name") and not name and fields.good:
        fields.refuse("name", MUST_BE_FILLED)
    fields.check()
    return name


def _require_free(call: EndpointCall, name: str, own: StoredContactList | None) -> None:
    taken = {_plain(one.name) for one in _own(call) if one.type == "static_list" and one is not own}
    if _plain(name) in taken:
        raise already_exists("The resource already exists")


def _plain(name: str) -> str:
    """Return a name without case and accents."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/contact_lists", ("contacts:read",), 200, list_contact_lists),
    SandboxEndpoint("POST", "/contact_lists", ("contacts:write",), 201, create_contact_list),
    SandboxEndpoint("GET", "/contact_lists/{uuid}", ("contacts:read",), 200, get_contact_list),
    SandboxEndpoint("PATCH", "/contact_lists/{uuid}", ("contacts:write",), 200, rename_contact_list),
)
