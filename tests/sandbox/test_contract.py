"""Every endpoint against the facts about Calendly: what it accepts, answers and refuses, field by field."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial, reduce
from typing import cast

import jsonschema
import pytest

from tests.cases import each
from tests.sandbox.api import CALENDLY, MONDAY, Api, Json, iso, path_of
from tests.tools.facts import FACTS, example_of

SLOTS = {
    "start_time": iso(MONDAY + timedelta(hours=1)),
    "end_time": iso(MONDAY + timedelta(days=6)),
}

EACH = each("fact", FACTS)
ENTERPRISE = "Please upgrade your Calendly account to Enterprise."


class Example:
    """Builds a request that succeeds for every endpoint, from the resources of the sandbox."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def token(self, fact: Json) -> str:
        """Return whose token can send it."""
        return "enterprise" if fact["plan"] == "Enterprise" else "owner"

    async def path(self, fact: Json) -> str:
        """Return the path with ids of existing resources."""
        path: str = fact["path"]
        if path in MADE:
            return await MADE[path](self.api)
        return await of(self.api, path) if path in PATHS else path

    async def query(self, fact: Json) -> dict[str, str]:
        """Return the query of a list: what Calendly requires, and whose resources are meant where it may be either."""
        required = {parameter["name"] for parameter in fact["query_params"] if parameter["required"]}
        names = required | ({"user"} if fact["path"] in OF_USER else set[str]())
        names |= {"organization"} if fact["path"] == "/organization_memberships" else set[str]()
        return {name: await self._value(name, fact) for name in sorted(names)}

    async def _value(self, name: str, fact: Json) -> str:
        match name:
            case "organization":
                return str((await self.api.me(self.token(fact)))["current_organization"])
            case "user" | "event_type" | "contact" | "form":
                return await uri(self.api, name)
            case _:
                return {**SLOTS, "scope": "organization", "event": "invitee.created"}[name]

    async def body(self, fact: Json) -> Json:
        """Return the body of a POST or PATCH."""
        if fact["body"] is None:
            return None
        if fact["path"] in AS_DOCUMENTED:
            return fact["example_request"]["json"]
        if fact["path"] in BODIES:
            return await BODIES[fact["path"]](self.api)
        return PLAIN_BODIES.get(fact["path"]) or example_of(fact["path"], fact["body"])


AS_DOCUMENTED = {
    "/user_availability_schedules",
    "/user_availability_schedules/{uuid}",
    "/event_type_availability_schedules",
    "/user_meeting_limits",
}
OF_USER = {"/event_types", "/scheduled_events"}


_FOUND: dict[str, str] = {}


async def of(api: Api, name: str) -> str:
    """Return the path of a resource that the sandbox has at its start. It is looked up once: it stays the same."""
    if name not in _FOUND:
        _FOUND[name] = await (NAMED | PATHS)[name](api)
    return _FOUND[name]


async def uri(api: Api, name: str) -> str:
    """Return the URI of a resource that the sandbox has at its start."""
    return f"{CALENDLY}{await of(api, name)}"


async def first(api: Api, collection: str, **query: str) -> str:
    """Return the path of the first resource of a list that is asked for by organization, if by anything."""
    whose = {} if query else {"organization": await uri(api, "organization")}
    return path_of((await api.read(collection, **whose, **query))[0]["uri"])


async def _coming_event(api: Api) -> str:
    rows = await api.read("/scheduled_events", user=await uri(api, "user"), min_start_time=iso(MONDAY))
    return path_of(next(row for row in rows if row["status"] == "active")["uri"])


async def _made(api: Api, collection: str, body: Json) -> str:
    return path_of((await api.post(collection, body, "owner")).json()["resource"]["uri"])


async def _past_month(_api: Api) -> Json:
    return {"start_time": iso(MONDAY - timedelta(days=30)), "end_time": iso(MONDAY)}


async def _one_off(api: Api) -> Json:
    first, last = (str(MONDAY.date() + timedelta(days=days)) for days in (1, 5))
    dates = {"type": "date_range", "start_date": first, "end_date": last}
    return {"name": "Contract review", "host": await uri(api, "user"), "duration": 45, "date_setting": dates}


async def _link(api: Api) -> Json:
    return {"max_event_count": 1, "owner": await uri(api, "event_type"), "owner_type": "EventType"}


