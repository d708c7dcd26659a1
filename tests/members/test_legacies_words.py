"""What an old system knew beside points: who agreed to what, and who brought whom; in, tied out, and back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members import consents, legacies
from members.legacy.errors import TotalsDoNotTieOut, TotalsMissing
from members.models import LegacyRow, LegacyRun, Member, OutboxEvent
from privacy import consent, roles
from privacy.consent import ConsentWord
from privacy.models import ConsentEvent
from tests.old_shop import MEMBERS, OldShop, outcomes, violations

SAID = [
    {
        "old_id": "A1",
        "purpose": "marketing",
        "agreed": "是",
        "said at": "2023-03-01 10:00:00",
        "way": "短信",
        "how": "勾选",
        "proof": "form-2023/17",
    },
    {
        "old_id": "A1",
        "purpose": "third_party",
        "agreed": "yes",
        "said at": "2023-03-01",
        "party": "圆通速递",
        "how": "signature",
    },
    {"old_id": "A2", "purpose": "营销", "agreed": "no", "said at": "2024-01-05"},
]
BROUGHT = [{"old_id": "A2", "referrer": "A1"}, {"old_id": "A3", "referrer": "A2"}]
TOTALS = {"members": 3, "consents": 3, "consents.marketing": 1, "referrals": 2}


@pytest.fixture
def shop(db: None, tmp_path: Any, settings: Any) -> OldShop:
    settings.UPLOADS = settings.VAR = tmp_path / "uploads"
    return OldShop(tmp_path / "old")


def bring(shop: OldShop, said: Any = SAID, brought: Any = BROUGHT, **expected: Any) -> LegacyRun:
    names = list(SAID[0] | SAID[1])
    rows = [{name: row.get(name, "") for name in names} for row in said]
    shop.write(members=MEMBERS, consents=rows, referrals=brought)
    return shop.bring(**(expected or TOTALS))


def people(shop: OldShop) -> tuple[Member, Member, Member]:
    return shop.member("梅"), shop.member("波"), shop.member("云")


def test_words_come_in_as_they_were_said_with_day_way_and_proof(shop: OldShop) -> None:
    run = bring(shop)
    assert outcomes(run) == {
        "members": {"new": 3},
        "consents": {"new": 3},
        "referrals": {"new": 2},
    }
    mei, bo, _yun = people(shop)
    assert consent.allowed(mei, "marketing", "sms") and not consent.allowed(mei, "marketing", "email")
    assert consent.allowed(mei, "third_party", party="圆通速递")
    assert consent.current(bo) == {("marketing", "any", ""): False}
    event = ConsentEvent.objects.get(member=mei, purpose="marketing")
    assert (event.method, event.source, event.notice_version) == ("tick", "oldshop", "form-2023/17")
    assert event.happened_at == datetime.fromisoformat("2023-03-01T10:00:00+08:00")
    before = event.happened_at - timedelta(seconds=1)
    assert not consent.allowed(mei, "marketing", "sms", at=before), "not before it was said"
    assert OutboxEvent.objects.filter(topic="consent.changed").count() == 3
    assert violations() == []


def test_what_was_said_here_since_holds_and_the_same_again_changes_nothing(shop: OldShop) -> None:
    shop.write(members=MEMBERS)
    shop.bring(members=3)
    mei, _bo, _yun = people(shop)
    consents.tell(mei, [ConsentWord(purpose="marketing", granted=False)], telling=consent.HEARD)
    bring(shop)
    assert not consent.current(mei)["marketing", "any", ""]
    event = consent.deciding(mei, "marketing", "sms")
    assert event is not None and not event.granted, "the later word"
    again = bring(shop)
    assert outcomes(again)["consents"] == {"same": 3} and outcomes(again)["referrals"] == {"same": 2}
    assert ConsentEvent.objects.count() == 4


def test_who_brought_whom_stands_on_the_profile_and_gives_nothing(shop: OldShop) -> None:
    bring(shop)
    mei, bo, yun = people(shop)
    assert (mei.referrer_id, bo.referrer_id, yun.referrer_id) == (None, mei.pk, bo.pk)
    assert not OutboxEvent.objects.filter(topic="points.changed").exists()
    client = Client(headers={"accept-language": "en"})
    client.force_login(roles.make_staff("lin", "service")[0])
    shown = client.get(reverse("member:show", args=[bo.number])).content.decode()
    assert "Brought by" in shown and mei.number in shown


def test_rows_that_cannot_be_say_why_and_the_others_come(shop: OldShop) -> None:
    said = [
        *SAID,
        {**SAID[0], "agreed": "vielleicht"},
        {**SAID[0], "purpose": "selling"},
        {**SAID[1], "party": ""},
        {**SAID[0], "said at": ""},
        {**SAID[0], "said at": "2099-01-01"},
        {**SAID[0], "proof": "she said so on the phone"},
        {**SAID[0], "how": "by pigeon"},
        {**SAID[0], "old_id": "A9"},
        SAID[0],
    ]
    brought = [
        *BROUGHT,
        {"old_id": "A1", "referrer": "A1"},
        {"old_id": "A1", "referrer": "A9"},
        {"old_id": "A3", "referrer": "A1"},
    ]
    run = bring(shop, said, brought)
    codes = LegacyRow.objects.filter(run=run, state="rejected").order_by("kind", "line")
    assert list(codes.values_list("kind", "code")) == [
        ("consents", "consent_unclear"),
        ("consents", "purpose_unknown"),
        ("consents", "party_missing"),
        ("consents", "required_missing"),
        ("consents", "earned_in_future"),
        ("consents", "proof_is_no_reference"),
        ("consents", "method_unknown"),
        ("consents", "member_unknown"),
        ("consents", "duplicate_in_file"),
        ("referrals", "referrer_is_oneself"),
        ("referrals", "referrer_unknown"),
        ("referrals", "duplicate_in_file"),
    ]
    assert ConsentEvent.objects.count() == 3 and Member.objects.filter(referrer=None).count() == 1


def test_nothing_comes_in_before_words_and_friends_tie_out(shop: OldShop) -> None:
    with pytest.raises(TotalsMissing):
        bring(shop, members=3, consents=3)
    with pytest.raises(TotalsDoNotTieOut):
        bring(shop, **{**TOTALS, "consents.marketing": 2})
    assert not ConsentEvent.objects.exists() and not Member.objects.exists()


def test_taken_back_a_yes_is_followed_by_a_no_and_what_was_said_since_stays(shop: OldShop) -> None:
    run = bring(shop)
    mei, bo, yun = people(shop)
    since = ConsentWord(purpose="third_party", granted=True, party="圆通速递", at=timezone.now())
    consents.tell(mei, [since], telling=consent.HEARD)
    Member.objects.filter(pk=yun.pk).update(referrer=mei)
    run = shop.take_back(run)
    assert run.state == "undone"
    assert not consent.allowed(mei, "marketing", "sms"), "what was wrongly brought allows nothing"
    assert consent.allowed(mei, "third_party", party="圆通速递"), "she has said so here since"
    assert consent.current(bo) == {("marketing", "any", ""): False}, "a no is left"
    bo.refresh_from_db()
    yun.refresh_from_db()
    assert (bo.referrer_id, yun.referrer_id) == (None, mei.pk)
    sums = LegacyRow.objects.filter(run=run).values_list("kind", "taken", "kept")
    assert sorted(row for row in sums if row[0] != "members") == [
        ("consents", 0, 1),
        ("consents", 0, 1),
        ("consents", 1, 0),
        ("referrals", 0, 1),
        ("referrals", 1, 0),
    ]
    better = bring(shop)
    assert outcomes(better)["referrals"] == {"new": 1, "rejected": 1}
    rejected = LegacyRow.objects.get(run=better, state="rejected")
    assert rejected.code == "brought_by_another"
    assert violations() == []


def test_a_chunk_of_words_costs_what_one_does(shop: OldShop) -> None:
    def statements(count: int) -> int:
        said = [{**SAID[0], "said at": f"2023-03-{1 + n // 24:02d} {n % 24:02d}:00:00"} for n in range(count)]
        rows = [{name: row.get(name, "") for name in SAID[0] | SAID[1]} for row in said]
        shop.write(members=MEMBERS, consents=rows)
        run = shop.read(members=3, consents=count)
        legacies.start(run.pk)
        with CaptureQueriesContext(connection) as asked:
            legacies.carry_out(run.pk)
        return len(asked)

    statements(1)
    assert statements(3) == statements(200)
