"""Shares: single-use links with settings of their own. The page behind one offers what the event type offers."""

from datetime import timedelta
from typing import Final, cast

from sandbox.booking.openings import schedule_of
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import ApiError, not_found, permission_denied
from sandbox.records.as_json import JsonObject, schedule_json, stamp
from sandbox.records.event_types import StoredEventType, StoredSchedulingLink, StoredShare
from sandbox.records.identifiers import PAGES, new_code, new_id
from sandbox.requests.fields import InputFields, objects_in
from sandbox.requests.permissions import NO_ACCESS, NO_PERMISSION, known_user
from sandbox.requests.rules import read_rules

PERIODS: Final = ("available_moving", "moving", "fixed", "unlimited")
LONGEST_MINUTES: Final = 720
MOST_OPTIONS: Final = 4
UNUSED_LIFE: Final = timedelta(days=90)
SORT_KEYS: Final[SortKeys[StoredShare]] = {"created_at": lambda share: share.link.created_at}
SETTINGS: Final = (
    "name",
    "duration",
    "duration_options",
    "period_type",
    "start_date",
    "end_date",
    "max_booking_time",
    "min_booking_time",
    "hide_location",
    "location_configurations",
    "availability_rule",
)


def create_share(call: EndpointCall) -> JsonObject:
    """Create a share of a one-on-one event type that the caller owns."""
    fields = call.body_fields()
    event_type = fields.reference("event_type", "event_types", required=True)
    _check(call, fields)
    kind = call.records.event_types.get(event_type)
    if event_type and kind is None:
        raise not_found()
    if kind is not None and not call.caller.may_manage(kind):
        raise permission_denied(NO_ACCESS)
    if kind is not None and (kind.kind != "solo" or kind.pooling_type is not None):
        fields.refuse("event_type", "must be a one-on-one event type")
    fields.check()
    if kind is None:
        raise not_found()
    page = kind.slug or kind.scheduling_url.rpartition("/")[2]
    link = StoredSchedulingLink(f"{PAGES}/d/{new_code()}/{page}", kind.id, call.sandbox.clock.now())
    share = StoredShare(new_id(), link, call.caller.user.id)
    share.settings = {name: call.body[name] for name in SETTINGS if call.body.get(name) is not None}
    call.records.links[link.booking_url] = link
    call.records.shares[share.id] = share
    return {"resource": _share_json(call, share)}


def list_shares(call: EndpointCall) -> JsonObject:
    """List the caller's own shares."""
    fields = call.query_fields()
    user = fields.reference("user", "users", required=True)
    event_type = fields.reference("event_type", "event_types")
    after, before = fields.time("min_created_at"), fields.time("max_created_at")
    sort = read_sort(fields, SORT_KEYS, "created_at:desc")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    if known_user(call.records, user).id != call.caller.user.id:
        raise permission_denied(NO_PERMISSION)
    rows = [
        share
        for share in call.records.shares.values()
        if share.user == user
        and event_type in {"", share.link.event_type}
        and (after is None or share.link.created_at >= after)
        and (before is None or share.link.created_at < before)
    ]
    return page.answer(sort(rows), lambda share: _share_json(call, share))


def update_share(call: EndpointCall) -> JsonObject:
    """Change a share that is active; null puts a setting back."""
    share = _find(call)
    fields = call.body_fields()
    _check(call, fields)
    if not fields.names():
        fields.refuse("share", "at least one field must be sent")
    fields.check()
    if _status(call, share) != "active":
        raise ApiError(409, "Conflict", "This share is not active.")
    for name in (name for name in SETTINGS if name in call.body):
        if call.body[name] is None:
            share.settings.pop(name, None)
        else:
            share.settings[name] = call.body[name]
    if "contact" in call.body:
        share.contact = cast("str | None", call.body["contact"])
    return {"resource": _share_json(call, share)}


