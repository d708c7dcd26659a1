"""The review queue and the pages of merges, as customer service goes through them (A6)."""

import pytest
from django.test import Client

from members.models import MatchReview, Member, Merge
from privacy import roles
from privacy.models import AccessRecord
from tests.trade import Trade, buyer

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade() -> Trade:
    return Trade()


def member(trade: Trade, who: str) -> Member:
    return Member.objects.get(number=trade.buy(f"T-{who}", "100", buyer(who)).member_no)


@pytest.fixture
def mei(trade: Trade) -> Member:
    return member(trade, "mei")


@pytest.fixture
def again(trade: Trade) -> Member:
    return member(trade, "again")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(roles.make_staff(role, role)[0])
    return client


@pytest.fixture
def service() -> Client:
    return signed_in("service")


@pytest.fixture
def review(mei: Member, again: Member) -> MatchReview:
    evidence = {"same": ["phone"]}
    return MatchReview.objects.create(member=mei, other=again, reason="name_differs", evidence=evidence)


def test_the_queue_shows_both_in_numbers_and_the_same_are_merged(
    service: Client, review: MatchReview, mei: Member, again: Member
):
    page = service.get("/reviews/").content.decode()
    assert mei.number in page and again.number in page and "Both have the same: Phone" in page
    assert '<td class="sk-num sk-strong">200</td>' in page
    assert AccessRecord.objects.filter(action="view", member__in=[mei, again]).count() == 2
    answer = service.post(f"/reviews/{review.pk}/decide/", {"decision": "same"}, follow=True)
    assert f"{again.number} is {mei.number} now." in answer.content.decode()
    assert "No match waits for a decision" in answer.content.decode()
    assert Merge.objects.get().survivor == mei


def test_what_is_skipped_comes_last_and_different_is_remembered(
    trade: Trade, service: Client, review: MatchReview, mei: Member
):
    later = MatchReview.objects.create(member=mei, other=member(trade, "third"), reason="keys_disagree")
    answer = service.post(f"/reviews/{review.pk}/decide/", {"decision": "skip"}, follow=True)
    assert f"/reviews/{later.pk}/decide/" in answer.content.decode()
    service.post(f"/reviews/{later.pk}/decide/", {"decision": "different", "skip": str(review.pk)})
    answer = service.get("/reviews/")
    assert f"/reviews/{review.pk}/decide/" in answer.content.decode()
    later.refresh_from_db()
    assert (later.state, Merge.objects.count()) == ("different", 0)


def test_an_auditor_looks_and_decides_nothing(review: MatchReview):
    auditor = signed_in("auditor")
    assert "Same person" not in auditor.get("/reviews/").content.decode()
    assert auditor.post(f"/reviews/{review.pk}/decide/", {"decision": "same"}).status_code == 403
    assert auditor.get(f"/merges/{review.member.number}/").status_code == 403
    assert signed_in("marketing").get("/reviews/").status_code == 403


def test_by_hand_another_is_found_compared_merged_and_parted(service: Client, mei: Member, again: Member):
    assert "Never merged" in service.get(f"/merges/{mei.number}/").content.decode()
    nobody = service.post(f"/merges/{mei.number}/other/", {"asked": "13800000000"})
    assert (nobody.status_code, "Nobody has this" in nobody.content.decode()) == (404, True)
    found = service.post(f"/merges/{mei.number}/other/", {"asked": again.number})
    assert found.headers["Location"] == f"/merges/{mei.number}/with/{again.number}/"
    address = found.headers["Location"]
    assert "Choose whose value stays" in service.get(address).content.decode()
    refused = service.post(address, {"reason": "no"})
    assert (refused.status_code, Merge.objects.count()) == (400, 0)
    service.post(address, {"reason": "Same person", "joined_at": "other"})
    assert Merge.objects.get().choices["joined_at"] == "other"
    page = service.get(f"/members/{again.number}/")  # leads to the survivor
    assert page.context["member"] == mei
    service.post(f"/merges/{mei.number}/undo/", {"reason": "Two people"})
    assert not Merge.objects.get().is_open
