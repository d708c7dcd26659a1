"""Referral codes: a member's own word to pass on, and whose word it is (B9).

Drawn at random, so that nobody can guess another's or count members by them. Letters and digits that look
alike (O and 0, I, L and 1, U and V) are not used.
"""

import secrets
from collections.abc import Collection, Mapping

from django.db import IntegrityError, transaction

from loyalty.models import ReferralCode
from members import survivors
from members.models import Member

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10  # 30¹⁰: half a quadrillion
TRIES = 5
_SPACED = str.maketrans("", "", " -_")
_MAY_BRING = (Member.Status.ACTIVE, Member.Status.RESTRICTED)


def code_of(member_id: int) -> str:
    """The member's own code, drawn when it is first asked for; a merged member's is the survivor's."""
    return code_of_survivor(_survivors([member_id]).get(member_id, member_id))


def code_of_survivor(member_id: int) -> str:
    """The same for somebody who was found as they are now (`seeing.find`): one statement."""
    for _try in range(TRIES):
        found = ReferralCode.objects.filter(member=member_id).values_list("code", flat=True).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                return ReferralCode.objects.create(member_id=member_id, code=_draw()).code
        except IntegrityError:
            continue  # somebody asked at the same instant, or the code is another's: look again
    raise RuntimeError(f"No free referral code was drawn in {TRIES} tries.")


def _draw() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def cleaned(code: str) -> str:
    """A code as it was drawn, of one as it was typed: `k7qm-23xp` and `K7QM 23XP` are one."""
    return code.upper().translate(_SPACED)


def owners(codes: Collection[str]) -> Mapping[str, int]:
    """Whose codes these are, by the code as it was typed; who was erased is nobody. Three statements."""
    wanted = {code: cleaned(code) for code in codes}
    rows = dict(ReferralCode.objects.filter(code__in=set(wanted.values())).values_list("code", "member_id"))
    living = _survivors(set(rows.values()))
    return {
        code: living[rows[clean]] for code, clean in wanted.items() if clean in rows and rows[clean] in living
    }


def _survivors(member_ids: Collection[int]) -> Mapping[int, int]:
    """For each member the one they are now; who was erased is left out."""
    linked = survivors.linked(member_ids)
    everybody = {id_ for each in linked.values() for id_ in each}
    living = set(Member.objects.filter(pk__in=everybody, status__in=_MAY_BRING).values_list("pk", flat=True))
    return {
        member_id: survivor
        for member_id, each in linked.items()
        if (survivor := next((id_ for id_ in each if id_ in living), None)) is not None
    }
