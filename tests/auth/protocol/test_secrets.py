import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.protocol.secrets import (
    ACCESS_TOKEN,
    AGENT_TOKEN,
    CLIENT_SECRET,
    CODE,
    REFRESH_TOKEN,
    digest,
    is_well_formed,
    mint,
    nonce,
)
from tests.cases import each

KINDS = (ACCESS_TOKEN, REFRESH_TOKEN, AGENT_TOKEN, CODE, CLIENT_SECRET)
RANDOM = st.binary(min_size=32, max_size=32)


@pytest.mark.requirement("token-format")
@given(RANDOM)
def test_a_token_carries_its_kind_its_randomness_and_a_checksum_in_letters_and_digits(random: bytes) -> None:
    token = mint(ACCESS_TOKEN, lambda _: random)
    assert token.startswith("cmcp_at_")
    assert len(token) == 8 + 43 + 6
    assert token.removeprefix("cmcp_at_").isalnum()
    assert token.isascii()
    assert is_well_formed(token, ACCESS_TOKEN)


@given(RANDOM, RANDOM)
def test_different_randomness_makes_different_tokens(one: bytes, other: bytes) -> None:
    assert (nonce(lambda _: one) == nonce(lambda _: other)) is (one == other)


@pytest.mark.requirement("token-format")
def test_refresh_tokens_have_a_prefix_of_their_own_and_no_kind_passes_for_another() -> None:
    tokens = {kind: mint(kind, bytes) for kind in KINDS}
    assert tokens[REFRESH_TOKEN].startswith("cmcp_rt_")
    assert [(kind, other) for kind in KINDS for other in KINDS if is_well_formed(tokens[kind], other)] == [
        (kind, kind) for kind in KINDS
    ]


@pytest.mark.requirement("token-format")
@given(RANDOM, st.integers(min_value=0, max_value=56), st.characters(codec="utf-8"))
def test_a_token_with_one_character_changed_is_told_apart_by_its_checksum(
    random: bytes, position: int, character: str
) -> None:
    token = mint(ACCESS_TOKEN, lambda _: random)
    changed = token[:position] + character + token[position + 1 :]
    assert is_well_formed(changed, ACCESS_TOKEN) is (changed == token)


@each("text", ["", "cmcp_at_", "cmcp_at_" + "0" * 48, "cmcp_at_" + "0" * 50, "x" * 100_000])
def test_what_is_no_token_is_told_apart_without_a_look_into_the_database(text: str) -> None:
    assert not is_well_formed(text, ACCESS_TOKEN)


@pytest.mark.requirement("token-digest")
def test_what_is_stored_of_a_token_is_its_sha256() -> None:
    token = mint(ACCESS_TOKEN, bytes)
    assert digest(token) == hashlib.sha256(token.encode()).hexdigest()
