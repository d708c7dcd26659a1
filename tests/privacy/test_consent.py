from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.facts import ConsentFact
from members.models import Member
from privacy import consent, notices
from privacy.consent import ConsentWord, Telling
from privacy.errors import PartyMissing, PurposeInvalid
from privacy.models import ConsentEvent


def day(number: int) -> datetime:
    return datetime(2026, 3, number, 4, tzinfo=UTC)


def word(purpose: str, granted: bool, at: datetime | None = None, **more: str) -> ConsentWord:
    return ConsentWord(purpose=purpose, granted=granted, at=at, **more)


def test_nothing_said_is_no(mei):
    assert not consent.allowed(mei, "marketing", "sms")
    assert consent.deciding(mei, "marketing", "sms") is None
    assert consent.current(mei) == {}


def test_withdrawing_is_one_call_as_giving_is_and_holds_at_once(mei):
    consent.give(mei, "marketing", channel="sms")
    assert consent.allowed(mei, "marketing", "sms")
    consent.withdraw(mei, "marketing", channel="sms")
    assert not consent.allowed(mei, "marketing", "sms")
    assert [event.granted for event in ConsentEvent.objects.order_by("pk")] == [True, False]


def test_consent_at_any_instant(mei):
    consent.record(
        mei,
        [
            word("marketing", True, day(1), channel="sms"),
            word("marketing", False, day(10), channel="sms"),
            word("marketing", True, day(20), channel="sms"),
        ],
    )
    said = {number: consent.allowed(mei, "marketing", "sms", at=day(number)) for number in (1, 9, 10, 19, 20)}
    assert said == {1: True, 9: True, 10: False, 19: False, 20: True}
    assert not consent.allowed(mei, "marketing", "sms", at=day(1) - timedelta(microseconds=1))
    assert consent.current(mei, at=day(15)) == {("marketing", "sms", ""): False}


def test_the_order_of_hearing_does_not_matter(mei):
    consent.record(mei, [word("marketing", False, day(10))])
    consent.record(mei, [word("marketing", True, day(1))])
    assert not consent.allowed(mei, "marketing", "sms")
    assert consent.allowed(mei, "marketing", "sms", at=day(5))


def test_a_message_is_judged_by_what_was_known_when_it_was_sent(mei):
    consent.record(mei, [word("marketing", True, day(1))])
    sent_at = timezone.now()
    consent.record(mei, [word("marketing", False, day(2))])
    assert not consent.allowed(mei, "marketing", "sms", at=sent_at)
    assert consent.allowed(mei, "marketing", "sms", at=sent_at, known_at=sent_at)


def test_one_purpose_says_nothing_of_another(mei, bo):
    consent.give(mei, "marketing", channel="sms")
    assert not consent.allowed(mei, "personalisation", "sms")
    assert not consent.allowed(mei, "marketing", "email")
    assert not consent.allowed(bo, "marketing", "sms")


def test_any_channel_counts_as_each_and_the_latest_word_holds(mei):
    consent.record(mei, [word("marketing", True, day(1)), word("marketing", False, day(5), channel="sms")])
    assert not consent.allowed(mei, "marketing", "sms")
    assert consent.allowed(mei, "marketing", "email")
    consent.record(mei, [word("marketing", True, day(6))])
    assert consent.allowed(mei, "marketing", "sms")
    consent.record(mei, [word("marketing", False, day(7))])
    assert not consent.allowed(mei, "marketing", "email")


def test_of_two_words_of_one_instant_the_stricter_holds(mei):
    consent.record(mei, [word("marketing", False, day(1), channel="sms"), word("marketing", True, day(1))])
    assert not consent.allowed(mei, "marketing", "sms")
    consent.record(mei, [word("service", True, day(1)), word("service", False, day(1))])
    assert consent.current(mei)["service", "any", ""] is False


def test_a_file_read_twice_adds_nothing(mei):
    facts = [ConsentFact(purpose="marketing", granted=True, channel="sms", at=day(1))]
    assert len(consent.record(mei, facts)) == 1
    assert consent.record(mei, facts) == []
    assert ConsentEvent.objects.count() == 1


