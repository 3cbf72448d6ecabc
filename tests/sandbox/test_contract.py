"""Every endpoint against the facts about Calendly: what it accepts, answers and refuses, field by field."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import reduce
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
        fill = PATHS.get(fact["path"])
        return fact["path"] if fill is None else await fill(self.api)

    async def query(self, fact: Json) -> dict[str, str]:
        """Return the query of a list: what Calendly requires, and whose resources are meant where it may be either."""
        required = {parameter["name"] for parameter in fact["query_params"] if parameter["required"]}
        names = required | ({"user"} if fact["path"] in OF_USER else set[str]())
        names |= {"organization"} if fact["path"] == "/organization_memberships" else set[str]()
        return {name: await self._value(name, fact) for name in sorted(names)}

    async def _value(self, name: str, fact: Json) -> str:
        match name:
            case "user":
                return str((await self.api.me())["uri"])
            case "organization":
                return str((await self.api.me(self.token(fact)))["current_organization"])
            case "event_type":
                return str((await self.api.event_type("Intro call"))["uri"])
            case "contact":
                return await _lee(self.api)
            case "form":
                return await _first(self.api, "/routing_forms")
            case _:
                return {**SLOTS, "scope": "organization", "event": "invitee.created"}[name]

    async def body(self, fact: Json) -> Json:
        """Return the body of a POST or PATCH."""
        if fact["body"] is None:
            return None
        if fact["path"] in AS_DOCUMENTED:
            return fact["example_request"]["json"]
        made = BODIES.get(fact["path"])
        return example_of(fact["path"], fact["body"]) if made is None else await made(self.api)


AS_DOCUMENTED = {
    "/user_availability_schedules",
    "/user_availability_schedules/{uuid}",
    "/event_type_availability_schedules",
    "/user_meeting_limits",
}
OF_USER = {"/event_types", "/scheduled_events"}


async def _one_off(api: Api) -> Json:
    first, last = (str(MONDAY.date() + timedelta(days=days)) for days in (1, 5))
    dates = {"type": "date_range", "start_date": first, "end_date": last}
    return {"name": "Contract review", "host": (await api.me())["uri"], "duration": 45, "date_setting": dates}


async def _link(api: Api) -> Json:
    return {
        "max_event_count": 1,
        "owner": (await api.event_type("Intro call"))["uri"],
        "owner_type": "EventType",
    }


async def _subscription(api: Api) -> Json:
    me = await api.me()
    return {
        "url": "https://hooks.northlight.example/other",
        "events": ["invitee.created"],
        "organization": me["current_organization"],
        "user": me["uri"],
        "scope": "user",
    }


async def _event_type_made(api: Api) -> Json:
    return {"name": "Office hours", "owner": (await api.me())["uri"], "duration": 15}


async def _event_type_changed(_api: Api) -> Json:
    return {"active": False}


async def _share_made(api: Api) -> Json:
    return {"event_type": (await api.event_type("Intro call"))["uri"], "duration": 15}


async def _share_changed(_api: Api) -> Json:
    return {"duration": 20}


async def _mark(api: Api) -> Json:
    return {"invitee": f"{CALENDLY}{await _invitee(api)}"}


async def _contact_made(_api: Api) -> Json:
    return {"name": "Ola Nord", "emails": [{"email": "ola@nord.example", "is_primary": True}]}


async def _contact_changed(_api: Api) -> Json:
    return {"company": "Acme Ltd"}


async def _custom_field(_api: Api) -> Json:
    return {"label": "Region", "field_type": "single_select", "options": [{"label": "North"}]}


async def _lee(api: Api) -> str:
    return str((await api.read("/contacts", email="lee@acme.example"))[0]["uri"])


async def _note_made(api: Api) -> Json:
    return {"contact": await _lee(api), "body": "Prefers mornings."}


async def _past_month(_api: Api) -> Json:
    return {"start_time": iso(MONDAY - timedelta(days=30)), "end_time": iso(MONDAY)}


BODIES: dict[str, Callable[[Api], Awaitable[Json]]] = {
    "/one_off_event_types": _one_off,
    "/invitees": Api.booking,
    "/scheduling_links": _link,
    "/webhook_subscriptions": _subscription,
    "/event_types": _event_type_made,
    "/event_types/{uuid}": _event_type_changed,
    "/shares": _share_made,
    "/shares/{uuid}": _share_changed,
    "/invitee_no_shows": _mark,
    "/contacts": _contact_made,
    "/contacts/{uuid}": _contact_changed,
    "/contacts/custom_field_definitions": _custom_field,
    "/notes": _note_made,
    "/data_compliance/deletion/events": _past_month,
}
"""The bodies that need resources of the sandbox, by path."""


async def _user(api: Api) -> str:
    return path_of((await api.me())["uri"])


async def _event_type(api: Api) -> str:
    return path_of((await api.event_type("Intro call"))["uri"])


async def _coming_event(api: Api) -> str:
    rows = await api.read("/scheduled_events", user=(await api.me())["uri"], min_start_time=iso(MONDAY))
    return path_of(next(row for row in rows if row["status"] == "active")["uri"])


async def _invitees(api: Api) -> str:
    return f"{await _coming_event(api)}/invitees"


async def _invitee(api: Api) -> str:
    return path_of((await api.read(await _invitees(api)))[0]["uri"])


async def _cancellation(api: Api) -> str:
    return f"{await _coming_event(api)}/cancellation"


async def _schedule(api: Api) -> str:
    return path_of((await api.read("/user_availability_schedules", user=(await api.me())["uri"]))[0]["uri"])


async def _membership(api: Api) -> str:
    organization = (await api.me())["current_organization"]
    rows = await api.read("/organization_memberships", organization=organization, role="user")
    return path_of(rows[0]["uri"])


async def _invitations(api: Api) -> str:
    return f"{path_of((await api.me())['current_organization'])}/invitations"


async def _invitation(api: Api) -> str:
    return path_of((await api.read(await _invitations(api), status="pending"))[0]["uri"])


async def _webhook(api: Api) -> str:
    organization = (await api.me())["current_organization"]
    rows = await api.read("/webhook_subscriptions", organization=organization, scope="organization")
    return path_of(rows[0]["uri"])


async def _first(api: Api, collection: str, **query: str) -> str:
    """Return the URI of the first resource of a list that is asked for by organization, if by anything."""
    whose = {} if query else {"organization": (await api.me())["current_organization"]}
    return str((await api.read(collection, **whose, **query))[0]["uri"])


async def _organization(api: Api) -> str:
    return path_of((await api.me())["current_organization"])


async def _team(api: Api) -> str:
    return path_of(await _first(api, "/teams"))


async def _group(api: Api) -> str:
    return path_of(await _first(api, "/groups"))


async def _group_relationship(api: Api) -> str:
    return path_of(await _first(api, "/group_relationships"))


async def _routing_form(api: Api) -> str:
    return path_of(await _first(api, "/routing_forms"))


async def _submission(api: Api) -> str:
    return path_of(await _first(api, "/routing_form_submissions", form=await _first(api, "/routing_forms")))


async def _contact(api: Api) -> str:
    return path_of(await _lee(api))


async def _custom_field_there(api: Api) -> str:
    return path_of((await api.read("/contacts/custom_field_definitions"))[0]["uri"])


async def _contact_list(api: Api) -> str:
    return path_of((await api.read("/contact_lists", type="static_list"))[0]["uri"])


async def _note(api: Api) -> str:
    return path_of((await api.read("/notes", contact=await _lee(api)))[0]["uri"])


async def _recap(api: Api) -> str:
    return path_of((await api.read("/meeting_recaps"))[0]["uri"])


async def _transcript(api: Api) -> str:
    return f"{await _recap(api)}/transcript"


async def _no_show(api: Api) -> str:
    made = await api.post("/invitee_no_shows", {"invitee": f"{CALENDLY}{await _invitee(api)}"}, "owner")
    return path_of(made.json()["resource"]["uri"])


async def _share(api: Api) -> str:
    made = await api.post("/shares", {"event_type": (await api.event_type("Intro call"))["uri"]}, "owner")
    return path_of(made.json()["resource"]["uri"])


PATHS: dict[str, Callable[[Api], Awaitable[str]]] = {
    "/users/{uuid}": _user,
    "/event_types/{uuid}": _event_type,
    "/scheduled_events/{uuid}": _coming_event,
    "/scheduled_events/{uuid}/cancellation": _cancellation,
    "/scheduled_events/{uuid}/invitees": _invitees,
    "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}": _invitee,
    "/user_availability_schedules/{uuid}": _schedule,
    "/invitee_no_shows/{uuid}": _no_show,
    "/shares/{uuid}": _share,
    "/organizations/{uuid}": _organization,
    "/contacts/{uuid}": _contact,
    "/contacts/custom_field_definitions/{uuid}": _custom_field_there,
    "/contact_lists/{uuid}": _contact_list,
    "/notes/{uuid}": _note,
    "/teams/{team_uuid}": _team,
    "/groups/{uuid}": _group,
    "/group_relationships/{uuid}": _group_relationship,
    "/meeting_recaps/{uuid}": _recap,
    "/meeting_recaps/{uuid}/transcript": _transcript,
    "/routing_forms/{uuid}": _routing_form,
    "/routing_form_submissions/{uuid}": _submission,
    "/organization_memberships/{uuid}": _membership,
    "/organizations/{uuid}/invitations": _invitations,
    "/organizations/{org_uuid}/invitations/{uuid}": _invitation,
    "/webhook_subscriptions/{webhook_uuid}": _webhook,
}


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


@pytest.mark.requirement("sandbox-endpoints")
@EACH
@pytest.mark.anyio
async def test_a_success_has_the_status_and_the_shape_of_the_facts(api: Api, fact: Json) -> None:
    await api.control("reset", {})
    answer = await send(api, fact)
    assert answer.status_code == fact["success_status"], answer.text
    if fact["response"] is None:
        assert answer.content == b""
    else:
        jsonschema.validate(answer.json(), fact["response"], jsonschema.Draft202012Validator)
        assert unknown_fields(answer.json(), fact["response"]) == []


@pytest.mark.requirement("sandbox-limits")
@EACH
@pytest.mark.anyio
async def test_every_answer_counts_down_the_rate_limit(api: Api, fact: Json) -> None:
    await api.control("reset", {})
    first, second = await send(api, fact, "noscopes"), await send(api, fact)
    assert first.headers["X-RateLimit-Limit"] == second.headers["X-RateLimit-Limit"] == "500"
    if fact["plan"] != "Enterprise":  # there the second call is another person's
        assert int(second.headers["X-RateLimit-Remaining"]) < int(first.headers["X-RateLimit-Remaining"])
    assert 0 < int(second.headers["X-RateLimit-Reset"]) <= 60
    assert "Retry-After" not in second.headers


@pytest.mark.requirement("sandbox-tokens", "sandbox-scopes")
@EACH
@pytest.mark.anyio
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
@pytest.mark.anyio
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
@pytest.mark.anyio
async def test_a_token_from_before_scopes_has_every_scope(api: Api, fact: Json) -> None:
    await api.control("reset", {})
    answer = await send(api, fact, "legacy")
    if fact["plan"] == "Enterprise":
        assert answer.json()["message"] == ENTERPRISE
    else:
        assert answer.status_code == fact["success_status"], answer.text


@EACH
@pytest.mark.anyio
async def test_an_unknown_token_is_refused_everywhere(api: Api, fact: Json) -> None:
    await api.control("limits", {"per_minute": 100_000})
    answer = await send(api, fact, "nobody")
    assert answer.status_code == 401
    assert answer.json() == {"title": "Unauthenticated", "message": "The access token is invalid"}


@each("fact", [fact for fact in FACTS if fact["path"].endswith("}") or "}/" in fact["path"]])
@each("identifier", ["00000000-0000-4000-8000-000000000000", "nonsense", "..%2f", "ABCDEFGHIJKLMNOP"])
@pytest.mark.anyio
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
@pytest.mark.anyio
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
@pytest.mark.anyio
async def test_a_uri_that_names_nothing_is_not_found(api: Api, fact: Json, whose: str) -> None:
    answer = await send(api, fact, **{whose: f"{CALENDLY}/{whose}s/00000000-0000-4000-8000-000000000000"})
    assert answer.status_code == 404


REQUIRED = [(fact, parameter) for fact, parameter in QUERIES if parameter["required"]]


@each("fact, parameter", REQUIRED)
@pytest.mark.anyio
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
@pytest.mark.anyio
async def test_lists_sort_by_every_field_the_facts_name(api: Api, fact: Json, field: str, direction: str) -> None:
    rows = (await send(api, fact, sort=f"{field}:{direction}", count="100")).json()["collection"]
    values = [reduce(lambda inner, name: inner.get(name, ""), field.split("."), row) for row in rows]
    assert rows
    assert values == sorted(values, reverse=direction == "desc")


BODY_FIELDS = [(fact, field) for fact in FACTS if fact["body"] for field in fact["body"]["required"]]


@pytest.mark.requirement("sandbox-validation")
@each("fact, field", BODY_FIELDS)
@pytest.mark.anyio
async def test_a_missing_body_field_is_named_in_the_details(api: Api, fact: Json, field: str) -> None:
    example = Example(api)
    body = {name: value for name, value in (await example.body(fact)).items() if name != field}
    answer = await send(api, fact, body=body)
    assert answer.status_code == 400
    assert {"parameter": field, "message": "must be filled"} in answer.json()["details"]


POSTS = [fact for fact in FACTS if fact["body"]]


@each("fact", POSTS)
@each("text", [b"{", b"[]", b"7", b"\xff", b'{"x":"\\ud800"}', b"[" * 100_000])
@pytest.mark.anyio
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
@pytest.mark.anyio
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
@pytest.mark.anyio
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
