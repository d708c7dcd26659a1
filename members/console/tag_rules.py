"""Rules by which members get tags: the list, and the builder with its sentence and its count (A13)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import tag_conditions, tag_rules
from members.console import tag_form
from members.console.tag_form import Form
from members.models import TagRule
from members.tag_rules import Preview
from privacy import roles
from privacy.errors import ShukeError

VIEW = "members.list"


@require_GET
def _overview(request: HttpRequest) -> HttpResponse:
    """Every rule with its sentence and what its last run came to."""
    channels = tag_rules.channel_names()
    rules = [
        {"rule": rule, "sentence": tag_rules.in_words(rule, channels=channels)}
        for rule in tag_rules.with_last_run()
    ]
    return _page(request, "list.html", {"title": _("Tags by rule"), "rules": rules})


@require_http_methods(["GET", "POST"])
def _write(request: HttpRequest, rule_id: int | None = None) -> HttpResponse:
    """The builder of one rule; its buttons add and drop rows, count, and save."""
    rule = get_object_or_404(TagRule.objects.select_related("tag"), pk=rule_id) if rule_id else None
    channels = tag_rules.channel_names()
    if request.method == "GET":
        document = rule.conditions if rule else None
        return _builder(request, rule, tag_form.opened(document, rule.tag.name if rule else "", channels))
    _require_writer(request)
    name = rule.tag.name if rule else " ".join(request.POST.get("name", "").split())
    form = tag_form.posted(request.POST, name, channels)
    action = request.POST.get("do", "")
    if action == "count" and form.conditions:
        return _builder(request, rule, form, is_counted=True, preview=tag_rules.count(form.conditions))
    if action == "save" and form.conditions:
        return _save(request, rule, form)
    status = 400 if action in ("count", "save") else 200
    return _builder(request, rule, form, status=status)


def _save(request: HttpRequest, rule: TagRule | None, form: Form) -> HttpResponse:
    assert form.conditions is not None, "what is not finished is not saved"
    try:
        if rule is None:
            tag_rules.make(form.name, form.conditions, actor_id=request.user.pk)
        else:
            tag_rules.change(rule, form.conditions)
    except ShukeError as refusal:
        form.error = str(refusal)
        return _builder(request, rule, form, status=refusal.status)
    messages.success(request, _("Saved. The tag is being given and taken now, and then each night."))
    return HttpResponseRedirect(reverse("tag-rules:list"))


@require_POST
def _apply(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Let the worker apply a rule now."""
    _require_writer(request)
    tag_rules.ask_to_apply(get_object_or_404(TagRule, pk=rule_id))
    messages.success(request, _("The tag is being given and taken now."))
    return HttpResponseRedirect(reverse("tag-rules:list"))


@require_POST
def _switch(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Switch a rule off, which takes its tags away, or on again."""
    _require_writer(request)
    rule = get_object_or_404(TagRule, pk=rule_id)
    conditions = tag_conditions.read(rule.conditions, channels=tag_rules.channel_names())
    tag_rules.change(rule, conditions, is_active=not rule.is_active)
    off = _("The rule is off: its tags are being taken away.")
    messages.success(request, _("The rule is on again.") if rule.is_active else off)
    return HttpResponseRedirect(reverse("tag-rules:list"))


def _require_writer(request: HttpRequest) -> None:
    if not roles.can(request.user, tag_rules.VERB):
        raise PermissionDenied


def _builder(
    request: HttpRequest,
    rule: TagRule | None,
    form: Form,
    *,
    is_counted: bool = False,
    preview: Preview | None = None,
    status: int = 200,
) -> HttpResponse:
    title = _("Rule for the tag %(name)s") % {"name": rule.tag.name} if rule else _("New tag rule")
    context = {"title": title, "rule": rule, "form": form, "is_counted": is_counted, "preview": preview}
    return _page(request, "builder.html", context, status=status)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    may_write = roles.can(request.user, tag_rules.VERB)
    whole = {**admin.site.each_context(request), "may_write": may_write, **context}
    return render(request, f"members/tags/{template}", whole, status=status)


def _inside(view: Any) -> Any:
    """A page of the console for those who may see lists of members."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not roles.can(request.user, VIEW):
            raise PermissionDenied
        response: HttpResponse = view(request, **arguments)
        return response

    return admin.site.admin_view(page)


overview, write = _inside(_overview), _inside(_write)
apply, switch = _inside(_apply), _inside(_switch)
