"""The matching at work: who is new is compared, what is decided stays decided, and links say why (A5)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.utils import timezone, translation

from members import channels, evidence_words, jobs
from members.admin.people import MatchReviewAdmin
from members.errors import MatchingBusy, MembersError
from members.facts import Gender
from members.matching import footprints, runs
from members.models import Channel, Footprint, MatchReview, MatchRun, Member, ValueShare
from tests import make
from tests.make import buyer, key, known, phone

pytestmark = pytest.mark.django_db

PHONE = "+8613812345678"
BORN = date(1991, 4, 23)
MERGED: list[dict[str, Any]] = []


class Unwilling(MembersError):
    code = "test.unwilling"


def merge(survivor_id: int, other_id: int, **told: Any) -> None:
    """What stands for the merging of members here: it merges, and remembers what it was told."""
    Member.objects.filter(pk=other_id).update(status="merged", merged_into=survivor_id)
    MERGED.append({"survivor": survivor_id, "other": other_id} | told)


def refuse(survivor_id: int, other_id: int, **told: Any) -> None:
    raise Unwilling


@pytest.fixture(autouse=True)
def merging(settings):
    MERGED.clear()
    settings.SURE_MATCH = "tests.members.test_matching_runs.merge"


def minute() -> MatchRun | None:
    return runs.compare_new(until=timezone.now() + timedelta(minutes=1))


def sold(channel: Channel, external_id: str, *keys: Any, **told: Any) -> int:
    """Somebody who bought in a channel; their member."""
    return known(channel, buyer(external_id, *keys, **told)).member_id


def one_by_mailbox(tmall: Channel, wechat: Channel) -> tuple[int, int]:
    """One person in two channels with no key in common: name, birthday and mailbox agree."""
    told: dict[str, Any] = {"name": "上官若雪", "birthday": BORN, "city": "杭州", "gender": Gender.FEMALE}
    first = sold(tmall, "tb", key("email", "ruoxue91@qq.com"), phone_masked="138****5678", **told)
    return first, sold(wechat, "wx", key("email", "ruoxue91@foxmail.com"), phone(PHONE), **told)


def masked_and_clear(tmall: Channel, wechat: Channel) -> tuple[int, int]:
    """Masked on the platform, clear elsewhere: a sibling with the same phone would look the same."""
    first = sold(tmall, "m-tb", name="柏*", phone_masked="138****5678", city="杭州", birthday=BORN)
    return first, sold(wechat, "m-wx", phone(PHONE), name="柏舟", city="杭州", birthday=BORN)


def reviews() -> list[tuple[set[int], str, str]]:
    return [
        ({each.member_id, each.other_id}, each.state, each.reason)
        for each in MatchReview.objects.order_by("id")
    ]


def test_the_minute_finds_who_a_new_account_is(tmall: Channel, wechat: Channel):
    first, second = one_by_mailbox(tmall, wechat)
    run = minute()
    assert run and (run.kind, run.members, run.linked, run.asked) == ("minute", 2, 1, 0)
    (merged,) = MERGED
    assert (merged["survivor"], merged["other"], merged["actor_id"]) == (first, second, None)
    assert merged["reason"] == "scored"
    assert merged["evidence"]["levels"] == {
        "name": "exact",
        "phone": "masked",
        "birthday": "exact",
        "email": "user",
        "place": "city",
        "gender": "same",
    }
    review = MatchReview.objects.get()
    assert (review.state, review.reason, review.decided_by) == ("same", "scored", None)
    assert review.score is not None and 0.999 < review.score <= 1


def test_a_later_account_is_compared_with_whom_an_earlier_minute_saw(tmall: Channel, wechat: Channel):
    told: dict[str, Any] = {
        "name": "欧阳子珊",
        "birthday": BORN,
        "city": "杭州",
        "phone_masked": "138****5678",
    }
    first = sold(tmall, "tb", **told)
    assert minute() and not MERGED
    second = sold(wechat, "wx", phone(PHONE), **told | {"phone_masked": None})
    run = minute()
    assert run and run.members == 1
    assert [(each["survivor"], each["other"]) for each in MERGED] == [(first, second)]


def test_a_masked_name_is_put_before_a_person(tmall: Channel, wechat: Channel):
    pair = masked_and_clear(tmall, wechat)
    run = minute()
    assert run and (run.linked, run.asked) == (0, 1)
    assert not MERGED
    assert reviews() == [(set(pair), "open", "scored")]
    review = MatchReview.objects.get()
    assert evidence_words.in_words(review) == [
        "same surname, the masked name fits",
        "same beginning and end of a masked phone",
        "same birthday",
        "same city",
    ]
    assert not any(secret in str(review.evidence) for secret in ("柏", "138", "5678", "1991", "杭州"))


@pytest.mark.parametrize("state", ["open", "different"])
def test_a_pair_that_was_asked_about_is_never_asked_about_again(tmall: Channel, wechat: Channel, state: str):
    pair = masked_and_clear(tmall, wechat)
    minute()
    MatchReview.objects.update(state=state, score=0.5)
    known(tmall, buyer("m-tb", name="柏*", city="上海"))  # told again
    minute()
    runs.compare_all()
    assert reviews() == [(set(pair), state, "scored")]
    assert MatchReview.objects.get().score == 0.5


def test_different_people_stay_different_however_sure_the_score_is(tmall: Channel, wechat: Channel):
    one, other = one_by_mailbox(tmall, wechat)
    MatchReview.objects.create(member_id=other, other_id=one, reason="name_differs", state="different")
    runs.compare_all()
    assert not MERGED
    assert reviews() == [({one, other}, "different", "name_differs")]


def test_what_was_decided_of_a_member_holds_for_whoever_they_were_merged_into(
    tmall: Channel, wechat: Channel
):
    one, other = masked_and_clear(tmall, wechat)
    old = sold(make.pos(), "old", name="柏舟")
    MatchReview.objects.create(member_id=old, other_id=one, reason="name_differs", state="different")
    merge(other, old)
    minute()
    assert reviews() == [({old, one}, "different", "name_differs")]


def test_members_that_are_one_already_are_not_compared(tmall: Channel, wechat: Channel):
    one, other = one_by_mailbox(tmall, wechat)
    merge(one, other)
    MERGED.clear()
    minute()
    assert not MERGED and not MatchReview.objects.exists()


def test_a_merged_members_account_is_compared_as_the_survivors(tmall: Channel, wechat: Channel):
    one, other = masked_and_clear(tmall, wechat)
    survivor = sold(make.pos(), "old", name="柏舟")
    merge(survivor, other)
    minute()
    assert reviews() == [({survivor, one}, "open", "scored")]


def test_who_may_not_be_compared_is_left_out_and_forgotten(tmall: Channel, wechat: Channel):
    one, other = masked_and_clear(tmall, wechat)
    footprints.keep({one: [1], other: [1]})
    Member.objects.filter(pk=one).update(status="restricted")
    runs.compare_all()
    assert not MatchReview.objects.exists()
    assert list(Footprint.objects.values_list("member_id", flat=True)) == [other]


def test_a_merge_that_is_refused_is_put_before_a_person(tmall: Channel, wechat: Channel, settings):
    settings.SURE_MATCH = "tests.members.test_matching_runs.refuse"
    pair = one_by_mailbox(tmall, wechat)
    run = minute()
    assert run and (run.linked, run.asked) == (0, 1)
    assert reviews() == [(set(pair), "open", "scored")]


def test_without_anything_that_merges_a_person_is_asked(tmall: Channel, wechat: Channel, settings):
    settings.SURE_MATCH = ""
    pair = one_by_mailbox(tmall, wechat)
    minute()
    assert reviews() == [(set(pair), "open", "scored")]


def test_thresholds_are_settings(tmall: Channel, wechat: Channel, settings):
    settings.MATCH_LINK_SCORE = settings.MATCH_ASK_SCORE = 1.0
    one_by_mailbox(tmall, wechat)
    run = minute()
    assert run and (run.linked, run.asked) == (0, 0)


def test_the_watermark_goes_on_where_the_last_minute_ended(tmall: Channel, monkeypatch):
    monkeypatch.setattr(runs, "PORTION", 2)
    for number in range(3):  # all heard in one transaction, at the very same time
        sold(tmall, f"tb-{number}", name="梅花")
    assert [run and run.members for run in (minute(), minute(), minute())] == [2, 1, None]
    assert Footprint.objects.count() == 3
    known(tmall, buyer("tb-new", name="梅花"))
    run = minute()
    assert run and run.members == 1


def test_a_run_that_breaks_off_is_repeated(tmall: Channel, wechat: Channel, monkeypatch):
    pair = masked_and_clear(tmall, wechat)
    with monkeypatch.context() as patch, pytest.raises(MembersError, match="Matching broke off"):
        patch.setattr(runs.parameters, "shipped", lambda: _with_broken_odds())
        minute()
    assert not MatchRun.objects.exists()
    minute()
    assert reviews() == [(set(pair), "open", "scored")]


def _with_broken_odds() -> Any:
    raise runs.engine.MatchingFailed(kind="OutOfMemoryException")


def test_nothing_is_heard_that_may_still_be_uncommitted(tmall: Channel):
    sold(tmall, "tb", name="梅花")  # in this test's transaction, which began a moment ago
    assert runs.compare_new() is None


def test_the_night_counts_how_common_names_are_and_keeps_no_name(tmall: Channel):
    for number in range(3):
        sold(tmall, f"tb-{number}", name="张伟", city="上海")
    sold(tmall, "other", name="上官云珠", city="杭州")
    run = runs.compare_all()
    assert (run.kind, run.members) == ("night", 4)
    shares = footprints.known_shares({"name": ["张伟", "上官云珠"], "city": ["上海"]})
    assert shares == {"name": {"张伟": 0.003}, "city": {"上海": 0.003}}  # of a thousand at least
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v::text FROM members_valueshare v UNION ALL SELECT f::text FROM members_footprint f"
        )
        kept = "".join(row[0] for row in cursor.fetchall())
    assert kept and not any(word in kept for word in ("张", "zhang", "上海", "杭"))
    runs.compare_all()
    assert ValueShare.objects.filter(column="name").count() == 1


def test_the_night_and_the_minute_say_the_same(tmall: Channel, wechat: Channel, settings):
    settings.SURE_MATCH = ""
    one_by_mailbox(tmall, wechat)
    masked_and_clear(tmall, wechat)
    sold(make.pos(), "somebody", name="王芳", city="杭州")
    runs.compare_all()
    by_night = {frozenset(pair): score for *pair, score in _scores()}
    MatchReview.objects.filter(reason="scored").delete()
    MatchRun.objects.all().delete()
    minute()
    by_minute = {frozenset(pair): score for *pair, score in _scores()}
    assert by_minute.keys() == by_night.keys() and len(by_night) == 2
    assert all(by_minute[pair] == pytest.approx(by_night[pair], abs=1e-3) for pair in by_night)


def _scores() -> list[tuple[int, int, float | None]]:
    scored = MatchReview.objects.filter(reason="scored")
    return list(scored.values_list("member_id", "other_id", "score"))


def test_one_run_at_a_time(tmall: Channel):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [runs.LOCK])
        with pytest.raises(MatchingBusy):
            runs.compare_all()
        jobs.compare_new(0)  # leaves it to the next minute
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [runs.LOCK])
    finally:
        other.close()
    runs.compare_all()


def test_a_minute_without_anybody_new_asks_the_database_a_few_things_and_no_more(
    tmall: Channel, django_assert_max_num_queries
):
    with django_assert_max_num_queries(5):
        assert minute() is None


def test_a_comparison_costs_the_same_number_of_statements_however_many_are_new(
    tmall: Channel, wechat: Channel, settings, django_assert_max_num_queries
):
    settings.SURE_MATCH = ""
    for number in range(12):
        sold(tmall, f"tb-{number}", name="柏*", phone_masked="138****5678", city="杭州", birthday=BORN)
    with django_assert_max_num_queries(30):
        minute()


def test_the_evidence_is_told_in_the_readers_language(tmall: Channel, wechat: Channel):
    review = MatchReview(evidence={"same": ["phone"], "levels": {"name": "pinyin", "birthday": "near"}})
    assert evidence_words.in_words(review) == [
        "Same: Phone",
        "same pinyin, other characters",
        "birthday one digit apart",
    ]
    assert evidence_words.in_words(MatchReview(evidence={})) == []
    with translation.override("zh-hans"):
        assert len(evidence_words.in_words(review)) == 3


def test_the_list_shows_why_and_never_says_that_it_is_certain():
    listed = MatchReviewAdmin(MatchReview, admin.site)
    levels = {"name": "exact", "phone": "masked"}
    sure = MatchReview(reason="scored", score=0.999999, evidence={"same": [], "levels": levels})
    assert listed.score_in_percent(sure) == "99.9%"
    assert listed.evidence_in_words(sure) == "same name · same beginning and end of a masked phone"
    assert listed.score_in_percent(MatchReview(reason="name_differs")) is None


def test_nothing_personal_is_logged(tmall: Channel, wechat: Channel, caplog):
    caplog.set_level(0)
    one_by_mailbox(tmall, wechat)
    masked_and_clear(tmall, wechat)
    minute()
    runs.compare_all()
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert "members compared" in logged
    assert not any(word in logged for word in ("柏", "上官", "shangguan", "5678", "ruoxue", "19910423"))


def test_a_channel_of_another_brand_is_no_hindrance(wechat: Channel):
    pair = masked_and_clear(channels.make("tmall-2", "tmall", brand="other"), wechat)
    minute()
    assert reviews() == [(set(pair), "open", "scored")]
