"""What is sealed opens in its place under its key, and nowhere else."""

import base64
import os
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.errors import KeyRingError, UnreadableSecret
from storage.keys import KEY_BYTES, Key, KeyRing, sealing_key

IDS = st.text("abcXYZ019_-", min_size=1, max_size=64)
KEYS = st.builds(Key, IDS, st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
RINGS = st.lists(KEYS, min_size=1, max_size=4, unique_by=lambda key: key.id)
PLACES = st.fixed_dictionaries({"table": st.text(), "row": st.text(), "column": st.text()})

OLD, NEW = Key("old", b"o" * KEY_BYTES), Key("new", b"n" * KEY_BYTES)
PLACE = {"table": "connection", "row": "1", "column": "token"}


@pytest.mark.requirement("secrets-place")
@given(RINGS, st.binary(max_size=2000), PLACES)
def test_what_is_sealed_opens_in_its_place(keys: list[Key], secret: bytes, place: dict[str, str]) -> None:
    ring = KeyRing(keys)
    sealed = ring.seal(secret, **place)
    assert ring.open(sealed, **place) == secret
    assert sealing_key(sealed) == keys[0].id == ring.first


@pytest.mark.requirement("secrets-place")
@given(KEYS, PLACES, PLACES)
def test_what_is_sealed_opens_in_no_other_place(key: Key, place: dict[str, str], other: dict[str, str]) -> None:
    assume(place != other)
    ring = KeyRing([key])
    with pytest.raises(UnreadableSecret):
        ring.open(ring.seal(b"secret", **place), **other)


@pytest.mark.requirement("secrets-place")
@given(KEYS, st.data())
def test_what_is_changed_in_any_bit_does_not_open(key: Key, data: st.DataObject) -> None:
    ring = KeyRing([key])
    sealed = bytearray(ring.seal(b"secret", **PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(UnreadableSecret):
        ring.open(bytes(sealed), **PLACE)


@given(KEYS, st.data())
def test_what_is_cut_anywhere_does_not_open(key: Key, data: st.DataObject) -> None:
    ring = KeyRing([key])
    sealed = ring.seal(b"secret", **PLACE)
    with pytest.raises(UnreadableSecret):
        ring.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], **PLACE)


@given(st.binary(max_size=200))
def test_what_was_never_sealed_does_not_open(junk: bytes) -> None:
    with pytest.raises(UnreadableSecret):
        KeyRing([OLD]).open(junk, **PLACE)


@given(RINGS, PLACES)
def test_a_ring_is_read_as_it_is_written(keys: list[Key], place: dict[str, str]) -> None:
    ring = KeyRing.parse(",".join(map(str, keys)))
    assert KeyRing(keys).open(ring.seal(b"secret", **place), **place) == b"secret"
    assert ring.first == keys[0].id
    assert all(key.id in ring for key in keys)


@pytest.mark.requirement("secrets-place", "secret-keys-setting")
def test_the_first_key_seals_and_every_key_opens() -> None:
    before = KeyRing([OLD]).seal(b"secret", **PLACE)
    rotating = KeyRing([NEW, OLD])
    assert rotating.open(before, **PLACE) == b"secret"
    after = rotating.seal(b"secret", **PLACE)
    assert KeyRing([NEW]).open(after, **PLACE) == b"secret"
    with pytest.raises(UnreadableSecret, match="no key new"):
        KeyRing([OLD]).open(after, **PLACE)


@pytest.mark.requirement("secrets-place")
def test_another_key_of_the_same_name_does_not_open() -> None:
    sealed = KeyRing([OLD]).seal(b"secret", **PLACE)
    with pytest.raises(UnreadableSecret, match="another one"):
        KeyRing([Key.generate("old")]).open(sealed, **PLACE)


def test_the_same_secret_is_never_sealed_alike() -> None:
    ring = KeyRing([OLD])
    assert len({ring.seal(b"secret", **PLACE) for _ in range(100)}) == 100


def test_the_nonce_and_new_keys_come_from_the_randomness_that_was_handed_in() -> None:
    sealed = {KeyRing([OLD], random=bytes).seal(b"secret", **PLACE) for _ in range(2)}
    assert len(sealed) == 1
    assert Key.generate("zero", random=bytes).secret == bytes(KEY_BYTES)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "urlsafe"])
@pytest.mark.parametrize("padding", ["=", ""], ids=["padded", "unpadded"])
def test_a_key_may_be_written_in_either_alphabet_with_or_without_padding(
    encode: Callable[[bytes], bytes], padding: str
) -> None:
    secret = b"\xfb\xff" * 16
    assert Key.parse(f" k:{encode(secret).decode().rstrip('=')}{padding}\n") == Key("k", secret)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "id:base64"),
        ("c2VjcmV0", "id:base64"),
        (":c2VjcmV0", "id:base64"),
        ("a key:c2VjcmV0", "id:base64"),
        (f"{'x' * 65}:c2VjcmV0", "id:base64"),
        ("k:c2VjcmV0", "6 bytes"),
        ("k:not!base64", "not base64"),
        ("k:", "0 bytes"),
        (f"k:{base64.b64encode(bytes(33)).decode()}", "33 bytes"),
        (f"{OLD},", "id:base64"),
        (f"{OLD},{OLD}", "alike"),
    ],
)
def test_a_malformed_ring_is_refused_without_repeating_a_secret(text: str, complaint: str) -> None:
    with pytest.raises(KeyRingError, match=complaint) as caught:
        KeyRing.parse(text)
    assert "c2VjcmV0" not in str(caught.value)
    assert str(OLD).partition(":")[2] not in str(caught.value)


def test_a_ring_without_keys_is_refused() -> None:
    with pytest.raises(KeyRingError):
        KeyRing([])


def test_neither_a_key_nor_a_ring_shows_its_secret_in_a_traceback() -> None:
    secret = os.urandom(KEY_BYTES)
    key = Key("k", secret)
    shown = f"{key!r} {KeyRing([key])!r}"
    assert repr(secret) not in shown
    assert base64.b64encode(secret).decode() not in shown