async def _subscription(api: Api) -> Json:
    return {
        "url": "https://hooks.northlight.example/other",
        "events": ["invitee.created"],
        "organization": await uri(api, "organization"),
        "user": await uri(api, "user"),
        "scope": "user",
    }


async def _event_type_made(api: Api) -> Json:
    return {"name": "Office hours", "owner": await uri(api, "user"), "duration": 15}


async def _share_made(api: Api) -> Json:
    return {"event_type": await uri(api, "event_type"), "duration": 15}


async def _mark(api: Api) -> Json:
    return {"invitee": await uri(api, INVITEE)}


async def _note_made(api: Api) -> Json:
    return {"contact": await uri(api, "contact"), "body": "Prefers mornings."}


BODIES: dict[str, Callable[[Api], Awaitable[Json]]] = {
    "/one_off_event_types": _one_off,
    "/invitees": Api.booking,
    "/scheduling_links": _link,
    "/webhook_subscriptions": _subscription,
    "/event_types": _event_type_made,
    "/shares": _share_made,
    "/invitee_no_shows": _mark,
    "/notes": _note_made,
    "/data_compliance/deletion/events": _past_month,
}
"""The bodies that need resources of the sandbox, by path."""

PLAIN_BODIES: dict[str, Json] = {
    "/event_types/{uuid}": {"active": False},
    "/shares/{uuid}": {"duration": 20},
    "/contacts": {"name": "Ola Nord", "emails": [{"email": "ola@nord.example", "is_primary": True}]},
    "/contacts/{uuid}": {"company": "Acme Ltd"},
    "/contacts/custom_field_definitions": {
        "label": "Region",
        "field_type": "single_select",
        "options": [{"label": "North"}],
    },
}


async def _of_me(api: Api, field: str) -> str:
    return path_of((await api.me())[field])


async def _beneath(api: Api, name: str, end: str) -> str:
    return f"{await of(api, name)}/{end}"


async def _invitee(api: Api) -> str:
    return await first(api, await of(api, INVITEES), count="1")


async def _invitation(api: Api) -> str:
    return await first(api, await of(api, "/organizations/{uuid}/invitations"), status="pending")


async def _schedule(api: Api) -> str:
    return await first(api, "/user_availability_schedules", user=await uri(api, "user"))


async def _membership(api: Api) -> str:
    organization = await uri(api, "organization")
    return await first(api, "/organization_memberships", organization=organization, role="user")


async def _webhook(api: Api) -> str:
    organization = await uri(api, "organization")
    return await first(api, "/webhook_subscriptions", organization=organization, scope="organization")


async def _submission(api: Api) -> str:
    return await first(api, "/routing_form_submissions", form=await uri(api, "form"))


async def _note(api: Api) -> str:
    return await first(api, "/notes", contact=await uri(api, "contact"))


async def _event_type(api: Api) -> str:
    return path_of((await api.event_type("Intro call"))["uri"])


async def _no_show(api: Api) -> str:
    return await _made(api, "/invitee_no_shows", await _mark(api))


async def _share(api: Api) -> str:
    return await _made(api, "/shares", {"event_type": await uri(api, "event_type")})


INVITEES = "/scheduled_events/{uuid}/invitees"
INVITEE = "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}"

Find = Callable[[Api], Awaitable[str]]

NAMED: dict[str, Find] = {
    "user": partial(_of_me, field="uri"),
    "organization": partial(_of_me, field="current_organization"),
    "event_type": _event_type,
    "contact": partial(first, collection="/contacts", email="lee@acme.example"),
    "form": partial(first, collection="/routing_forms"),
}
"""What a parameter of that name means."""

