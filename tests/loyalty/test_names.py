"""Rules and milestones are called by their names where they have one, and else by their code (B14)."""

import copy
from typing import Any

import pytest
from django.utils import translation

from loyalty import grant_lines, publishing, reward_words, statement, tier_paths
from loyalty.clauses import Book
from loyalty.conditions import SHANGHAI
from loyalty.errors import ProgrammeInvalid
from loyalty.models import Claim, Entry, ProgrammeVersion
from loyalty.names import called
from loyalty.programme import parse
from tests.api import Api
from tests.boutique import TOTE, Boutique
from tests.trade import PROGRAMME, Trade, buyer

pytestmark = pytest.mark.django_db

LOYAL = {"zh-hans": "忠实顾客", "en": "Loyal customer"}
DOUBLE = {"zh-hans": "双倍积分日", "en": "Double day"}


def section(name: dict[str, str] | None) -> dict[str, Any]:
    named = {"name": name} if name else {}
    big = {"field": "order.paid", "op": ">=", "value": "10"}
    return {"milestones": [{"code": "m1", **named, "when": big, "then": {"points": 5, "tier": "silver"}}]}


def rule(name: dict[str, str] | None) -> dict[str, Any]:
    return {"code": "r1", **({"name": name} if name else {}), "then": {"factor": "2"}}


def bought(rule_name: dict[str, str] | None, milestone_name: dict[str, str] | None) -> tuple[Trade, int]:
    trade = Trade(rules=[rule(rule_name)], sections=section(milestone_name))
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    return trade, member


@pytest.mark.parametrize(("language", "words"), [("en", "Loyal customer"), ("zh-hans", "忠实顾客")])
def test_a_milestone_is_called_by_its_name_in_the_readers_language(language: str, words: str) -> None:
    _trade, mei = bought(DOUBLE, LOYAL)
    with translation.override(language):
        sentences = [line.sentence for line in grant_lines.page(mei)]
        gift = next(each for each in statement.entries(mei) if each.why.get("source") == "milestone")
        steps = [step.sentence for step in tier_paths.steps(mei)]
    assert all(words in each and "m1" not in each for each in sentences)
    assert words in gift.sentence
    assert gift.explanation.clauses[0].name == words
    assert any(words in each for each in steps)


def test_what_has_no_name_goes_by_its_code() -> None:
    _trade, mei = bought(None, None)
    assert all("Milestone m1" in line.sentence for line in grant_lines.page(mei))
    order = next(each for each in statement.entries(mei) if "base" in each.why)
    assert order.sentence.endswith("(r1)")
    assert [clause.name for clause in order.explanation.clauses] == ["", "r1"]
    assert "called" not in Entry.objects.get(why__has_key="base").why["rules"][0]


def test_a_rule_is_called_by_its_name() -> None:
    _trade, mei = bought(DOUBLE, LOYAL)
    order = next(each for each in statement.entries(mei) if "base" in each.why)
    assert order.sentence.endswith("= 200 (Double day)")
    assert [clause.name for clause in order.explanation.clauses] == ["", "Double day"]


def test_the_api_answers_code_and_name() -> None:
    trade = Trade(rules=[rule(DOUBLE)], sections=section(LOYAL))
    trade.buy("T1", "100", buyer("mei"))
    told = {
        "status": "completed",
        "paid_at": trade.now.isoformat(),
        "amounts": {"goods": "100.00"},
        "buyer": {"external_id": "cai"},
    }
    body = Api(trade.tmall).put("/orders/T3/", told).body
    assert {(thing["code"], thing["source_name"]) for thing in body["given"]} == {("m1", "Loyal customer")}
    assert body["points"]["sentence"].endswith("(Double day)")


def test_a_gift_is_given_for_the_milestone_by_its_name() -> None:
    tote = {"code": "TOTE", "name": {"en": "Tote"}, "kind": "gift", "points": 500, "stock": 2}
    gift = section(LOYAL)["milestones"][0] | {"then": {"gift": "TOTE"}}
    trade = Trade(sections={"milestones": [gift], "rewards": [tote]})
    trade.buy("T1", "100", buyer("mei"))
    claim = Claim.objects.get()
    assert reward_words.name_of(claim.why, claim.reward) == "Tote"
    assert reward_words.sentence(claim.why) == "Given for Loyal customer, by version 1"


