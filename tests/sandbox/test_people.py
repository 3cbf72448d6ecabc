"""Users, memberships and invitations: who can see and change them."""

import pytest

from sandbox.seed.account import LEGACY_USER_ID
from tests.sandbox.api import CALENDLY, OWNER, Api, Json, path_of, sign_in

ACTION = "You do not have permission to perform this action"


async def members(api: Api, token: str = OWNER, **query: str) -> Json:
    organization = (await api.me())["current_organization"]
    return await api.read("/organization_memberships", token, organization=organization, **query)


async def invitations(api: Api) -> str:
    return f"{path_of((await api.me())['current_organization'])}/invitations"


async def test_a_person_is_read_by_themselves_and_by_administrators(api: Api) -> None:
    owner, member = [path_of((await api.me(token))["uri"]) for token in ("owner", "member")]
    for address, token, status in (
        (member, "member", 200),
        (member, "admin", 200),
        (owner, "member", 403),
        (owner, "free", 403),
    ):
        answer = await api.get(address, token)
        assert answer.status_code == status
        if status == 403:
            assert answer.json() == {
                "title": "Permission Denied",
                "message": "You do not have permission to access this resource.",
            }


async def test_an_account_from_before_uuids_has_an_upper_case_id(api: Api) -> None:
    person = await api.read(f"/users/{LEGACY_USER_ID}")
    assert person["uri"] == f"{CALENDLY}/users/{LEGACY_USER_ID}"
    rows = await api.read("/user_availability_schedules", user=person["uri"])
    assert rows[0]["user"] == person["uri"]


async def test_members_are_narrowed_by_role_email_and_person(api: Api) -> None:
    assert [row["role"] for row in await members(api)] == ["owner", "admin", "user", "user"]
    assert len(await members(api, role="user")) == 2
    priya = (await members(api, email="PRIYA@northlight.example"))[0]
    assert priya["user"]["name"] == "Priya Raman"
    assert "current_organization" not in priya["user"]
    assert [row["uri"] for row in await members(api, user=priya["user"]["uri"])] == [priya["uri"]]
    assert await api.read(priya["uri"], "member") == priya


async def test_a_plain_member_sees_no_membership_but_their_own(api: Api) -> None:
    me = await api.me("member")
    own = await api.read("/organization_memberships", "member", user=me["uri"])
    assert len(own) == 1
    assert len(await api.read("/organization_memberships", "member", user=me["uri"], **organization_of(me))) == 1
    other = (await members(api, role="owner"))[0]
    for answer in (
        await api.get("/organization_memberships", "member", **organization_of(me)),
        await api.get("/organization_memberships", "member", user=other["user"]["uri"]),
        await api.get(path_of(other["uri"]), "member"),
        await api.get(path_of(other["uri"]), "enterprise"),
    ):
        assert (answer.status_code, answer.json()["message"]) == (403, "This user is not in your organization")
    answer = await api.get("/organization_memberships", email=me["email"])
    assert {detail["parameter"] for detail in answer.json()["details"]} == {"organization", "user"}


def organization_of(person: Json) -> dict[str, str]:
    return {"organization": person["current_organization"]}


@pytest.mark.requirement("sandbox-roles")
async def test_who_may_be_removed_by_whom(api: Api) -> None:
    owner, admin, member, _ = [path_of(row["uri"]) for row in await members(api)]
    for address, token, message in (
        (member, "member", ACTION),
        (owner, "admin", "You can not change owner role"),
        (admin, "admin", "You can not remove yourself from organization"),
        (member, "enterprise", "You cannot modify members from another organization"),
    ):
        answer = await api.delete(address, token)
        assert (answer.status_code, answer.json()["message"]) == (403, message)


async def test_a_removed_member_keeps_an_account_and_past_but_leaves_the_organization(api: Api) -> None:
    northlight = (await api.me())["current_organization"]
    member = (await members(api, email="priya@northlight.example"))[0]
    before = await api.read("/scheduled_events", "member", user=member["user"]["uri"])
    assert (await api.delete(member["uri"], "admin")).status_code == 204
    assert (await api.get(member["uri"])).status_code == 404
    assert len(await members(api)) == 3
    gone = await api.me("member")
    assert gone["current_organization"] != northlight
    assert await api.read("/scheduled_events", "member", user=gone["uri"]) == before
    assert (await api.get("/scheduled_events", "member", organization=northlight)).status_code == 403
    assert await api.read("/event_types", "member", user=gone["uri"]) == []
    triage = await api.event_type("Support triage")
    assert await api.slots(triage["uri"])
    assert (await api.get("/users/me", "member")).headers["X-RateLimit-Limit"] == "50"


