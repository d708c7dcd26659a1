"""The matching at work: each minute who is new, each night everybody (A5).

Promises: members that a person has decided upon, or is being asked about, are never asked about again;
who was merged is compared as the survivor; a run that breaks off has decided nothing, and the next one
begins where the last whole one ended. A link is one transaction: the review that says why, and the merge.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import duckdb
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from members import columns
from members.errors import MatchingBusy
from members.matching import comparing, decisions, descriptions, engine, footprints, parameters
from members.matching.engine import Model, Scored
from members.matching.features import features_of
from members.models import MatchReview, MatchRun, Member
from privacy.errors import ShukeError

log = logging.getLogger(__name__)

LOCK = 1_397_245_542  # one run at a time
PORTION = 5_000  # accounts that a minute compares at the most
# Clocks of the processes that hear of accounts may differ, and some take their time before they begin.
SETTLING = timedelta(seconds=30)
State, Reason = MatchReview.State, MatchReview.Reason


class Heard(NamedTuple):
    """How far the accounts have been compared: up to a time, and of those of that very time up to an id."""

    until: datetime | None
    account_id: int


def compare_new(*, until: datetime | None = None) -> MatchRun | None:
    """Compare members whose accounts are new or were told again since the last run; None for none.

    `until`: heard before this; by default before the oldest transaction that may still be hearing of some.
    Raises MatchingBusy while another run is going on, MatchingFailed when the engine breaks off.
    """
    with _alone():
        started = timezone.now()
        members, heard = _news(_last_heard(), until or _settled())
        if not members:
            return None
        with engine.private_database() as database:
            pairs, compared = _score_new(database, members)
        return _conclude(MatchRun.Kind.MINUTE, pairs, started=started, members=compared, heard=heard)


def compare_all() -> MatchRun:
    """Compare everybody with everybody whom a rule brings together, and count anew how common values are.

    Raises as compare_new().
    """
    with _alone():
        started = timezone.now()
        # Whoever is heard while this runs may be missed by it, and is left to the minute.
        heard = Heard(_settled(), 0)
        least = parameters.thresholds()[1]
        with engine.private_database() as database:
            engine.load(database, "everybody", map(features_of, descriptions.of_everybody()))
            members = engine.members_in(database, "everybody")
            common = engine.least_common(members)
            shares = engine.shares_of(database, "everybody", comparing.frequency_columns(), least=common)
            model = _model(database, "everybody", members=members, shares=shares)
            pairs = model.all_pairs(least=least)
            with transaction.atomic():
                footprints.forget_the_gone()
                for chunk in engine.features_in(database, "everybody"):
                    footprints.keep(footprints.keys_by_member(chunk))
                footprints.keep_shares(shares)
        return _conclude(MatchRun.Kind.NIGHT, pairs, started=started, members=members, heard=heard)


# ------------------------------------------------------------------------------------------ who is heard


@contextmanager
def _alone() -> Iterator[None]:
    ((is_ours,),) = columns.ask("SELECT pg_try_advisory_lock(%s)", [LOCK])
    if not is_ours:
        raise MatchingBusy
    try:
        yield
    finally:
        columns.ask("SELECT pg_advisory_unlock(%s)", [LOCK])


def _settled() -> datetime:
    """Accounts heard before this are all there: no transaction that is going on began earlier."""
    ((oldest,),) = columns.ask(
        """
        SELECT least(min(xact_start), clock_timestamp()) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """
    )
    assert isinstance(oldest, datetime)
    return oldest - SETTLING


def _last_heard() -> Heard:
    last = MatchRun.objects.order_by("-id").first()
    return Heard(last.heard_until, last.account_id) if last else Heard(None, 0)


def _news(last: Heard, until: datetime) -> tuple[list[int], Heard]:
    """The members whose accounts were heard since, a portion at most, and how far that comes."""
    rows = columns.ask(
        """
        SELECT heard_at, id, member_id FROM members_account
         WHERE heard_at >= coalesce(%s, '-infinity'::timestamptz) AND heard_at < %s
           AND (heard_at, id) > (coalesce(%s, '-infinity'::timestamptz), %s)
         ORDER BY heard_at, id LIMIT %s
        """,
        [last.until, until, last.until, last.account_id, PORTION],
    )
    if not rows:
        return [], last
    merged = _Survivors.read()
    members = sorted({merged.of(member_id) for _, _, member_id in rows})
    return members, Heard(rows[-1][0], rows[-1][1])


# ---------------------------------------------------------------------------------------------- scoring


def _score_new(database: duckdb.DuckDBPyConnection, members: Sequence[int]) -> tuple[list[Scored], int]:
    """The pairs of new members with known ones and among themselves; and how many new ones there were."""
    new = [features_of(told) for told in descriptions.of(members)]
    keys = footprints.keys_by_member(new)
    footprints.keep(keys)
    if not keys:
        return [], 0
    known = (features_of(told) for told in descriptions.of(footprints.sharing(keys)))
    engine.load_both(database, new=new, known=known)
    everybody = max(Member.objects.filter(status=Member.Status.ACTIVE).count(), len(keys))
    values = engine.values_in(database, "met", comparing.frequency_columns())
    shares = footprints.known_shares(values)
    if not any(shares.values()):  # before the first night: as common as among those who are compared
        shares = engine.shares_of(database, "met", comparing.frequency_columns(), least=2)
    model = _model(database, "met", members=everybody, shares=shares)
    least = parameters.thresholds()[1]
    return model.new_pairs(known="met_known", new="met_new", least=least), len(keys)


def _model(database: duckdb.DuckDBPyConnection, table: str, *, members: int, shares: engine.Shares) -> Model:
    known = parameters.shipped()
    return Model(
        database,
        table,
        comparing.among(known.odds, members, measured_among=known.people),
        prior=known.prior(members),
        shares=shares,
        rare=engine.rare_share(members),
    )


# ------------------------------------------------------------------------------------------- conclusions


@dataclass(slots=True)
class _Survivors:
    """Into whom members were merged, of those who were."""

    into: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "_Survivors":
        return cls(
            dict(
                columns.ask("SELECT id, merged_into_id FROM members_member WHERE merged_into_id IS NOT NULL")
            )
        )

    def of(self, member: int) -> int:
        while member in self.into:
            member = self.into[member]
        return member


def _conclude(
    kind: str, pairs: Sequence[Scored], *, started: datetime, members: int, heard: Heard
) -> MatchRun:
    """Link and ask, and write down what was done and how far it came."""
    survivors = _Survivors.read()
    link, ask = parameters.thresholds()
    decided = decisions.decide(
        _undecided(pairs, survivors), link=link, ask=ask, questions=settings.MATCH_QUESTIONS
    )
    unlinked = [pair for pair in decided.link if not _link(pair, survivors)]
    linked = len(decided.link) - len(unlinked)
    asked = _ask([*unlinked, *decided.ask], survivors)
    log.info("matching, %s: %s members compared, %s linked, %s asked about", kind, members, linked, asked)
    return MatchRun.objects.create(
        kind=kind,
        parameters=parameters.shipped().version,
        started_at=started,
        finished_at=timezone.now(),
        members=members,
        pairs=len(pairs),
        linked=linked,
        asked=asked,
        heard_until=heard.until,
        account_id=heard.account_id,
    )


def _undecided(pairs: Sequence[Scored], survivors: _Survivors) -> list[Scored]:
    """Without those that somebody has decided upon or is being asked about, under whatever number."""
    members = {member for pair in pairs for member in (pair.one, pair.other)}
    merged = {member for member in survivors.into if survivors.of(member) in members}
    rows = columns.ask(
        """
        SELECT member_id, other_id FROM members_matchreview
         WHERE member_id = ANY(%s::bigint[]) OR other_id = ANY(%s::bigint[])
        """,
        [columns.numbers(sorted(members | merged))] * 2,
    )
    known = {frozenset((survivors.of(one), survivors.of(other))) for one, other in rows}
    return [pair for pair in pairs if frozenset((pair.one, pair.other)) not in known]


def _link(pair: Scored, survivors: _Survivors) -> bool:
    """Let two members be one; False where a person has to look at it after all."""
    if not settings.SURE_MATCH:
        return False
    merge = import_string(settings.SURE_MATCH)
    survivor, other = sorted((survivors.of(pair.one), survivors.of(pair.other)))
    if survivor == other:
        return True
    try:
        with transaction.atomic():
            if not _write_reviews([pair], survivors, state=State.SAME):
                return False  # somebody has been asked about them meanwhile
            merge(survivor, other, actor_id=None, reason=str(Reason.SCORED), evidence=evidence_of(pair))
    except ShukeError as refusal:
        log.warning("a sure match was not linked: %s", refusal.code)
        return False
    survivors.into[other] = survivor
    return True


def _ask(pairs: Sequence[Scored], survivors: _Survivors) -> int:
    """Put pairs before a person; how many of them were not there yet."""
    return _write_reviews(
        [pair for pair in pairs if survivors.of(pair.one) != survivors.of(pair.other)],
        survivors,
        state=State.OPEN,
    )


def evidence_of(pair: Scored) -> dict[str, Any]:
    """Why two members are taken to be one: kinds and levels, no values."""
    return {"same": [], "levels": pair.levels, "parameters": parameters.shipped().version}


def _write_reviews(pairs: Sequence[Scored], survivors: _Survivors, *, state: str) -> int:
    if not pairs:
        return 0
    return columns.tell(
        """
        INSERT INTO members_matchreview (member_id, other_id, reason, score, evidence, state, decided_at)
        SELECT member_id, other_id, %s, score, evidence::jsonb, %s, CASE WHEN %s <> 'open' THEN now() END
          FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::text[])
               AS told(member_id, other_id, score, evidence)
            ON CONFLICT DO NOTHING
        """,
        [
            Reason.SCORED,
            state,
            state,
            columns.numbers([survivors.of(pair.one) for pair in pairs]),
            columns.numbers([survivors.of(pair.other) for pair in pairs]),
            "{" + ",".join(repr(pair.score) for pair in pairs) + "}",
            columns.texts([columns.document(evidence_of(pair)) for pair in pairs]),
        ],
    )
