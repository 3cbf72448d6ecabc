"""Event types: created, changed, and who hosts them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.event_types.one_off import LOCATION_KINDS, LONGEST_MINUTES
from sandbox.endpoints.paging import read_page
from sandbox.errors import permission_denied
from sandbox.records.as_json import JsonObject, event_type_json, event_type_membership_json
from sandbox.records.event_types import StoredEventType
from sandbox.records.identifiers import PAGES, new_id
from sandbox.requests.fields import InputFields, objects_in
from sandbox.requests.permissions import NO_ACCESS, known_user, managed_event_type, require_user

COLOR: Final = re.compile(r"#[a-f\d]{6}")
LOCALES: Final = ("de", "en", "es", "fr", "it", "nl", "pt", "uk")
BUFFERS: Final = (0, 5, 10, 15, 30, 45, 60, 90, 120, 150, 180)
MOST_OPTIONS: Final = 4
USUAL_MINUTES: Final = 30


@dataclass(frozen=True)
class _Settings:
    """What a body sets, by the names of the fields of `StoredEventType`."""

    values: Mapping[str, Any]

    def apply(self, kind: StoredEventType) -> None:
        """Set them."""
        for name, value in self.values.items():
            setattr(kind, name, value)

    def duration_with(self, options: tuple[int, ...] | None) -> int | None:
        """Return the duration if it is not among the options that count, else None."""
        duration, counting = self.values.get("duration"), self.values.get("duration_options", options)
        return duration if duration is not None and counting and duration not in counting else None


def create_event_type(call: EndpointCall) -> JsonObject:
    """Create a one-on-one event type, inactive unless it says otherwise."""
    fields = call.body_fields()
    owner_id = fields.reference("owner", "users", required=True)
    fields.raw("name", required=True)
    settings = _read(fields)
    _check_duration(fields, settings, None)
    fields.check()
    owner = known_user(call.records, owner_id)
    require_user(call.caller, owner)
    now = call.sandbox.clock.now()
    slug = _free_slug(call, owner_id, str(settings.values["name"]))
    options: tuple[int, ...] = settings.values.get("duration_options") or (USUAL_MINUTES,)
    kind = StoredEventType(
        id=new_id(),
        owner=owner.id,
        hosts=(owner.id,),
        organization=owner.organization,
        name=None,
        slug=slug,
        scheduling_url=f"{PAGES}/{owner.slug}/{slug}",
        duration=options[0],
        created_at=now,
        updated_at=now,
        position=sum(one.owner == owner.id for one in call.records.event_types.values()),
        active=False,
    )
    settings.apply(kind)
    call.records.event_types[kind.id] = kind
    call.sandbox.announce_event_type("event_type.created", kind)
    return {"resource": event_type_json(call.records, kind)}


def update_event_type(call: EndpointCall) -> JsonObject:
    """Change a one-on-one event type; what is not sent stays."""
    kind = managed_event_type(call.caller, call.records, call.path["uuid"])
    fields = call.body_fields()
    settings = _read(fields)
    _check_duration(fields, settings, kind.duration_options)
    fields.check()
    if kind.kind != "solo" or kind.pooling_type is not None or kind.date_limits is not None:
        raise permission_denied(NO_ACCESS)
    settings.apply(kind)
    kind.updated_at = call.sandbox.clock.now()
    call.sandbox.announce_event_type("event_type.updated", kind)
    return {"resource": event_type_json(call.records, kind)}


def list_event_type_hosts(call: EndpointCall) -> JsonObject:
    """List the hosts of an event type."""
    fields = call.query_fields()
    event_type = fields.reference("event_type", "event_types", required=True)
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    kind = managed_event_type(call.caller, call.records, event_type)
    hosts = [call.records.users[host] for host in kind.hosts]
    return page.answer(hosts, lambda host: event_type_membership_json(call.records, kind, host))


def _read(fields: InputFields) -> _Settings:
    found = {
        "active": fields.boolean("active") if fields.has("active") else None,
        "name": fields.text("name") or None,
        "description": fields.text("description") if fields.has("description") else None,
        "duration": fields.whole_number("duration", least=1, most=LONGEST_MINUTES),
        "duration_options": _read_options(fields),
        "locations": _read_locations(fields),
        "color": _read_color(fields),
        "locale": fields.choice("locale", LOCALES) or None,
        "increment": fields.whole_number("start_time_increment", least=5, most=LONGEST_MINUTES),
        "before_buffer": _read_buffer(fields, "before_buffer"),
        "after_buffer": _read_buffer(fields, "after_buffer"),
    }
    return _Settings({name: value for name, value in found.items() if value is not None})


def _read_color(fields: InputFields) -> str | None:
    color = fields.text("color")
    if color and not COLOR.fullmatch(color):
        fields.refuse("color", "is invalid")
    return color or None


def _read_buffer(fields: InputFields, name: str) -> int | None:
    minutes = fields.whole_number(name, least=0, most=BUFFERS[-1])
    if minutes is not None and minutes not in BUFFERS:
        fields.refuse(name, f"must be one of: {', '.join(map(str, BUFFERS))}")
    return minutes


def _read_options(fields: InputFields) -> tuple[int, ...] | None:
    sent = fields.raw("duration_options")
    if sent is None:
        return None
    rows = cast("list[object]", sent) if isinstance(sent, list) else [None]
    minutes = [
        row for row in rows if isinstance(row, int) and not isinstance(row, bool) and 1 <= row <= LONGEST_MINUTES
    ]
    if len(minutes) < len(rows) or len(set(minutes)) < len(minutes) or len(minutes) > MOST_OPTIONS:
        fields.refuse("duration_options", f"must be at most {MOST_OPTIONS} different numbers of minutes")
    return tuple(minutes)


def _read_locations(fields: InputFields) -> tuple[Mapping[str, str], ...] | None:
    sent = fields.raw("locations")
    if sent is None:
        return None
    rows = objects_in(sent)
    if rows is None:
        fields.refuse("locations", "must be a list of objects")
        return ()
    places: list[Mapping[str, str]] = []
    for row in rows:
        place = InputFields(row)
        read = {
            "kind": place.choice("kind", LOCATION_KINDS, required=True),
            **{name: place.text(name) for name in ("location", "additional_info", "phone_number")},
        }
        if not place.good:
            fields.refuse("locations", "has a place that is invalid")
        places.append({name: value for name, value in read.items() if value})
    return tuple(places)


def _check_duration(fields: InputFields, settings: _Settings, options: tuple[int, ...] | None) -> None:
    if settings.duration_with(options) is not None:
        fields.refuse("duration", "must be among duration_options")


def _free_slug(call: EndpointCall, owner: str, name: str) -> str:
    """Return a slug of a name that no other event type of the owner has."""
    plain = "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split()) or "meeting"
    taken = {kind.slug for kind in call.records.event_types.values() if kind.owner == owner}
    return next(slug for slug in (plain, *(f"{plain}-{number}" for number in range(1, 10_000))) if slug not in taken)


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/event_types", ("event_types:write",), 201, create_event_type),
    SandboxEndpoint("PATCH", "/event_types/{uuid}", ("event_types:write",), 200, update_event_type),
    SandboxEndpoint("GET", "/event_type_memberships", ("event_types:read",), 200, list_event_type_hosts),
)
