"""POST /one_off_event_types: an event type that is bookable on given dates or in given spots."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import permission_denied
from sandbox.records.as_json import JsonObject, event_type_json
from sandbox.records.event_types import DateLimits, StoredEventType
from sandbox.records.identifiers import PAGES, id_of, new_code, new_id
from sandbox.records.slots import TimeSpan
from sandbox.requests.fields import InputFields, objects_in, read_time, texts_in
from sandbox.requests.permissions import FOREIGN_USER, known_user, require_user

LONGEST_NAME: Final = 55
LONGEST_MINUTES: Final = 720
MOST_CO_HOSTS: Final = 9
MOST_DAYS: Final = 365
LOCATION_KINDS: Final = (
    "physical",
    "inbound_call",
    "custom",
    "ask_invitee",
    "outbound_call",
    "google_conference",
    "gotomeeting_conference",
    "microsoft_teams_conference",
    "webex_conference",
    "zoom_conference",
)


def create_one_off_event_type(call: EndpointCall) -> JsonObject:
    """Create a one-off event type. The host is the caller or a member whom the caller administers."""
    fields = call.body_fields()
    name = fields.text("name", required=True, most=LONGEST_NAME)
    host_id = fields.reference("host", "users", required=True)
    co_hosts = _read_co_hosts(fields)
    duration = fields.number("duration", least=1, most=LONGEST_MINUTES, required=True)
    timezone = fields.timezone("timezone")
    location = _read_location(fields)
    setting = fields.within("date_setting", required=True)
    if setting is None or duration is None or not fields.good:
        raise fields.refusal()
    host = known_user(call.records, host_id)
    require_user(call.caller, host)
    for co_host in co_hosts:
        if known_user(call.records, co_host).organization != host.organization:
            raise permission_denied(FOREIGN_USER)
    now = call.sandbox.clock.now()
    limits = _read_date_limits(setting, timezone or host.timezone, now)
    if limits is None or not fields.good:
        raise fields.refusal()
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    kind = StoredEventType(
        id=new_id(),
        owner=host.id,
        hosts=(host.id, *co_hosts),
        organization=host.organization,
        name=name,
        slug=None,
        scheduling_url=f"{PAGES}/d/{new_code()}/{'-'.join(words)}",
        duration=duration,
        created_at=now,
        updated_at=now,
        pooling_type="collective" if co_hosts else None,
        locations=() if location is None else (location,),
        secret=True,
        increment=None,
        date_limits=limits,
    )
    call.records.event_types[kind.id] = kind
    call.sandbox.announce_event_type("event_type.created", kind)
    return {"resource": event_type_json(call.records, kind)}


def _read_co_hosts(fields: InputFields) -> tuple[str, ...]:
    if not fields.has("co_hosts"):
        return ()
    found = [id_of(one, "users") for one in texts_in(fields.raw("co_hosts")) or [""]]
    known = tuple(one for one in found if one is not None)
    if len(known) < len(found) or len(found) > MOST_CO_HOSTS:
        fields.refuse("co_hosts", f"must be at most {MOST_CO_HOSTS} URIs of users")
    return known


def _read_location(fields: InputFields) -> Mapping[str, str] | None:
    place = fields.within("location")
    if place is None:
        return None
    kind = place.choice("kind", LOCATION_KINDS, required=True)
    read = {
        "kind": kind,
        "location": place.text("location"),
        "additional_info": place.text("additional_info"),
        "phone_number": place.text("phone_number", required=kind == "inbound_call"),
    }
    return {key: value for key, value in read.items() if value}


def _read_date_limits(setting: InputFields, timezone: str, now: datetime) -> DateLimits | None:
    """Read a range of dates, a number of days from now, or single spots; return None for any other type."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    match setting.choice("type", ("date_range", "days_in_future", "spots"), required=True):
        case "date_range":
            return _read_date_range(setting, timezone, today)
        case "days_in_future":
            return _read_days_in_future(setting, timezone, today)
        case "spots":
            spots = _read_spots(setting.raw("spots", required=True))
            if not spots:
                setting.refuse("spots", "must be a list of start_time and end_time in the future")
            return DateLimits(timezone, today, date.max, spots=spots)
        case _:
            return None


def _read_date_range(setting: InputFields, timezone: str, today: date) -> DateLimits:
    first, last = setting.date("start_date"), setting.date("end_date")
    if first >= last:
        setting.refuse("start_date", "must be before end_date")
    elif last <= today:
        setting.refuse("end_date", "must be in the future")
    elif last - first >= timedelta(days=MOST_DAYS):
        setting.refuse("end_date", f"must be less than {MOST_DAYS} days after start_date")
    return DateLimits(timezone, first, last)


def _read_days_in_future(setting: InputFields, timezone: str, today: date) -> DateLimits:
    days = setting.whole_number("days", least=0, most=MOST_DAYS, required=True) or 0
    only_weekdays = setting.boolean("only_weekdays", required=True)
    return DateLimits(timezone, today, today + timedelta(days=days), only_weekdays=only_weekdays)


def _read_spots(value: object) -> tuple[TimeSpan, ...]:
    """Read the spots. Return none when one of them is no time range."""
    read = [(read_time(row.get("start_time")), read_time(row.get("end_time"))) for row in objects_in(value) or []]
    spots = [TimeSpan(start, end) for start, end in read if start is not None and end is not None and start < end]
    return tuple(spots) if len(spots) == len(read) else ()


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/one_off_event_types", ("event_types:write",), 201, create_one_off_event_type),
)
