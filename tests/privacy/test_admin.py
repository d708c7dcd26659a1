import pytest
from django.urls import reverse
from django.utils import timezone

from privacy import access, consent, notices
from privacy.models import AccessRecord, ConsentEvent, Notice

MODELS = ["accessrecord", "consentevent", "notice"]


@pytest.fixture
def rows(mei):
    access.note(None, "view", model="members.Member", member=mei, label="system")
    consent.give(mei, "marketing", channel="sms")
    notices.publish_defaults()
    return {
        "accessrecord": AccessRecord.objects.get().pk,
        "consentevent": ConsentEvent.objects.get().pk,
        "notice": Notice.objects.earliest("pk").pk,
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("role", ["privacy", "auditor"])
def test_those_who_watch_see_the_lists(client, staff, rows, model, role):
    client.force_login(staff(role))
    assert client.get(reverse(f"admin:privacy_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:privacy_{model}_change", args=[rows[model]])).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nobody_edits_them(client, staff, rows, model):
    client.force_login(staff("privacy"))
    change = reverse(f"admin:privacy_{model}_change", args=[rows[model]])
    assert client.post(change, {"reason": "x"}).status_code == 403
    assert client.get(reverse(f"admin:privacy_{model}_add")).status_code == 403
    delete = reverse(f"admin:privacy_{model}_delete", args=[rows[model]])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert AccessRecord.objects.count() == ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(("role", "status"), [("marketing", 403), ("service", 403), ("clerk", 302)])
def test_others_see_no_trail(client, staff, rows, role, status):
    client.force_login(staff(role))
    assert client.get(reverse("admin:privacy_accessrecord_changelist")).status_code == status


def test_a_long_list_costs_no_query_a_row(client, staff, mei, django_assert_max_num_queries):
    AccessRecord.objects.bulk_create(
        AccessRecord(actor_label="system", action="view", model="members.Member", member=mei)
        for _ in range(90)
    )
    client.force_login(staff("auditor"))
    with django_assert_max_num_queries(15):
        assert client.get(reverse("admin:privacy_accessrecord_changelist")).status_code == 200
    assert AccessRecord.objects.filter(recorded_at__lte=timezone.now()).count() == 90
