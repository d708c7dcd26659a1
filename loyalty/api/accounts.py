"""Accounts by API: the buyers of a channel, with their tier and points (A2, A3).

They live on this floor because the answer says what a buyer has in the programme.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import accounts, referrals
from loyalty.api import answers, examples, shapes
from loyalty.referrals import Brought
from members import accounts as members_accounts
from members.accounts import AccountReceipt
from members.api import batches
from members.api.answers import moment
from members.api.shapes import Account as AccountBody
from members.api.shapes import AccountBatch, described
from members.api.view import ApiView
from members.facts import AccountFact
from members.models import Account, Scope
from members.reading import read_account, read_external_id
from privacy.masking import mask

PROFILE = {"name": "name", "nick": "name", "birthday": "birthday"}  # field: its mask


class OneAccount(ApiView):
    """/accounts/{external_id}/."""

    scope = Scope.ACCOUNTS

    @described(
        "accounts_put",
        request=AccountBody,
        answers={200: shapes.AccountAnswer, 201: shapes.AccountAnswer},
        refusals=(409,),
        example=examples.ACCOUNT,
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Put a buyer of this channel as it knows them: 201 when the account is new."""
        external_id = read_external_id(external_id)
        told = read_account(request.data, external_id)
        with transaction.atomic():
            (receipt,) = accounts.receive(self.channel, [told.fact])
            if receipt.error is not None:
                raise receipt.error
            standing = accounts.standings([receipt.member_id])[receipt.member_id]
            brought = _brought([told.fact], [receipt])
        answer = answers.account(receipt, standing, brought.get(receipt.member_id))
        answer = {"external_id": external_id} | answer | batches.ignored(told)
        return Response(answer, status=answers.status_of(receipt.outcome))

    @described("accounts_get", answers={200: shapes.AccountSeen}, refusals=(404,))
    def get(self, request: Request, external_id: str) -> Response:
        """What this channel has told of a buyer, masked unless the key has members.personal."""
        account = members_accounts.get(self.channel, read_external_id(external_id))
        clear = self.sees_clear()
        if clear:
            self.note_reveal(account.member, PROFILE)
        standing = accounts.standings([account.member_id])[account.member_id]
        return Response(_seen(account, external_id, standing, clear))

    @described("accounts_delete", answers={204: None}, refusals=(404,))
    def delete(self, request: Request, external_id: str) -> Response:
        """Unbind: the buyer left the programme in this channel. Their points stay."""
        members_accounts.unbind(self.channel, read_external_id(external_id), now=timezone.now())
        return Response(status=204)


class AccountBatches(ApiView):
    """POST /accounts/batch/."""

    scope = Scope.ACCOUNTS

    @described("accounts_batch", request=AccountBatch, answers={200: shapes.AccountsOfBatch})
    def post(self, request: Request) -> Response:
        """Up to 1,000 buyers; each is answered in its place."""
        items = batches.items_of(request.data, "accounts")
        answer = batches.answer(
            items, read_account, lambda facts: accounts.receive(self.channel, facts), _receipts, _name
        )
        return Response({"items": answer})


def _brought(facts: Sequence[AccountFact], receipts: Sequence[AccountReceipt]) -> Mapping[int, Brought]:
    """How it stands with those who were told with somebody's code; a code that is nobody's brought nobody."""
    told = [receipt.member_id for fact, receipt in zip(facts, receipts, strict=True) if fact.referred_by]
    standing = referrals.standing(told)
    return {id_: standing.get(id_, Brought(state=referrals.UNKNOWN_CODE)) for id_ in told}


def _name(fact: AccountFact) -> dict[str, Any]:
    return {"external_id": fact.external_id} if fact.external_id else {}


def _receipts(receipts: Sequence[AccountReceipt]) -> list[dict[str, Any]]:
    standings = accounts.standings({receipt.member_id for receipt in receipts})
    brought = referrals.standing([receipt.member_id for receipt in receipts if receipt.outcome == "new"])
    return [
        {"status": answers.status_of(receipt.outcome)}
        | answers.account(receipt, standings[receipt.member_id], brought.get(receipt.member_id))
        for receipt in receipts
    ]


def _seen(account: Account, external_id: str, standing: accounts.Standing, clear: bool) -> dict[str, Any]:
    profile = {field: getattr(account, field) for field in PROFILE}
    return {
        "external_id": external_id,
        "member_no": account.member.number,
        "matched_by": account.linked_by,
        "is_masked": not clear,
        "profile": {
            **{
                field: str(value or "") if clear else mask(PROFILE[field], value)
                for field, value in profile.items()
            },
            "gender": account.gender,
            "province": account.province,
            "city": account.city,
        },
        "joined_at": moment(account.joined_at),
        "unbound_at": moment(account.unbound_at),
        "version": account.version,
        "tier": standing.tier,
        "points": answers.points(standing.figures),
    }
