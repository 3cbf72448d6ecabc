from calendly.scopes import SCOPES, expand, includes


def test_a_write_scope_includes_the_read_scope_of_its_family() -> None:
    assert includes(["scheduled_events:write"], ["scheduled_events:read", "scheduled_events:write"])


def test_a_read_scope_includes_nothing_else() -> None:
    assert expand(["organizations:read"]) == {"organizations:read"}
    assert not includes(["organizations:read"], ["organizations:write"])


def test_families_do_not_include_each_other() -> None:
    assert not includes(["event_types:write"], ["scheduled_events:read"])


def test_all_needed_scopes_must_be_there() -> None:
    assert not includes(["webhooks:write"], ["webhooks:write", "scheduled_events:read"])


def test_a_token_from_before_scopes_may_do_everything() -> None:
    assert includes(["default"], SCOPES)


def test_a_new_token_may_do_nothing() -> None:
    assert not any(includes([], [scope]) for scope in SCOPES)


def test_a_scope_calendly_adds_later_is_kept() -> None:
    assert expand(["mcp:scheduling:write"]) == {"mcp:scheduling:write", "mcp:scheduling:read"}
