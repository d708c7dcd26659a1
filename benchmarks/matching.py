"""Scored matching of made-up people, beside Splink alone on the very frame that we prepare for it."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from benchmarks import processes
from benchmarks.bench import Bench, Row
from benchmarks.stopwatch import stopwatch
from members import channels, columns
from members.agreement import clean_name
from members.keys import account_index
from members.matching import decisions, engine, evaluation, parameters, people
from members.matching.engine import Model
from members.matching.features import Description, features_of
from members.matching.people import Labelled
from members.models import Account, Channel, Identifier, MatchReview, MatchRun, Member
from members.numbers import number_of
from members.profiles import name_index
from privacy.crypto import blind_index

BATCH = 2_000
NEW = 1_000
# People of the labelled set for a member of it: some are there more than once.
PEOPLE_A_MEMBER = 0.75
_COMMAND = (sys.executable, "manage.py", "match_members", "--json")


def measure_matching(bench: Bench) -> Iterator[Row]:
    """Everybody at night, and a thousand new ones in a minute."""
    number = round(bench.members * PEOPLE_A_MEMBER)
    new_number = min(NEW, bench.members // 10)
    labelled = people.labelled(seed=2, people=number + new_number)
    # Descriptions come in no order, so that the last ones are of people who are known and of others.
    known, new = labelled[:-new_number], labelled[-new_number:]
    channel = channels.make("matching", "wechat")
    bench.say(f"making {len(known):,} members")
    _pass_over_the_others()
    persons = _make(channel, known, heard_at=timezone.now() - timedelta(hours=1))
    with _nobody_is_merged():
        yield from _night(known, persons)
        # Heard a moment after what the night has compared, and long enough ago to be settled.
        heard_until = MatchRun.objects.latest("id").heard_until
        assert heard_until is not None
        persons |= _make(channel, new, heard_at=heard_until + timedelta(milliseconds=1))
        yield from _minute(known, new, persons)


def _night(labelled: Sequence[Labelled], persons: dict[int, int]) -> Iterator[Row]:
    idle = processes.run(*_COMMAND, "--help").seconds
    ran = processes.run(*_COMMAND, "--all")
    alone = _splink_alone([each.told for each in labelled])
    seconds = ran.seconds - idle
    done = json.loads(ran.said)
    yield Row(
        work="matching of everybody",
        size=f"{done['members']:,} members, {done['pairs']:,} pairs",
        measured=f"{seconds:.1f} s, at most {ran.peak_mib:,.0f} MiB",
        beside=f"Splink alone on the same frame {alone:.1f} s",
        ratio=seconds / alone,
        faults=_wrong(persons),
    )


def _minute(known: Sequence[Labelled], new: Sequence[Labelled], persons: dict[int, int]) -> Iterator[Row]:
    idle = processes.run(*_COMMAND, "--help").seconds
    ran = processes.run(*_COMMAND)
    alone = _splink_between([each.told for each in known], [each.told for each in new])
    seconds = ran.seconds - idle
    done = json.loads(ran.said)
    yield Row(
        work="matching of new members",
        size=f"{done['members']:,} new, {len(known):,} known",
        measured=f"{seconds:.1f} s, at most {ran.peak_mib:,.0f} MiB",
        beside=f"Splink alone, all known ones in its memory {alone:.1f} s",
        ratio=seconds / alone,
        faults=_wrong(persons) + abs(done["members"] - len(new)),
    )


def _splink_alone(told: Sequence[Description]) -> float:
    """Seconds that Splink takes for the frame, once it is there."""
    with engine.private_database() as database:
        engine.load(database, "told", map(features_of, told))
        with stopwatch() as seconds:
            model = evaluation.model_over(database, "told", parameters.shipped(), members=len(told))
            model.all_pairs(least=parameters.thresholds()[1])
        return seconds()


def _splink_between(known: Sequence[Description], new: Sequence[Description]) -> float:
    """Seconds that Splink takes for new ones against all known ones, whose frame and shares are there."""
    with engine.private_database() as database:
        engine.load_both(database, new=map(features_of, new), known=map(features_of, known))
        model: Model = evaluation.model_over(database, "met", parameters.shipped(), members=len(known))
        with stopwatch() as seconds:
            model.new_pairs(known="met_known", new="met_new", least=parameters.thresholds()[1])
        return seconds()


def _wrong(persons: dict[int, int]) -> int:
    """How many more pairs would have been linked wrongly than may be."""
    link, _ask = parameters.thresholds()
    sure = [
        (review.member_id, review.other_id)
        for review in MatchReview.objects.filter(reason="scored", score__gte=link)
        if decisions.is_telling(review.evidence["levels"])
    ]
    wrong = sum(persons[one] != persons[other] for one, other in sure)
    return max(0, wrong - round(len(sure) * (1 - evaluation.PRECISE)))


@contextmanager
def _nobody_is_merged() -> Iterator[None]:
    """Sure pairs are put before a person: what a merge costs is measured elsewhere."""
    before = os.environ.get("SURE_MATCH")
    os.environ["SURE_MATCH"] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ["SURE_MATCH"]
        else:
            os.environ["SURE_MATCH"] = before


def _pass_over_the_others() -> None:
    """What other measurements have brought in is not compared here."""
    Member.objects.filter(status=Member.Status.ACTIVE).update(status=Member.Status.RESTRICTED)


def _make(channel: Channel, labelled: Sequence[Labelled], *, heard_at: datetime) -> dict[int, int]:
    """Members with an account each, as they were told; member id → person."""
    # Ids before the rows, as the member number is made from the id.
    drawn = "SELECT nextval(pg_get_serial_sequence('members_member', 'id')) FROM generate_series(1, %s)"
    ids = [pk for (pk,) in columns.ask(drawn, [len(labelled)])]
    persons = {pk: each.person for pk, each in zip(ids, labelled, strict=True)}
    rows = iter(zip(ids, labelled, strict=True))
    while batch := list(islice(rows, BATCH)):
        Member.objects.bulk_create(_member(pk, each.told, channel) for pk, each in batch)
        accounts = [_account(pk, each.told, channel, heard_at) for pk, each in batch]
        Account.objects.bulk_create(accounts)
        Identifier.objects.bulk_create(
            Identifier(
                member_id=account.member_id,
                account=account,
                kind=kind,
                index=blind_index(value, purpose=kind),
                value=value,
                leads=False,
            )
            for account, (_pk, each) in zip(accounts, batch, strict=True)
            for kind, value in (("phone", each.told.phone), ("email", each.told.email))
            if value
        )
    return persons


def _member(pk: int, told: Description, channel: Channel) -> Member:
    name = clean_name(told.name)
    return Member(
        pk=pk,
        number=number_of(pk),
        name=name,
        name_index=name_index(name),
        phone=told.phone,
        email=told.email,
        birthday=told.birthday,
        gender=told.gender,
        province=told.province,
        city=told.city,
        recruited_channel=channel,
        joined_at=timezone.now(),
    )


def _account(member_id: int, told: Description, channel: Channel, heard_at: datetime) -> Account:
    external_id = f"matching-{member_id}"
    return Account(
        channel=channel,
        member_id=member_id,
        external_id=external_id,
        external_index=account_index(channel, external_id),
        name=told.name,
        birthday=told.birthday,
        gender=told.gender,
        phone_masked=told.phone_masked or "",
        province=told.province,
        city=told.city,
        linked_by="new",
        heard_at=heard_at,
    )
