from collections import Counter

from tests.requirements.manifest import Requirement, faults, proofs, requirements

SECTIONS_OF_AUTHORIZATION = {
    "1 consent",
    "2 redirect URIs",
    "3 PKCE",
    "4 codes",
    "5 tokens",
    "6 refresh tokens",
    "7 connections",
    "8 secrets",
    "9 outbound requests",
    "10 identity",
    "11 limits",
    "12 third-party text",
    "endpoints",
    "scopes",
    "limits of the sign-in surface",
    "upstream",
    "tables and lifetimes",
}


def test_every_requirement_is_proved_by_a_test_or_says_why_not() -> None:
    assert faults(requirements(), proofs()) == []


def test_a_gap_that_is_proved_a_requirement_without_proof_and_an_unknown_mark_are_named() -> None:
    listed = [
        Requirement("built", "tools", "answers", must="This is so."),
        Requirement("planned", "tools", "answers", must="That will be so.", gap="not built yet"),
    ]
    assert faults(listed, {"built": ["test_a.py::test_it_is_so"]}) == []
    assert faults(listed, {"planned": ["test_a.py::test_it"], "forgotten": ["test_b.py::test_it"]}) == [
        "built: no test carries this mark",
        "planned: called a gap, but test_a.py::test_it proves it",
        "forgotten: no requirement, but test_b.py::test_it names it",
    ]


def test_every_entry_says_once_what_must_be() -> None:
    listed = requirements()
    for told in ([entry.id for entry in listed], [entry.must for entry in listed]):
        assert [text for text, times in Counter(told).items() if times > 1 or not text] == []


def test_every_rule_and_every_part_of_authorization_has_its_requirements() -> None:
    sections = {entry.section for entry in requirements() if entry.chapter == "authorization"}
    assert sections == SECTIONS_OF_AUTHORIZATION


def test_what_proves_is_a_test() -> None:
    tests = [test.partition("::")[2] for found in proofs().values() for test in found]
    assert [test for test in tests if not test.lower().startswith("test")] == []
