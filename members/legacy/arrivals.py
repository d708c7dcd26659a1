"""Arrivals: members of an old system come in as its accounts; nobody is welcomed a second time (A16).

They were given what joining brings by the system they come from. Who they are is decided as for any account:
by the surest key, and what may be two people waits for a human.
"""

from collections.abc import Sequence

from django.db.models.functions import Now

from members import accounts, columns
from members.accounts import AccountReceipt
from members.facts import AccountFact
from members.keys import account_index, external_id_of
from members.models import Channel, ImportRun


def receive(
    channel: Channel, facts: Sequence[AccountFact], *, actor_id: int | None = None, import_id: int
) -> list[AccountReceipt]:
    """Take in members, and note on the rows of their package which accounts they are. One receipt a fact."""
    now = ImportRun.objects.filter(pk=import_id).values_list(Now(), flat=True).get()
    receipts = accounts.receive(channel, facts, now=now, actor_id=actor_id)
    columns.tell(
        """
        UPDATE members_legacyrow r
           SET account_id = nullif(told.account_id, 0), state = told.state, code = told.code
          FROM unnest(%s::bytea[], %s::bigint[], %s::text[], %s::text[]) AS told(index, account_id, state,
                                                                               code)
         WHERE r.run_id = (SELECT id FROM members_legacyrun WHERE members_run_id = %s)
           AND r.kind = 'members' AND r.state = 'waiting' AND r.account_index = told.index
        """,
        [
            columns.blobs([_index(channel, fact) for fact in facts]),
            columns.numbers([receipt.account_id for receipt in receipts]),
            columns.words([_OUTCOMES.get(receipt.outcome, "rejected") for receipt in receipts]),
            columns.texts(["" if receipt.outcome in _OUTCOMES else _code(receipt) for receipt in receipts]),
            import_id,
        ],
    )
    return receipts


_OUTCOMES = {"new": "new", "changed": "changed", "same": "same", "stale": "same"}


def _index(channel: Channel, fact: AccountFact) -> bytes:
    return account_index(channel, external_id_of(fact, channel))


def _code(receipt: AccountReceipt) -> str:
    return receipt.error.code if receipt.error is not None else "buyer_missing"
