"""What this floor tells of a member's life: visits, cases, consents, looks at their data (A12).

Readers of `members.timeline`; settings.TIMELINE names them.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members import cases as case_rules
from members import visits as visit_days
from members.models import Case, Event, Unbinding
from members.timeline import Happening, Reading
from members.visits import Visit
from privacy.access import fields_in_words
from privacy.models import AccessRecord, ConsentEvent
from privacy.models.consent import word_for


def visits(reading: Reading) -> Iterator[Happening]:
    """What the member did in a channel in one session of one day, counted; searches are not quoted."""
    before = reading.cursor.at if reading.cursor else None
    found = visit_days.latest(reading.member.pk, before=before, now=timezone.now(), enough=reading.limit)
    behind = [visit for visit in found if reading.holds(visit.last_at, visit.last_id)]
    kinds = dict(Event.Kind.choices)
    order = {kind: place for place, kind in enumerate(kinds)}
    for visit in behind[: reading.limit]:
        counts = [
            _("%(what)s × %(count)s") % {"what": kinds.get(kind, kind), "count": count}
            for kind, count in sorted(visit.kinds.items(), key=lambda each: (-each[1], order[each[0]]))
        ]
        details = [" · ".join(counts), _of_visit(visit), ", ".join(sorted(visit.products)[:3])]
        yield Happening(
            kind="event",
            at=visit.last_at,
            key=visit.last_id,
            what=_("Visit: %(channel)s") % {"channel": visit.channel_name},
            details=[detail for detail in details if detail],
        )


def _of_visit(visit: Visit) -> str:
    began, last = timezone.localtime(visit.began_at), timezone.localtime(visit.last_at)
    parts = []
    if last - began >= timedelta(minutes=1):
        parts.append(f"{began:%H:%M} – {last:%H:%M}")
    if visit.seconds:
        parts.append(_("stayed %(time)s") % {"time": in_words(timedelta(seconds=visit.seconds))})
    if visit.entrance:
        parts.append(_("by way of %(entrance)s") % {"entrance": visit.entrance})
    return " · ".join(parts)


def cases(reading: Reading) -> Iterator[Happening]:
    """Returns, complaints, questions: how far they are, how soon they were answered, how content one was."""
    rows = Case.objects.filter(member__in=reading.person).select_related("channel").defer("words", "answer")
    kinds, states = dict(Case.Kind.choices), dict(Case.State.choices)
    for case in reading.latest(rows, "opened_at"):
        where = [
            str(case.channel),
            case.order_number and _("Order %(number)s") % {"number": case.order_number},
            case.feedback_channel,
        ]
        details = [case.question_type, " · ".join(part for part in where if part), *_answers(case)]
        yield Happening(
            kind="case",
            at=case.opened_at,
            key=case.pk,
            what=str(kinds.get(case.kind, case.kind)),
            details=[detail for detail in details if detail],
            badge=str(states.get(case.state, case.state)),
        )


def _answers(case: Case) -> Iterator[str]:
    if case.first_response_at:
        yield _("Answered after %(time)s") % {"time": in_words(case.first_response_at - case.opened_at)}
    elif case.state not in case_rules.ENDED:
        yield _("Not answered yet")
    if case.closed_at:
        yield _("Closed after %(time)s") % {"time": in_words(case.closed_at - case.opened_at)}
    if case.satisfaction is not None:
        yield _("Satisfaction %(points)s of 10") % {"points": case.satisfaction}


def in_words(time: timedelta) -> str:
    """How long something took, as roughly as people say it."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 120:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    if minutes < 48 * 60:
        hours = round(minutes / 60)
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    days = round(minutes / 60 / 24)
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


def consents(reading: Reading) -> Iterator[Happening]:
    """What the member agreed to and withdrew, how and after which notice."""
    rows = ConsentEvent.objects.filter(member__in=reading.person)
    methods = dict(ConsentEvent.Method.choices)
    for event in reading.latest(rows, "happened_at"):
        purpose = word_for(event.purpose, ConsentEvent.Purpose)
        said = _("Agreed: %(purpose)s") if event.granted else _("Withdrawn: %(purpose)s")
        notice = _("notice %(version)s") % {"version": event.notice_version} if event.notice_version else ""
        way = word_for(event.channel, ConsentEvent.Way)
        parts = [str(methods.get(event.method, event.method)), way, event.party, notice]
        yield Happening(
            kind="consent",
            at=event.happened_at,
            key=event.pk,
            what=said % {"purpose": purpose},
            details=[" · ".join(part for part in parts if part)],
        )


def unbindings(reading: Reading) -> Iterator[Happening]:
    """Accounts that somebody of ours ended, and why."""
    rows = Unbinding.objects.filter(member__in=reading.person).select_related("account__channel", "actor")
    for row in reading.latest(rows, "at"):
        yield Happening(
            kind="account",
            at=row.at,
            key=row.pk,
            what=_("Unbound by us: %(channel)s") % {"channel": row.account.channel.name},
            details=[row.reason],
            by=row.actor.get_username(),
        )


def looks(reading: Reading) -> Iterator[Happening]:
    """Looks at this member, not lists they stood in: those are on the trail, and would drown the rest."""
    for record in reading.latest(AccessRecord.objects.filter(member__in=reading.person), "recorded_at"):
        details = [", ".join(fields_in_words(record)), record.reason]
        yield Happening(
            kind="access",
            at=record.recorded_at,
            key=record.pk,
            what=_("%(look)s: %(who)s")
            % {"look": AccessRecord.Action(record.action).label, "who": record.actor_label},
            details=[detail for detail in details if detail],
        )
