"""What members agree to, as channels and staff tell it, and told on to the other channels (D1, A14)."""

from collections.abc import Sequence

from django.db import transaction

from members import outbox
from members.models import Member
from privacy import consent
from privacy.consent import Telling, Word
from privacy.models import ConsentEvent


@transaction.atomic
def tell(member: Member, words: Sequence[Word], *, telling: Telling) -> list[ConsentEvent]:
    """Record the words of a member; answers those that are new. Raises PartyMissing, PurposeInvalid.

    The channels are told which purpose has changed, not how: who may know asks for it.
    """
    recorded = consent.record(member, words, telling=telling)
    outbox.put(
        [
            outbox.Change(
                topic="consent.changed",
                change=f"consent:{event.pk}",
                member_id=member.pk,
                channel_id=None,
                payload={"member_no": member.number, "purpose": event.purpose, "way": event.channel},
            )
            for event in recorded
        ]
    )
    return recorded