def test_a_word_without_a_time_is_new_only_when_it_changes_what_holds(mei):
    say = ConsentFact(purpose="marketing", granted=True)
    assert len(consent.record(mei, [say])) == 1
    assert consent.record(mei, [say]) == []
    assert len(consent.record(mei, [ConsentFact(purpose="marketing", granted=True, notice="2.0")])) == 1
    assert len(consent.record(mei, [ConsentFact(purpose="marketing", granted=False)])) == 1
    assert len(consent.record(mei, [say])) == 1


def test_a_clock_ahead_of_ours_does_not_make_a_withdrawal_wait(mei):
    consent.give(mei, "marketing")
    consent.record(mei, [word("marketing", False, timezone.now() + timedelta(days=400))])
    assert not consent.allowed(mei, "marketing", "sms")


def test_passing_data_on_needs_a_consent_for_each_party(mei):
    with pytest.raises(PartyMissing):
        consent.give(mei, "third_party")
    assert ConsentEvent.objects.count() == 0
    consent.give(mei, "third_party", party="Airline A")
    assert consent.allowed(mei, "third_party", party="Airline A")
    assert not consent.allowed(mei, "third_party", party="Airline B")
    assert not consent.allowed(mei, "third_party")


def test_the_database_holds_these_rules_as_well(mei):
    for bad in ({"purpose": "third_party"}, {"purpose": "Marketing SMS"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsentEvent.objects.create(member=mei, granted=True, happened_at=day(1), **bad)


@pytest.mark.parametrize(
    "bad", [{"purpose": "Marketing"}, {"purpose": ""}, {"purpose": "ok", "channel": "短信"}]
)
def test_a_word_that_is_no_word_is_refused_and_nothing_is_written(mei, bad):
    with pytest.raises(PurposeInvalid):
        consent.record(mei, [word("marketing", True), ConsentWord(granted=True, **bad)])
    assert ConsentEvent.objects.count() == 0


def test_a_batch_costs_the_same_however_long(db, django_assert_num_queries):
    members = Member.objects.bulk_create(
        [Member(number=f"SK-C{number:07}", joined_at=timezone.now()) for number in range(200)]
    )
    words = [(member.pk, word("marketing", member.pk % 2 == 0)) for member in members]
    with django_assert_num_queries(5):  # what holds, insert, what is new; savepoint around them
        events = consent.record_many(words)
    assert len(events) == 200
    assert consent.record_many(words) == []
    allowed = set(consent.allowing("marketing", "sms").values_list("member_id", flat=True))
    assert allowed == {member.pk for member in members if member.pk % 2 == 0}


def test_a_list_of_the_willing_agrees_with_each_answer(mei, bo):
    consent.record(mei, [word("marketing", True, day(1)), word("marketing", False, day(5), channel="sms")])
    consent.record(bo, [word("marketing", False, day(1)), word("marketing", True, day(5), channel="sms")])
    for channel in ("sms", "email", "any"):
        for at in (day(1), day(3), day(5), None):
            willing = set(consent.allowing("marketing", channel, at=at).values_list("member_id", flat=True))
            each = {one.pk for one in (mei, bo) if consent.allowed(one, "marketing", channel, at=at)}
            assert willing == each
    assert list(Member.objects.filter(pk__in=consent.allowing("marketing", "sms"))) == [bo]


def test_a_receipt_proves_the_word_and_the_text(mei, staff, settings):
    settings.LANGUAGE_CODE = "zh-hans"
    notices.publish_defaults()
    clerk = staff("clerk", "pos/jingan")
    telling = Telling(method="spoken", source="jingan", actor_id=clerk.pk)
    (event,) = consent.give(mei, "marketing", channel="sms", notice="1.0", telling=telling)
    assert (event.actor, event.source, event.method) == (clerk, "jingan", "spoken")
    receipt = consent.receipt(event.receipt)
    notice = notices.current("privacy", "zh-hans")
    assert receipt["policy"] == {"version": "1.0", "sha256": notice.digest}
    assert (receipt["purpose"], receipt["channel"], receipt["granted"]) == ("marketing", "sms", True)
    assert receipt["consentTimestamp"] == event.happened_at.isoformat()
    assert receipt["language"] == "zh-hans"


def test_a_notice_that_only_the_platform_knows_is_kept_as_told(mei):
    (event,) = consent.give(mei, "marketing", notice="tmall-2025")
    assert (event.notice, event.notice_version) == (None, "tmall-2025")
