import hmac
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import crypto
from privacy.errors import KeyUnknown, SealBroken

OLD, NEW = ("k1", b"o" * 32), ("k2", b"n" * 32)
ROW = UUID("6f0c0f8e-6b1e-4f43-9d2a-7d0c1f1c2b3a")
PLACE: dict[str, Any] = {"table": "members_member", "column": "phone", "row": ROW}


@pytest.fixture(autouse=True)
def ring(settings):
    settings.DATA_KEYS = [OLD]
    settings.INDEX_KEY = b"i" * 32
    return settings


@given(st.text())
def test_what_was_sealed_opens_in_its_place(text):
    assert crypto.unseal(crypto.seal(text, **PLACE), **PLACE) == text


def test_the_envelope_has_the_documented_form():
    blob = crypto.seal("+8613800138000", **PLACE)
    assert blob[:4] == b"\x01\x02k1"
    assert len(blob) == 4 + 12 + len("+8613800138000") + 16
    assert b"138" not in blob


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"table": "members_account"},
        {"column": "email"},
        {"row": UUID("0f6b7c1e-51d3-4c0c-8a39-2f9f1d0c7a55")},
    ],
    ids=str,
)
def test_a_value_moved_to_another_place_does_not_open(elsewhere):
    blob = crypto.seal("+8613800138000", **PLACE)
    with pytest.raises(SealBroken):
        crypto.unseal(blob, **{**PLACE, **elsewhere})


def test_table_and_column_cannot_trade_letters():
    blob = crypto.seal("x", table="ab", column="c", row=ROW)
    with pytest.raises(SealBroken):
        crypto.unseal(blob, table="a", column="bc", row=ROW)


def test_every_changed_byte_after_the_head_is_noticed():
    blob = crypto.seal("secret", **PLACE)
    for place in range(4, len(blob)):
        changed = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(SealBroken):
            crypto.unseal(changed, **PLACE)


@pytest.mark.parametrize(
    "blob", [b"", b"\x01", b"\x02\x02k1" + b"x" * 40, b"\x01\xffk1", b"\x01\x02\xff\xfe" + b"x" * 40]
)
def test_what_is_no_envelope_is_refused(blob):
    with pytest.raises(SealBroken):
        crypto.unseal(blob, **PLACE)


def test_equal_values_do_not_look_equal():
    assert crypto.seal("x", **PLACE) != crypto.seal("x", **PLACE)


def test_a_new_key_seals_and_the_old_one_still_opens(ring):
    old = crypto.seal("before", **PLACE)
    ring.DATA_KEYS = [NEW, OLD]
    new = crypto.seal("after", **PLACE)
    assert (crypto.key_of(old), crypto.key_of(new)) == ("k1", "k2")
    assert crypto.unseal(old, **PLACE) == "before"
    assert crypto.unseal(new, **PLACE) == "after"


def test_a_key_that_left_the_ring_is_named(ring):
    blob = crypto.seal("x", **PLACE)
    ring.DATA_KEYS = [NEW]
    with pytest.raises(KeyUnknown) as refusal:
        crypto.unseal(blob, **PLACE)
    assert refusal.value.details == {"key": "k1"}


def test_another_key_under_the_same_name_opens_nothing(ring):
    blob = crypto.seal("x", **PLACE)
    ring.DATA_KEYS = [("k1", b"z" * 32)]
    with pytest.raises(SealBroken):
        crypto.unseal(blob, **PLACE)


@pytest.mark.parametrize("keys", [[], [OLD, OLD], [("k1", b"short")]], ids=["none", "twice", "short"])
def test_a_bad_ring_is_refused(ring, keys):
    ring.DATA_KEYS = keys
    with pytest.raises(ValueError):
        crypto.seal("x", **PLACE)


@given(st.lists(st.tuples(st.none() | st.text(), st.uuids())))
def test_a_column_that_was_sealed_at_once_opens_value_by_value(told):
    texts, rows = [text for text, _ in told], [row for _, row in told]
    place = {"table": "members_member", "column": "phone"}
    blobs = crypto.seal_many(texts, rows=[row.bytes for row in rows], **place)
    opened = [blob and crypto.unseal(blob, row=row, **place) for blob, row in zip(blobs, rows, strict=True)]
    assert opened == texts
    assert len({blob[4:16] for blob in blobs if blob}) == len([blob for blob in blobs if blob])  # nonces


def test_a_column_that_is_opened_at_once_names_what_is_broken():
    one, other = ROW, UUID("0f6b7c1e-51d3-4c0c-8a39-2f9f1d0c7a55")
    place = {"table": "members_member", "column": "phone"}
    blobs = [crypto.seal(text, row=row, **place) for text, row in (("a", one), ("b", other))]
    assert crypto.unseal_many(blobs, rows=[one.bytes, other.bytes], **place) == ["a", "b"]
    with pytest.raises(SealBroken):
        crypto.unseal_many(blobs, rows=[other.bytes, one.bytes], **place)


def test_the_index_is_the_hmac_of_the_value(ring):
    key = crypto.derive(ring.INDEX_KEY, "shuke blind index phone")
    expected = hmac.digest(key, b"+8613800138000", "sha256")
    assert crypto.blind_index("+8613800138000", purpose="phone") == expected
    assert crypto.blind_index("+8613800138000", purpose="phone") == expected  # the kept state is untouched


def test_the_index_is_equal_for_equal_values_of_one_purpose_only(ring):
    index = crypto.blind_index("+8613800138000", purpose="phone")
    assert len(index) == crypto.INDEX_BYTES
    assert index == crypto.blind_index("+8613800138000", purpose="phone")
    assert index != crypto.blind_index("+8613800138001", purpose="phone")
    assert index != crypto.blind_index("+8613800138000", purpose="email")
    ring.INDEX_KEY = b"j" * 32
    assert index != crypto.blind_index("+8613800138000", purpose="phone")


def test_the_index_does_not_fold_ids_that_differ():
    assert crypto.blind_index("①", purpose="external_id:tmall") != crypto.blind_index(
        "1", purpose="external_id:tmall"
    )