PATHS: dict[str, Find] = {
    "/users/{uuid}": NAMED["user"],
    "/event_types/{uuid}": NAMED["event_type"],
    "/scheduled_events/{uuid}": _coming_event,
    "/scheduled_events/{uuid}/cancellation": partial(_beneath, name="/scheduled_events/{uuid}", end="cancellation"),
    INVITEES: partial(_beneath, name="/scheduled_events/{uuid}", end="invitees"),
    INVITEE: _invitee,
    "/user_availability_schedules/{uuid}": _schedule,
    "/organizations/{uuid}": NAMED["organization"],
    "/contacts/{uuid}": NAMED["contact"],
    "/contacts/custom_field_definitions/{uuid}": partial(
        first, collection="/contacts/custom_field_definitions", count="1"
    ),
    "/contact_lists/{uuid}": partial(first, collection="/contact_lists", type="static_list"),
    "/notes/{uuid}": _note,
    "/teams/{team_uuid}": partial(first, collection="/teams"),
    "/groups/{uuid}": partial(first, collection="/groups"),
    "/group_relationships/{uuid}": partial(first, collection="/group_relationships"),
    "/meeting_recaps/{uuid}": partial(first, collection="/meeting_recaps", count="1"),
    "/meeting_recaps/{uuid}/transcript": partial(_beneath, name="/meeting_recaps/{uuid}", end="transcript"),
    "/routing_forms/{uuid}": NAMED["form"],
    "/routing_form_submissions/{uuid}": _submission,
    "/organization_memberships/{uuid}": _membership,
    "/organizations/{uuid}/invitations": partial(_beneath, name="organization", end="invitations"),
    "/organizations/{org_uuid}/invitations/{uuid}": _invitation,
    "/webhook_subscriptions/{webhook_uuid}": _webhook,
}
"""The paths of resources that the sandbox has at its start."""

MADE: dict[str, Find] = {"/invitee_no_shows/{uuid}": _no_show, "/shares/{uuid}": _share}
"""The paths of resources that have to be made."""


async def send(
    api: Api, fact: Json, token: str | None = None, *, path: str | None = None, body: Json = None, **query: str
) -> Json:
    """Send the example request of an endpoint, with changes."""
    example = Example(api)
    address = path or await example.path(fact)
    return await api.http.request(
        fact["method"],
        address,
        params={**await example.query(fact), **query},
        json=await example.body(fact) if body is None else body,
        headers=_bearer(token or example.token(fact)),
    )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer sandbox-pat-{token}"}


def fits(value: object, schema: Json) -> bool:
    """Return whether a value has a shape."""
    try:
        jsonschema.validate(cast("Json", value), schema, jsonschema.Draft202012Validator)
    except jsonschema.ValidationError:
        return False
    return True


def unknown_fields(value: object, schema: Json, place: str = "") -> list[str]:
    """Return the fields of an answer that the facts do not list."""
    if "oneOf" in schema:
        fitting = [one for one in schema["oneOf"] if fits(value, one)]
        return unknown_fields(value, fitting[0], place) if fitting else [place]
    if isinstance(value, list):
        rows = cast("list[object]", value)
        return [found for row in rows for found in unknown_fields(row, schema.get("items", {}), f"{place}[]")]
    known = schema.get("properties")
    if not isinstance(value, dict) or not known:
        return []  # of an object without known fields the facts say that it may have any
    members = cast("dict[str, object]", value)
    return [
        found
        for name, inner in members.items()
        for found in (unknown_fields(inner, known[name], f"{place}.{name}") if name in known else [f"{place}.{name}"])
    ]


@pytest.mark.requirement("sandbox-endpoints", "sandbox-limits")
@EACH
async def test_a_success_has_the_status_and_the_shape_of_the_facts_and_counts_down_the_rate_limit(
    api: Api, fact: Json
) -> None:
    await api.control("reset", {})
    refused, answer = await send(api, fact, "noscopes"), await send(api, fact)
    assert answer.status_code == fact["success_status"], answer.text
    if fact["response"] is None:
        assert answer.content == b""
    else:
        jsonschema.validate(answer.json(), fact["response"], jsonschema.Draft202012Validator)
        assert unknown_fields(answer.json(), fact["response"]) == []
    assert refused.headers["X-RateLimit-Limit"] == answer.headers["X-RateLimit-Limit"] == "500"
    if fact["plan"] != "Enterprise":  # there the second call is another person's
        assert int(answer.headers["X-RateLimit-Remaining"]) < int(refused.headers["X-RateLimit-Remaining"])
    assert 0 < int(answer.headers["X-RateLimit-Reset"]) <= 60
    assert "Retry-After" not in answer.headers


@pytest.mark.requirement("sandbox-tokens", "sandbox-scopes")
@EACH
async def test_a_token_without_scopes_is_told_which_scope_it_needs(api: Api, fact: Json) -> None:
    answer = await send(api, fact, "noscopes")
    assert answer.status_code == 403
    assert answer.json() == {
        "title": "Insufficient scope",
        "message": "This operation requires the scopes listed in the 'required_scopes' array.",
        "required_scopes": [fact["scope"]],
    }