async def test_an_invitation_is_mailed_read_and_revoked(api: Api) -> None:
    path = await invitations(api)
    answer = await api.post(path, {"email": "someone@northlight.example"}, "admin")
    assert answer.status_code == 201
    invited = answer.json()["resource"]
    assert (invited["status"], invited["last_sent_at"]) == ("pending", invited["created_at"])
    assert "user" not in invited
    mail = (await api.http.get("/_sandbox/outbox")).json()[0]
    assert (mail["to"], mail["about"]) == ("someone@northlight.example", invited["uri"])
    assert await api.read(invited["uri"]) == invited
    assert (await api.delete(invited["uri"])).status_code == 204
    assert (await api.get(invited["uri"])).status_code == 404


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("", "must be filled"),
        ("nobody", "nobody is an invalid email format"),
        ("priya@northlight.example", "priya@northlight.example is already in the organization"),
        ("NEW.hire@northlight.example", "NEW.hire@northlight.example has already been invited"),
    ],
)
async def test_an_address_that_cannot_be_invited_is_refused_in_calendlys_words(
    api: Api, email: str, message: str
) -> None:
    answer = await api.post(await invitations(api), {"email": email})
    assert (answer.status_code, answer.json()["details"]) == (400, [{"parameter": "email", "message": message}])


async def test_invitations_end_with_the_seats(api: Api) -> None:
    path = await invitations(api)
    statuses = [(await api.post(path, {"email": f"hire{n}@northlight.example"})).status_code for n in range(8)]
    assert statuses == [201] * 6 + [403] * 2
    free = f"{path_of((await api.me('free'))['current_organization'])}/invitations"
    assert "number of seats" in (await api.post(free, {"email": "a@b.example"}, "free")).json()["message"]


@pytest.mark.requirement("sandbox-roles")
async def test_invitations_are_for_administrators_of_the_organization(api: Api) -> None:
    path = await invitations(api)
    one = path_of((await api.read(path))[0]["uri"])
    for token in ("member", "enterprise"):
        for answer in (
            await api.get(path, token),
            await api.post(path, {"email": "a@b.example"}, token),
            await api.get(one, token),
            await api.delete(one, token),
        ):
            assert (answer.status_code, answer.json()["message"]) == (403, "You do not have permission")


async def test_an_accepted_invitation_names_its_person_and_cannot_be_revoked(api: Api) -> None:
    accepted = (await api.read(await invitations(api), status="accepted"))[0]
    assert accepted["user"] == f"{CALENDLY}/users/{LEGACY_USER_ID}"
    answer = await api.delete(accepted["uri"])
    assert answer.status_code == 400
    assert answer.json()["details"] == [{"message": "The invitation has already been accepted."}]
    assert len(await api.read(await invitations(api), status="pending")) == 2
    assert len(await api.read(await invitations(api), email="Intern@northlight.example")) == 1


@pytest.mark.requirement("sandbox-plans")
async def test_invitee_data_is_deleted_on_enterprise_by_administrators_only(api: Api) -> None:
    path = "/data_compliance/deletion/invitees"
    me = await api.me("enterprise")
    events = await api.read("/scheduled_events", "enterprise", user=me["uri"])
    invitee = (await api.read(f"{path_of(events[0]['uri'])}/invitees", "enterprise"))[0]
    answer = await api.post(path, {"emails": [invitee["email"].upper()]}, "enterprise")
    assert (answer.status_code, answer.json()) == (202, {})
    assert await api.read("/scheduled_events", "enterprise", user=me["uri"], invitee_email=invitee["email"]) == []
    for token in ("owner", "free"):
        refused = await api.post(path, {"emails": ["a@b.example"]}, token)
        assert (refused.status_code, refused.json()["message"]) == (
            403,
            "Please upgrade your Calendly account to Enterprise.",
        )


@pytest.mark.parametrize("emails", [[], "a@b.example", ["nobody"], [7]])
async def test_addresses_to_delete_must_be_a_list_of_addresses(api: Api, emails: Json) -> None:
    answer = await api.post("/data_compliance/deletion/invitees", {"emails": emails}, "enterprise")
    assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, "emails")


async def test_a_plain_member_deletes_nobody_even_on_enterprise(api: Api) -> None:
    token = await sign_in(api, "Erik Dahl", "data_compliance:write")
    answer = await api.post("/data_compliance/deletion/invitees", {"emails": ["a@b.example"]}, token)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("You must be an admin/owner with the data requests permission enabled")
