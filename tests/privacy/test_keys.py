import json
from datetime import date
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from config.keys import read_key, read_ring
from members.models import Member
from privacy import crypto, keys
from privacy.errors import KeyUnknown, KeyWrong
from privacy.models import KeyProof

OLD, NEW = ("k1", b"o" * 32), ("k2", b"n" * 32)


@pytest.fixture
def ring(settings):
    settings.DATA_KEYS = [OLD]
    settings.INDEX_KEY = b"i" * 32
    return settings


def make(count: int) -> None:
    Member.objects.bulk_create(
        Member(
            number=f"SK-K{number:07}",
            joined_at=timezone.now(),
            name=f"王{number}",
            phone=f"+861380013{number:04}" if number % 3 else None,
            birthday=date(1990, 1, 1),
        )
        for number in range(count)
    )


def seen() -> list[tuple[str | None, str | None, date | None]]:
    return [(member.name, member.phone, member.birthday) for member in Member.objects.order_by("number")]


def test_rotation_leaves_nothing_on_the_old_key_and_changes_no_value(db, ring):
    make(25)
    before, seals = seen(), list(Member.objects.order_by("number").values_list("seal", flat=True))
    ring.DATA_KEYS = [NEW, OLD]
    assert keys.left_on_old_keys(Member) == 25
    assert [progress.done for progress in keys.rotate(batch=10)] == [10, 20, 25]
    assert keys.left_on_old_keys(Member) == 0
    ring.DATA_KEYS = [NEW]  # the old key can be thrown away
    assert seen() == before
    assert list(Member.objects.order_by("number").values_list("seal", flat=True)) == seals


def test_without_rotation_the_old_key_is_needed(db, ring):
    make(1)
    ring.DATA_KEYS = [NEW]
    with pytest.raises(KeyUnknown):
        seen()


def test_a_row_with_one_value_on_the_new_key_is_finished(db, ring):
    make(2)
    ring.DATA_KEYS = [NEW, OLD]
    member = Member.objects.get(number="SK-K0000001")
    member.name = "新"
    member.save(update_fields=["name"])
    assert keys.left_on_old_keys(Member) == 2
    list(keys.rotate())
    ring.DATA_KEYS = [NEW]
    assert [name for name, _, _ in seen()] == ["王0", "新"]


def test_rotation_stopped_halfway_goes_on_where_it_was(db, ring):
    make(25)
    before = seen()
    ring.DATA_KEYS = [NEW, OLD]
    stopped = keys.rotate(batch=10)
    next(stopped)
    stopped.close()
    assert keys.left_on_old_keys(Member) == 15
    assert sum(1 for _ in keys.rotate(batch=10)) == 2
    assert keys.left_on_old_keys(Member) == 0
    assert seen() == before


def test_rotating_again_does_nothing(db, ring):
    make(3)
    assert list(keys.rotate()) == []


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_changed_is_neither_blocked_nor_overwritten(ring):
    make(6)
    ring.DATA_KEYS = [NEW, OLD]
    done: list[keys.Rotated] = []

    def rotate() -> None:
        try:
            done.extend(keys.rotate(batch=2))
        finally:
            connection.close()

    with transaction.atomic():
        busy = Member.objects.select_for_update().get(number="SK-K0000002")
        rotation = Thread(target=rotate)
        rotation.start()
        rotation.join(timeout=2)
        assert rotation.is_alive()  # it has done the others and waits for this one
        assert keys.left_on_old_keys(Member) == 1
        busy.phone = "+8613700137000"
        busy.save(update_fields=["phone"])
    rotation.join(timeout=20)
    assert not rotation.is_alive()
    assert keys.left_on_old_keys(Member) == 0
    ring.DATA_KEYS = [NEW]
    assert Member.objects.get(number="SK-K0000002").phone == "+8613700137000"
    assert sum(1 for _ in seen()) == 6


def test_the_command_reports_and_proves(db, ring, capsys):
    make(3)
    ring.DATA_KEYS = [NEW, OLD]
    call_command("rotate_keys", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["key"] == "k2"
    assert report["rows"] == {"members.Member": 3}
    assert report["left"]["members.Member"] == 0
    assert set(KeyProof.objects.values_list("key_id", flat=True)) == {"k1", "k2", "INDEX_KEY"}


def test_a_wrong_key_is_noticed_before_it_does_harm(db, ring):
    keys.prove()
    keys.prove()
    ring.DATA_KEYS = [NEW, OLD]
    keys.prove()
    ring.DATA_KEYS = [("k1", b"z" * 32)]
    with pytest.raises(KeyWrong) as refusal:
        keys.prove()
    assert refusal.value.details == {"key": "k1"}
    ring.DATA_KEYS = [OLD]
    ring.INDEX_KEY = b"j" * 32
    with pytest.raises(KeyWrong) as refusal:
        keys.prove()
    assert refusal.value.details == {"key": "INDEX_KEY"}
    assert KeyProof.objects.count() == 3


def test_the_proof_tells_nothing_of_the_key(db, ring):
    keys.prove()
    proofs = [bytes(proof.fingerprint) for proof in KeyProof.objects.all()]
    assert all(len(proof) == 16 and proof not in (b"o" * 16, b"i" * 16) for proof in proofs)


def test_made_keys_are_ready_for_the_settings(capsys):
    call_command("make_keys")
    call_command("make_keys")
    lines = [line.split("=", 1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == ["DATA_KEYS", "INDEX_KEY"] * 2
    rings = [read_ring(value) for name, value in lines if name == "DATA_KEYS"]
    assert all(len(key) == crypto.KEY_BYTES for made in rings for _, key in made)
    assert rings[0] != rings[1]
    assert len(read_key(lines[1][1], "INDEX_KEY")) == crypto.KEY_BYTES
