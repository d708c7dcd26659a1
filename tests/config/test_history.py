"""What staff configure keeps its history, with the name of who changed it; postings pay nothing for it."""

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from members import channels
from members.models import Channel
from privacy import roles

pytestmark = pytest.mark.django_db


def test_a_changed_channel_keeps_what_it_was_also_when_changed_in_bulk() -> None:
    channel = channels.make("tmall", platform="tmall", name="Before")
    Channel.objects.filter(pk=channel.pk).update(name="After")
    kept = apps.get_model("members", "ChannelEvent").objects.filter(pgh_obj=channel.pk)
    names = kept.order_by("pgh_id").values_list("name", flat=True)
    assert list(names) == ["Before", "After"]


def test_a_change_in_the_console_names_who_made_it(client: Client) -> None:
    roles.apply_roles()
    roles.make_staff("boss", "admin", password="a-long-password-1")
    boss = User.objects.get(username="boss")
    client.force_login(boss)
    channel = channels.make("tmall", platform="tmall", name="Before")
    form = client.get(f"/admin/members/channel/{channel.pk}/change/").context["adminform"].form
    told = {name: form.initial.get(name) or "" for name in form.fields} | {"name": "After", "is_active": "on"}
    told["vouches_for"] = "[]"
    inlines = {"stores-TOTAL_FORMS": 0, "stores-INITIAL_FORMS": 0}
    answer = client.post(f"/admin/members/channel/{channel.pk}/change/", told | inlines)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    last = apps.get_model("members", "ChannelEvent").objects.filter(pgh_obj=channel.pk).latest("pgh_id")
    assert (last.name, last.pgh_context.metadata["user"]) == ("After", boss.pk)


def test_history_itself_cannot_be_changed() -> None:
    channels.make("tmall", platform="tmall")
    refused = pytest.raises(ProgrammingError, match="Cannot update or delete")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE members_channelevent SET name = 'forged'")