@pytest.mark.requirement("sandbox-tokens", "sandbox-scopes")
@EACH
async def test_a_token_with_read_scopes_reads_everything_and_writes_nothing(api: Api, fact: Json) -> None:
    answer = await send(api, fact, "readonly")
    if fact["access"] == "read" and fact["plan"] == "Enterprise":
        assert answer.json()["message"] == ENTERPRISE  # the token is of another organization
    elif fact["access"] == "read":
        assert answer.status_code == fact["success_status"], answer.text
    else:
        assert answer.status_code == 403
        assert answer.json()["required_scopes"] == [fact["scope"]]


@pytest.mark.requirement("sandbox-tokens")
@EACH
async def test_a_token_from_before_scopes_has_every_scope(api: Api, fact: Json) -> None:
    await api.control("reset", {})
    answer = await send(api, fact, "legacy")
    if fact["plan"] == "Enterprise":
        assert answer.json()["message"] == ENTERPRISE
    else:
        assert answer.status_code == fact["success_status"], answer.text


@EACH
async def test_an_unknown_token_is_refused_everywhere(api: Api, fact: Json) -> None:
    await api.control("limits", {"per_minute": 100_000})
    answer = await send(api, fact, "nobody")
    assert answer.status_code == 401
    assert answer.json() == {"title": "Unauthenticated", "message": "The access token is invalid"}


@each("fact", [fact for fact in FACTS if fact["path"].endswith("}") or "}/" in fact["path"]])
@each("identifier", ["00000000-0000-4000-8000-000000000000", "nonsense", "..%2f", "ABCDEFGHIJKLMNOP"])
async def test_an_unknown_id_is_not_found(api: Api, fact: Json, identifier: str) -> None:
    await api.control("limits", {"per_minute": 100_000})
    organization = path_of((await api.me())["current_organization"]).rpartition("/")[2]
    path = fact["path"].replace("{org_uuid}", organization)
    for name in ("uuid", "event_uuid", "invitee_uuid", "webhook_uuid", "team_uuid"):
        path = path.replace(f"{{{name}}}", identifier)
    answer = await send(api, fact, path=path)
    assert answer.status_code == 404
    assert answer.json() == {
        "title": "Resource Not Found",
        "message": "The server could not find the requested resource.",
    }


QUERIES = [(fact, parameter) for fact in FACTS for parameter in fact["query_params"]]
FREE_TEXTS = {"search_term", "namespace", "action"}
FORMED = [(fact, one) for fact, one in QUERIES if one["name"] not in FREE_TEXTS and "match" not in one.get("notes", "")]


@pytest.mark.requirement("sandbox-validation")
@each("fact, parameter", FORMED)
async def test_a_malformed_parameter_is_named_in_the_details(api: Api, fact: Json, parameter: Json) -> None:
    answer = await send(api, fact, **{parameter["name"]: "(nonsense)"})
    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Argument"
    assert parameter["name"] in {detail["parameter"] for detail in answer.json()["details"]}


# Parameters that say whose resources are meant. Webhooks need the user only with scope=user.
WHOSE = [
    (fact, parameter["name"])
    for fact, parameter in QUERIES
    if parameter["name"] in {"user", "organization", "event_type"}
    and (parameter["name"] != "user" or "webhook" not in fact["path"])
    and (parameter["name"] != "event_type" or fact["path"] != "/shares")  # there it gives an empty list
]


@each("fact, whose", WHOSE)
async def test_a_uri_that_names_nothing_is_not_found(api: Api, fact: Json, whose: str) -> None:
    answer = await send(api, fact, **{whose: f"{CALENDLY}/{whose}s/00000000-0000-4000-8000-000000000000"})
    assert answer.status_code == 404


REQUIRED = [(fact, parameter) for fact, parameter in QUERIES if parameter["required"]]


@each("fact, parameter", REQUIRED)
async def test_a_missing_parameter_is_named_in_the_details(api: Api, fact: Json, parameter: Json) -> None:
    answer = await send(api, fact, **{parameter["name"]: ""})
    assert answer.status_code == 400
    assert {"parameter": parameter["name"], "message": "must be filled"} in answer.json()["details"]


SORTABLE = [
    (fact, field, direction)
    for fact, parameter in QUERIES
    if parameter["name"] == "sort"
    for field in parameter.get("enum_fields", [])
    for direction in parameter["directions"]
]


