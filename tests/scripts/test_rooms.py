"""The drawing of the rooms: what it shows of imports, and what it leaves out."""

from scripts.rooms import DIVIDED, between_packages, between_rooms, drawing, picture, without_detours


def imports(**rooms: str) -> dict[str, frozenset[str]]:
    return {room: frozenset(others.split()) for room, others in rooms.items()}


def test_an_import_that_another_one_implies_is_not_drawn() -> None:
    assert without_detours(imports(top="middle bottom", middle="bottom", bottom="")) == imports(
        top="middle", middle="bottom", bottom=""
    )


def test_rooms_that_import_each_other_are_drawn_as_such() -> None:
    assert without_detours(imports(one="other", other="one")) == imports(one="other", other="one")


def test_a_room_that_nothing_imports_and_that_imports_nothing_is_drawn_by_itself() -> None:
    assert drawing(imports(top="b a", a="", b="", alone="")).splitlines() == [
        "```mermaid",
        "flowchart TD",
        "    alone",
        "    top --> a & b",
        "```",
    ]


def test_imports_are_read_from_the_code_those_within_functions_too() -> None:
    assert between_packages()["server"] == {"auth", "calendly", "events", "sandbox", "storage", "tools"}
    assert between_packages()["sandbox"] == frozenset()
    rooms = between_rooms("server")
    assert rooms["__main__"] == {"commands"}
    assert rooms["configuration"] == frozenset()


def test_every_room_is_named_with_what_is_in_it() -> None:
    drawn = picture()
    for package in DIVIDED:
        for room in between_rooms(package):
            assert f"| `{package}/{room}" in drawn
    assert "|  |" not in drawn
