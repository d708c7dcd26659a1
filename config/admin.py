"""Lists of what other packages keep, in the console's look: staff and jobs."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from unfold.widgets import UnfoldAdminTextInputWidget

from config.filters import JOB_STATES, JobFilter, StaffFilter
from members import staff
from privacy import roles
from privacy.errors import ReasonMissing, ShukeError
from privacy.lists import ReadOnlyAdmin

for foreign in (User, Group, ProcrastinateJob):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


class MembershipForm(forms.ModelForm):
    """Which member a member of staff is: about that one they decide nothing (privacy.approvals)."""

    own_member = forms.CharField(
        label=_("Own member number"),
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Whoever is a member too approves nothing about their own membership."),
    )
    why = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Wanted when a number is changed or removed: a second person decides that."),
    )

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profile = roles.profile_of(self.instance)
        self.initial["own_member"] = profile.member.number if profile and profile.member else ""

    def clean(self) -> dict[str, Any]:
        """What cannot be noted is said at its field."""
        cleaned: dict[str, Any] = super().clean() or {}
        number, why = cleaned.get("own_member", "").strip(), cleaned.get("why", "")
        try:
            staff.judge(self.instance.staff_profile, number, reason=why)
        except ReasonMissing as refusal:
            self.add_error("why", str(refusal))
        except ShukeError as refusal:
            self.add_error("own_member", str(refusal))
        return {**cleaned, "own_member": number}


@admin.register(User)
class StaffAdmin(ReadOnlyAdmin):
    """Who works here and in which role; people are made by `make_staff`."""

    form = MembershipForm
    list_display = ["username", "role", "store", "own_membership", "is_active", "last_login"]
    # Named one by one: the rest of an account, its password's digest above all, is nobody's to read.
    readonly_fields = ["username", "role", "store", "is_active", "last_login", "date_joined"]
    fields = [*readonly_fields, "own_member", "why"]
    filterset_class = StaffFilter
    list_select_related = ["staff_profile__member"]
    search_fields = ["username"]
    ordering = ["username"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of one who has a role, the membership alone."""
        return roles.can(request.user, "staff.manage") and (obj is None or roles.profile_of(obj) is not None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Who may only look sees the membership as it is noted."""
        if self.has_change_permission(request, obj):
            return self.fields
        return [*self.readonly_fields, "own_membership"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, "own_membership"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Nothing of the account is written: the membership is noted, or asked for."""
        said, person = form.cleaned_data, User.objects.get(username=request.user.get_username())
        if staff.set_membership(obj, said["own_member"], person, reason=said["why"]) is not None:
            messages.info(request, _("A second person decides. It is done when they approve."))

    @admin.display(description=_("own membership"))
    def own_membership(self, user: User) -> str:
        profile = roles.profile_of(user)
        return profile.member.number if profile and profile.member else "—"

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        profile = roles.profile_of(user)
        return profile.get_role_display() if profile else "—"

    @admin.display(description=_("store"))
    def store(self, user: User) -> str:
        profile = roles.profile_of(user)
        return profile.store_code if profile else ""


JOB_FIELDS = {
    "id": _("job"),
    "task_name": _("task"),
    "queue_name": _("queue"),
    "attempts": _("attempts"),
    "scheduled_at": _("scheduled at"),
    "args": _("arguments"),
    "priority": _("precedence"),
    "lock": _("lock"),
    "queueing_lock": _("lock of the queue"),
    "abort_requested": _("to be aborted"),
}


def _name_jobs() -> None:
    """procrastinate names its rows in English alone; names that are set here are in no migration."""
    options = ProcrastinateJob._meta
    options.app_config.verbose_name = _("System")
    options.verbose_name, options.verbose_name_plural = _("job"), _("jobs")
    for field in options.fields:
        field.verbose_name = JOB_FIELDS.get(field.name, field.verbose_name)


_name_jobs()


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """Work in the background. Jobs name rows by their ids and carry no personal data."""

    list_display = ["id", "task_name", "queue_name", "state", "attempts", "scheduled_at", "args"]
    filterset_class = JobFilter
    fields = readonly_fields = [*list_display, "priority", "lock", "queueing_lock", "abort_requested"]
    ordering = ["-id"]

    @admin.display(description=_("state"), ordering="status")
    def state(self, job: ProcrastinateJob) -> str:
        return str(JOB_STATES.get(job.status, job.status))


if admin.site.is_registered(ProcrastinateEvent):
    admin.site.unregister(ProcrastinateEvent)