@each("fact, field, direction", SORTABLE)
async def test_lists_sort_by_every_field_the_facts_name(api: Api, fact: Json, field: str, direction: str) -> None:
    rows = (await send(api, fact, sort=f"{field}:{direction}", count="100")).json()["collection"]
    values = [reduce(lambda inner, name: inner.get(name, ""), field.split("."), row) for row in rows]
    assert rows
    assert values == sorted(values, reverse=direction == "desc")


BODY_FIELDS = [(fact, field) for fact in FACTS if fact["body"] for field in fact["body"]["required"]]


@pytest.mark.requirement("sandbox-validation")
@each("fact, field", BODY_FIELDS)
async def test_a_missing_body_field_is_named_in_the_details(api: Api, fact: Json, field: str) -> None:
    example = Example(api)
    body = {name: value for name, value in (await example.body(fact)).items() if name != field}
    answer = await send(api, fact, body=body)
    assert answer.status_code == 400
    assert {"parameter": field, "message": "must be filled"} in answer.json()["details"]


POSTS = [fact for fact in FACTS if fact["body"]]


@each("fact", POSTS)
@each("text", [b"{", b"[]", b"7", b"\xff", b'{"x":"\\ud800"}', b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(api: Api, fact: Json, text: bytes) -> None:
    example = Example(api)
    answer = await api.http.request(
        fact["method"],
        await example.path(fact),
        content=text,
        headers=_bearer(example.token(fact)),
    )
    assert answer.status_code == 400
    assert answer.json()["details"] == [{"message": "The request body must be a JSON object."}]


@pytest.mark.requirement("uris-are-calendlys")
async def test_resource_uris_are_calendlys_own_whatever_the_address(api: Api) -> None:
    for fact in FACTS:
        if fact["method"] == "GET" and fact["path"] not in {
            "/locations",
            "/user_meeting_limits",
            "/shares",
        }:  # they name none
            text = (await send(api, fact)).text
            assert "127.0.0.1" not in text
            assert CALENDLY in text or "available" in text


WRITTEN = [
    (fact, name, schema)
    for fact in FACTS
    if fact["path"] in {"/event_types", "/event_types/{uuid}", "/shares", "/shares/{uuid}"} and fact["body"]
    for name, schema in fact["body"]["properties"].items()
    if name not in {"contact", "description"}
]


ZONED = {"timezone": "Europe/Berlin"}
MONDAYS = {"type": "wday", "wday": "monday"}
NINE_TO_FIVE = {"from": "09:00", "to": "17:00"}
WRONG_RULES: list[object] = [
    7,
    [7],
    [{**MONDAYS, "intervals": 7}],
    [{**MONDAYS, "intervals": [{"from": 9, "to": 17}]}],
    [{**MONDAYS, "intervals": [{"from": "17:00", "to": "09:00"}]}],
    [{**MONDAYS, "intervals": [NINE_TO_FIVE, {"from": "12:00", "to": "13:00"}]}],
    [{**MONDAYS, "intervals": []}, {**MONDAYS, "intervals": []}],
    [{"type": "date", "date": "soon", "intervals": []}],
    [{**MONDAYS, "intervals": [NINE_TO_FIVE]}],
]


def wrong_values(schema: Json) -> list[object]:
    """Return values that do not fit what Calendly says of a body field."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    wrong: dict[str, list[object]] = {
        "string": [7] if schema.get("format") or "enum" not in schema else [7, "sideways"],
        "integer": ["x", 1.5, -1, True],
        "boolean": ["yes"],
        "array": [7, ["x"]],
        "object": [7, {}, {"timezone": "Nowhere", "rules": []}, *({**ZONED, "rules": rules} for rules in WRONG_RULES)],
    }
    return wrong[kinds[0]]


@pytest.mark.requirement("sandbox-validation")
@each("fact, name, schema", WRITTEN)
async def test_a_malformed_body_field_is_named_in_the_details(api: Api, fact: Json, name: str, schema: Json) -> None:
    await api.control("limits", {"per_minute": 100_000})
    example = Example(api)
    address, body = await example.path(fact), await example.body(fact)
    for value in wrong_values(schema):
        answer = await api.http.request(
            fact["method"], address, json={**body, name: value}, headers=_bearer(example.token(fact))
        )
        assert answer.status_code == 400, (value, answer.text)
        named = {detail["parameter"].partition(".")[0] for detail in answer.json()["details"]}
        assert name in named, (value, answer.text)