def test_what_was_given_keeps_its_name_when_the_milestone_is_renamed() -> None:
    trade, mei = bought(None, LOYAL)
    renamed = {**LOYAL, "en": "Our best"}
    trade.publish({**PROGRAMME, "rules": [rule(None)], **section(renamed)})
    assert all("Loyal customer" in line.sentence for line in grant_lines.page(mei))


def test_a_stored_version_without_names_loads_and_is_the_same_document() -> None:
    document = {**PROGRAMME, "rules": [rule(None)], **section(None)}
    trade = Trade(rules=[rule(None)], sections=section(None))
    stored = ProgrammeVersion.objects.get(pk=trade.programme.pk)
    held = publishing.load_all().by_id(stored.pk)
    assert (held.rules[0].name, held.rules[0].called, held.grants.milestones[0].name) == ({}, "r1", {})
    assert "name" not in stored.document["rules"][0]
    assert parse(copy.deepcopy(document)).rules[0].called == "r1"
    assert called({"code": "m1"}) == called({"code": "m1", "called": "by a channel"}) == "m1"


@pytest.mark.parametrize("where", ["rules", "milestones"])
def test_a_name_that_is_none_is_refused_with_its_place(where: str) -> None:
    document: dict[str, Any] = copy.deepcopy({**PROGRAMME, "rules": [rule(DOUBLE)], **section(LOYAL)})
    document[where][0]["name"] = {"fr": "Le double"}
    with pytest.raises(ProgrammeInvalid) as refused:
        parse(document)
    assert any(f"{where}[0].name" in str(each) for each in refused.value.details["problems"])


def test_a_book_names_what_was_given_before_names_were_kept() -> None:
    trade = Trade(sections=section(LOYAL))
    why = {"source": "milestone", "code": "m1", "version": trade.programme.number}
    (clause,) = Book().of_grant(why)
    assert clause.name == "Loyal customer"


def test_a_points_sale_is_called_by_its_name_and_else_by_its_code() -> None:
    def claimed(**named: Any) -> str:
        shop.offer({**TOTE, "sales": [shop.sale(**named)]})
        shop.claim(cause=f"c{len(named)}")
        return reward_words.sentence(Claim.objects.latest("pk").why)

    shop = Boutique()
    assert "in the sale NOON" in claimed()
    assert "in the sale Noon at the shop" in claimed(name={"en": "Noon at the shop"})


@pytest.mark.parametrize(("language", "words"), [("en", "(Birthday treat)"), ("zh-hans", "生日礼遇")])
def test_a_factor_that_no_rule_wrote_reads_as_words(language: str, words: str) -> None:
    tiers = copy.deepcopy(PROGRAMME["tiers"])
    tiers[0]["benefits"]["birthday"] = {"factor": "2"}
    trade = Trade(sections={"tiers": tiers})
    born = buyer("mei", birthday=trade.now.astimezone(SHANGHAI).date().replace(year=1988))
    member = trade.buy("T1", "100", born).member_id
    assert member is not None
    with translation.override(language):
        (order,) = [each for each in statement.entries(member) if "base" in each.why]
        assert words in order.sentence and "birthday-basic" not in order.sentence
        assert order.explanation.clauses[-1].name in words
    assert order.points == 200


@pytest.mark.parametrize(("language", "words"), [("en", "Member day"), ("zh-hans", "会员日")])
def test_what_is_promised_of_a_member_day_reads_as_words_though_its_version_is_gone(
    language: str, words: str
) -> None:
    with translation.override(language):
        assert called({"code": "member-day", "added": 5}) == words
        assert called({"code": "member-day", "called": DOUBLE}) == DOUBLE[language]
    assert called({"code": "member-days"}) == "member-days"