def delete_share(call: EndpointCall) -> None:
    """Delete a share that nobody booked."""
    share = _find(call)
    if share.link.used:
        raise ApiError(409, "Conflict", "This share was booked.")
    del call.records.links[share.link.booking_url]
    del call.records.shares[share.id]


def _find(call: EndpointCall) -> StoredShare:
    share = call.records.shares.get(call.path["uuid"])
    if share is None:
        raise not_found()
    if share.user != call.caller.user.id:
        raise permission_denied(NO_ACCESS)
    return share


def _check(call: EndpointCall, fields: InputFields) -> None:
    """Note what is wrong with settings."""
    fields.text("name", most=55)
    fields.whole_number("duration", least=1, most=LONGEST_MINUTES)
    _check_options(fields)
    period = fields.choice("period_type", PERIODS)
    for name in ("start_date", "end_date"):
        if fields.has(name) or period == "fixed":
            fields.date(name)
    fields.whole_number("max_booking_time", least=1, most=100_000, required=period in {"moving", "available_moving"})
    fields.whole_number("min_booking_time", least=1, most=100_000)
    fields.boolean("hide_location")
    if fields.has("location_configurations") and objects_in(fields.raw("location_configurations")) is None:
        fields.refuse("location_configurations", "must be a list of objects")
    rule = fields.within("availability_rule")
    if rule is not None:
        rule.timezone("timezone", required=True)
        read_rules(rule, call.sandbox.clock.now().date() - timedelta(days=1), required=True)
    if fields.has("contact"):
        fields.reference("contact", "contacts")


def _check_options(fields: InputFields) -> None:
    sent = fields.raw("duration_options")
    if sent is None:
        return
    rows = cast("list[object]", sent) if isinstance(sent, list) else [None]
    good = [row for row in rows if isinstance(row, int) and not isinstance(row, bool) and 0 < row <= LONGEST_MINUTES]
    if len(good) < len(rows) or len(set(good)) < len(good) or len(good) > MOST_OPTIONS:
        fields.refuse("duration_options", f"must be at most {MOST_OPTIONS} different numbers of minutes")
    elif fields.has("duration") and fields.raw("duration") not in good:
        fields.refuse("duration", "must be among duration_options")


def _status(call: EndpointCall, share: StoredShare) -> str:
    if share.link.used:
        return "booked"
    return "expired" if call.sandbox.clock.now() >= share.link.created_at + UNUSED_LIFE else "active"


def _share_json(call: EndpointCall, share: StoredShare) -> JsonObject:
    kind = call.records.event_types[share.link.event_type]
    return {
        "uri": share.uri,
        "status": _status(call, share),
        "contact": share.contact,
        "created_at": stamp(share.link.created_at),
        "scheduling_links": [{"booking_url": share.link.booking_url, "owner": kind.uri, "owner_type": "EventType"}],
        "share_override": {**_usual(call, kind), **share.settings},
    }


def _usual(call: EndpointCall, kind: StoredEventType) -> JsonObject:
    """Return the settings of the event type, which are in force where a share has none."""
    plan = schedule_json(schedule_of(call.records, kind, kind.owner))
    return {
        "name": kind.name,
        "duration": int(kind.duration),
        "duration_options": None if kind.duration_options is None else list(kind.duration_options),
        "period_type": "moving",
        "start_date": None,
        "end_date": None,
        "max_booking_time": 60,
        "min_booking_time": None,
        "hide_location": False,
        "location_configurations": [
            {
                "kind": place["kind"],
                **{name: place.get(name) for name in ("location", "additional_info", "phone_number")},
                "position": position,
            }
            for position, place in enumerate(kind.locations)
        ],
        "availability_rule": {"timezone": plan["timezone"], "rules": plan["rules"]},
    }


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/shares", ("shares:write",), 201, create_share),
    SandboxEndpoint("GET", "/shares", ("shares:read",), 200, list_shares),
    SandboxEndpoint("PATCH", "/shares/{uuid}", ("shares:write",), 200, update_share),
    SandboxEndpoint("DELETE", "/shares/{uuid}", ("shares:write",), 204, delete_share),
)
