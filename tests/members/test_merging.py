"""Two members who are one person: their profile, their consents, their keys, and the API of it (A6)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from loyalty import coupons
from loyalty.errors import CouponNotUsable
from members import accounts, merging, reviews, seeing, survivors
from members.errors import (
    AlreadyMerged,
    DecidedDifferent,
    MergeNotLatest,
    MergeOfOne,
    MergeOfOwn,
    ReviewDecided,
)
from members.facts import AccountFact, ConsentFact
from members.models import MatchReview, Member, Merge, OutboxEvent
from privacy import consent, roles
from tests.api import Api
from tests.coupon_shop import goods
from tests.trade import Trade, buyer, phone, proven

pytestmark = pytest.mark.django_db
COUPON = {
    "code": "TEN",
    "name": {"en": "Ten"},
    "kind": "amount",
    "value": "10",
    "per_member": 1,
    "valid": {"days": 30},
}


@pytest.fixture
def trade() -> Trade:
    return Trade(sections={"coupons": [COUPON]})


@pytest.fixture
def lin() -> User:
    return roles.make_staff("lin", "service")[0]


def told(trade: Trade, who: AccountFact, **facts: object) -> Member:
    (receipt,) = accounts.receive(trade.tmall, [who], now=trade.now)
    return Member.objects.get(pk=receipt.member_id)


@pytest.fixture
def mei(trade: Trade) -> Member:
    return told(trade, buyer("mei", phone("+8613812345678"), name="梅", city="杭州市"))


@pytest.fixture
def again(trade: Trade) -> Member:
    return told(trade, buyer("again", phone("+8613987654321"), name="李梅", province="浙江省"))


def merge(one: Member, other: Member, actor: User | None = None, **how: object) -> Merge:
    actor_id = actor.pk if actor else None
    return merging.merge(one.pk, other.pk, actor_id=actor_id, reason="Same person", **how)  # type: ignore[arg-type]


def unmerge(made: Merge, actor: User) -> Merge:
    return merging.unmerge(made.pk, actor_id=actor.pk, reason="Two people")


def known(member: Member) -> dict[str, object]:
    """What is known of a member, in clear: sealed anew it is other bytes."""
    member.refresh_from_db()
    return {field.name: getattr(member, field.attname) for field in Member._meta.concrete_fields}


def test_the_survivor_has_what_was_chosen_and_gets_back_what_was(mei: Member, again: Member, lin: User):
    before = known(mei), known(again)
    made = merge(mei, again, lin, choices={"name": "other", "phone": "survivor"})
    after = known(mei)
    assert [after[each] for each in ("name", "phone", "city", "province")] == [
        "李梅",
        "+8613812345678",
        "杭州市",
        "浙江省",
    ]
    assert seeing.find(phone="13987654321") == seeing.find(member_no=again.number) == mei
    unmerge(made, lin)
    # The revision is how often the channels were told of another profile: twice since.
    assert (known(mei), known(again)) == ({**before[0], "revision": after["revision"] + 1}, before[1])  # type: ignore[operator]
    assert seeing.find(phone="13987654321") == again


def test_what_was_edited_since_stays_edited(mei: Member, again: Member, lin: User):
    made = merge(mei, again, lin, choices={"name": "other"})
    Member.objects.filter(pk=mei.pk).update(city="上海市")
    unmerge(made, lin)
    mei.refresh_from_db()
    assert (mei.name, mei.city, mei.province) == ("梅", "上海市", "")


def says(trade: Trade, who: str, granted: bool, channel: str = "sms", days: int = 0) -> None:
    word = ConsentFact(
        purpose="marketing", granted=granted, channel=channel, at=trade.now - timedelta(days=days)
    )
    accounts.receive(trade.tmall, [buyer(who, consents=(word,))], now=trade.now)


@pytest.mark.parametrize("first", [True, False])
def test_a_no_of_either_is_a_no_and_says_why(
    trade: Trade, mei: Member, again: Member, lin: User, first: bool
):
    says(trade, "mei", first, days=2)
    says(trade, "again", not first, days=1)
    made = merge(mei, again, lin)
    assert not consent.allowed(mei, "marketing", "sms")
    event = consent.deciding(mei, "marketing", "sms")
    if first:
        assert event is not None and (event.method, event.source) == ("merge", f"merge:{made.pk}")
    unmerge(made, lin)
    assert consent.allowed(mei, "marketing", "sms") is first
    assert consent.allowed(again, "marketing", "sms") is not first


def test_a_yes_of_one_alone_is_a_yes_and_a_later_no_of_the_other_account_holds(
    trade: Trade, mei: Member, again: Member, lin: User
):
    says(trade, "again", True, days=1)
    made = merge(mei, again, lin)
    assert consent.allowed(mei, "marketing", "sms")
    says(trade, "again", False)
    assert not consent.allowed(mei, "marketing", "sms")
    unmerge(made, lin)
    assert consent.current(mei).get(("marketing", "sms", "")) is False
    assert not consent.allowed(again, "marketing", "sms")


def test_a_no_to_any_channel_outweighs_a_yes_to_one(trade: Trade, mei: Member, again: Member, lin: User):
    says(trade, "mei", False, "any", days=3)
    says(trade, "again", True, "sms", days=1)
    merge(mei, again, lin)
    assert not consent.allowed(mei, "marketing", "sms")


def test_merges_are_undone_latest_first(trade: Trade, mei: Member, again: Member, lin: User):
    third = told(trade, buyer("third"))
    first, second = merge(mei, again, lin), merge(third, mei, lin)
    assert set(survivors.linked([again.pk])[again.pk]) == {mei.pk, again.pk, third.pk}
    with pytest.raises(MergeNotLatest):
        unmerge(first, lin)
    unmerge(second, lin)
    unmerge(first, lin)
    assert set(survivors.linked([again.pk])[again.pk]) == {again.pk}
    assert proven()


def test_nobody_is_merged_twice_or_with_themselves(trade: Trade, mei: Member, again: Member, lin: User):
    merge(mei, again, lin)
    for one, other in ((mei, again), (again, mei)):
        with pytest.raises(AlreadyMerged):
            merge(one, other, lin)
    with pytest.raises(MergeOfOne):
        merge(mei, mei, lin)
    lin.staff_profile.member = told(trade, buyer("lin"))
    lin.staff_profile.save()
    with pytest.raises(MergeOfOwn):
        merge(mei, lin.staff_profile.member, lin)
    assert Merge.objects.count() == 1


def test_two_people_stay_two_for_the_matching_and_not_for_a_person(mei: Member, again: Member, lin: User):
    review = MatchReview.objects.create(member=mei, other=again, reason="name_differs")
    reviews.decide(review.pk, same=False, actor_id=lin.pk, reason="Asked them")
    assert reviews.following() is None
    with pytest.raises(DecidedDifferent):
        merge(mei, again)
    made = merge(mei, again, lin)
    assert reviews.find(review.pk).state == "same"
    unmerge(made, lin)
    assert reviews.find(review.pk).state == "different"
    with pytest.raises(ReviewDecided):
        reviews.decide(review.pk, same=True, actor_id=lin.pk, reason="Asked them")


def test_the_coupon_of_the_merged_is_used_by_the_survivor(
    trade: Trade, mei: Member, again: Member, lin: User
):
    code = coupons.give(again.pk, "TEN", reason="Late parcel", nonce="one", actor_id=None).code
    with pytest.raises(CouponNotUsable):
        coupons.use(code, channel=trade.app, order_no="C1", member_id=mei.pk, lines=goods("200"))
    merge(mei, again, lin)
    assert [held.code for held in coupons.usable(mei.pk, trade.now)] == [code]
    with pytest.raises(CouponNotUsable):  # one a member, and this is one member
        coupons.give(mei.pk, "TEN", reason="Late parcel", nonce="two", actor_id=None)
    coupons.use(code, channel=trade.app, order_no="C1", member_id=mei.pk, lines=goods("200"))
    assert proven()


def test_both_channels_are_told(mei: Member, again: Member, lin: User):
    made = merge(mei, again, lin)
    unmerge(made, lin)
    for topic in ("member.merged", "member.unmerged"):
        events = OutboxEvent.objects.filter(topic=topic).order_by("member_id")
        assert [event.member_id for event in events] == [mei.pk, again.pk]
        assert events[0].payload == {
            "merge_id": made.pk,
            "member_no": mei.number,
            "other_no": again.number,
        }


def test_by_api_a_merge_is_previewed_made_and_undone(trade: Trade, mei: Member, again: Member, lin: User):
    trade.give(mei.pk, 100, "a")
    trade.give(again.pk, 50, "b")
    api = Api(lin)
    seen = api.get(f"/members/{mei.number}/merge-preview/?other={again.number}")
    assert (seen.status, seen.body["points"], seen.body["tier"]) == (200, [100, 50, 150], ["basic"] * 3)
    phones = next(each for each in seen.body["fields"] if each["field"] == "phone")
    assert (phones["survivor"], phones["agreement"]) == ("138****5678", "different")
    asked = {"other": again.number, "reason": "Same person", "choices": {"phone": "other"}}
    made = api.once(f"/members/{mei.number}/merge/", asked, key="once")
    assert (made.status, made.body["choices"]["phone"]) == (201, "other")
    assert api.once(f"/members/{mei.number}/merge/", asked, key="once").body == made.body
    assert api.once(f"/members/{mei.number}/merge/", asked).code == "members.already_merged"
    undone = api.once(f"/members/{again.number}/unmerge/", {"reason": "Two people"})
    assert (undone.status, undone.body["merge_id"]) == (200, made.body["merge_id"])
    assert api.once(f"/members/{mei.number}/unmerge/", {"reason": "Two people"}).status == 404


def test_by_api_a_merge_needs_no_reason_and_its_reverse_is_refused(mei: Member, again: Member, lin: User):
    api = Api(lin)
    made = api.once(f"/members/{mei.number}/merge/", {"other": again.number, "choices": {}})
    assert (made.status, made.body["reason"]) == (201, "Merged by API")
    reverse = api.once(f"/members/{again.number}/merge/", {"other": mei.number})
    assert (reverse.status, reverse.code) == (409, "members.already_merged")
    assert api.get(f"/members/{again.number}/merge-preview/?other={mei.number}").status == 409
    with_themselves = api.once(f"/members/{mei.number}/merge/", {"other": mei.number})
    assert with_themselves.code == "members.merge_of_one"
    assert api.once(f"/members/{mei.number}/unmerge/", {}).status == 200


def test_by_api_reviews_are_listed_and_decided(mei: Member, again: Member, lin: User):
    review = MatchReview.objects.create(
        member=mei, other=again, reason="name_differs", evidence={"same": ["phone"]}
    )
    auditor = Api(roles.make_staff("audrey", "auditor")[0])
    (row,) = auditor.get("/reviews/").body["reviews"]
    assert (row["id"], row["state"], row["evidence"]) == (review.pk, "open", {"same": ["phone"]})
    assert auditor.post(f"/reviews/{review.pk}/decide/", {"same": True}).status == 403
    decided = Api(lin).post(f"/reviews/{review.pk}/decide/", {"same": True})
    assert (decided.status, decided.body["state"]) == (200, "same")
    assert Merge.objects.get().survivor == mei
    assert Api(lin).post("/reviews/99/decide/", {"same": True}).code == "members.review_not_found"
