"""Finding one member by what a person at a desk or a channel can name (A12, E1).

Search over personal data is exact, by keyed index, never by parts of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from members import columns
from members.cleaning import Unclean, clean_email, clean_phone
from members.errors import MemberNotFound
from members.facts import IdentifierKind
from members.keys import account_index
from members.models import Account, Channel, Member
from members.numbers import read_number
from privacy.crypto import blind_index

_HOLDER = """
SELECT m.* FROM members_identifier i JOIN members_member m ON m.id = i.member_id
 WHERE i.kind = %s AND i.scope = '' AND i.index = %s AND {leads}
 ORDER BY i.id LIMIT 1
"""


def find(
    *,
    phone: str = "",
    email: str = "",
    member_no: str = "",
    channel: Channel | None = None,
    external_id: str = "",
) -> Member:
    """The one member who answers to a phone, e-mail, member number or a channel's own id.

    Give one of them, as typed or scanned. A member who was merged is the one they were merged into.
    Raises MemberNotFound, also for what is no phone, e-mail or number at all.
    """
    if member_no:
        found = _by_number(member_no)
    elif phone:
        found = _by_key(IdentifierKind.PHONE, phone, clean_phone)
    elif email:
        found = _by_key(IdentifierKind.EMAIL, email, clean_email)
    elif channel and external_id:
        found = _by_account(channel, external_id)
    else:
        found = None
    if found is None:
        raise MemberNotFound
    return survivor(found)


def id_of(member_no: str) -> int:
    """The id of the member with this number, who for a merged one is the survivor.

    One small statement, and no personal column is read. Raises MemberNotFound.
    """
    number = read_number(member_no)
    if number is None:
        raise MemberNotFound
    found = columns.ask("SELECT id, status FROM members_member WHERE number = %s", [number])
    return acting(member_no, found[0] if found else None)


def acting(member_no: str, found: Sequence[Any] | None) -> int:
    """The id of a member whose id and status were found under a number, of the survivor for a merged one.

    Raises MemberNotFound, also when nothing was found.
    """
    if found is None:
        raise MemberNotFound
    id_, status = found
    return int(id_) if status == Member.Status.ACTIVE else find(member_no=member_no).pk


def of_number(member_no: str) -> Member:
    """The very member with this number, merged or not; for those who merge. Raises MemberNotFound."""
    found = _by_number(member_no)
    if found is None or found.status == Member.Status.ERASED:
        raise MemberNotFound
    return found


def survivor(member: Member) -> Member:
    """The member that this one was merged into, however often; itself when it was not.

    Raises MemberNotFound for one who was erased.
    """
    while member.merged_into is not None:
        member = member.merged_into
    if member.status == Member.Status.ERASED:
        raise MemberNotFound
    return member


def _by_number(text: str) -> Member | None:
    number = read_number(text)
    return Member.objects.filter(number=number).first() if number else None


def _by_key(kind: IdentifierKind, text: str, clean: Callable[[object], str | None]) -> Member | None:
    try:
        value = clean(text)
    except Unclean:
        return None
    if value is None:
        return None
    index = blind_index(value, purpose=kind.value)
    # Several may share a phone: the one whom it leads to, else whoever holds it longest. Asked one after
    # the other, as each has an index of its own: asked in one, PostgreSQL walks through all keys.
    for leads in ("i.leads", "NOT i.leads"):
        for member in Member.objects.raw(_HOLDER.format(leads=leads), [kind.value, index]):
            return member
    return None


def _by_account(channel: Channel, external_id: str) -> Member | None:
    account = (
        Account.objects.filter(channel=channel, external_index=account_index(channel, external_id))
        .select_related("member")
        .first()
    )
    return account.member if account else None
