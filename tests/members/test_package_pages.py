"""The pages of migrations: look, tie out, let in by a second person, take back."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty.models import Wallet
from members import jobs
from members.models import ImportRun, LegacyRun
from privacy import roles
from privacy.models import AccessRecord
from tests.old_shop import LOTS, MEMBERS, OldShop


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def shop(db, tmp_path):
    return OldShop(tmp_path / "old")


@pytest.fixture
def sign_in(client, db):
    def as_role(role, name=""):
        user, _ = roles.make_staff(name or f"the-{role}", role)
        client.force_login(user)
        client.cookies["django_language"] = "en"
        return client

    return as_role


def upload(client, shop, **totals):
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in sorted(shop.folder.iterdir())]
    asked = {f"expect-{name}": total for name, total in totals.items()}
    return client.post("/migrations/", {"channel": "oldshop", "files": files, **asked}, follow=True)


def work_through():
    """What a worker does: each waiting job, once."""
    for job in ProcrastinateJob.objects.filter(status="todo", task_name__contains="package").order_by("id"):
        getattr(jobs, job.task_name.removeprefix("members."))(**job.args)
        ProcrastinateJob.objects.filter(pk=job.pk).delete()


def test_the_way_of_a_package_through_the_pages(shop, sign_in, settings):
    settings.ENVIRONMENT = "production"
    shop.write(members=MEMBERS, lots=LOTS)
    client = sign_in("admin")
    upload(client, shop, members="3")
    run = LegacyRun.objects.get()
    work_through()

    page = client.get(f"/migrations/{run.pk}/").content.decode()
    assert "not told" in page and "Ready to migrate" in page
    page = client.post(f"/migrations/{run.pk}/expect/", {"more": "points = 450"}, follow=True)
    assert "not told" not in page.content.decode()

    page = client.post(f"/migrations/{run.pk}/start/", follow=True).content.decode()
    assert "A second person must start this migration" in page
    client = sign_in("admin", "another-admin")
    client.post(f"/migrations/{run.pk}/start/")
    work_through()
    run.refresh_from_db()
    assert run.state == "done"

    shop.trade.spend(shop.member("波").pk, 20)
    page = client.post(f"/migrations/{run.pk}/undo/", {"spent": "refuse"}, follow=True).content.decode()
    assert "20 points" in page
    assert client.get(f"/migrations/{run.pk}/used.csv").content.decode("utf-8-sig").count("\n") == 2
    assert AccessRecord.objects.filter(action="export", model="members.LegacyRun").count() == 1
    client.post(f"/migrations/{run.pk}/undo/", {"spent": "keep"})
    work_through()

    assert "Taken back" in client.get(f"/migrations/{run.pk}/").content.decode()
    assert set(Wallet.objects.values_list("balance", flat=True)) == {0}


def test_who_may_not_migrate_is_refused(shop, sign_in):
    shop.write(members=MEMBERS)
    run = shop.read(members=3)

    client = sign_in("auditor")
    assert client.get("/migrations/").status_code == 200
    assert client.post(f"/migrations/{run.pk}/start/").status_code == 403
    assert upload(client, shop).status_code == 403
    assert sign_in("marketing").get(f"/migrations/{run.pk}/").status_code == 403


def test_a_package_lies_on_no_page_of_imports(shop, sign_in):
    shop.write(members=MEMBERS)
    run = shop.read(members=3)
    client = sign_in("admin")

    assert "members.csv" not in client.get("/imports/").content.decode()
    page = client.post(f"/imports/{run.members_run_id}/start/", follow=True)
    assert page.redirect_chain[-1][0] == f"/migrations/{run.pk}/"
    assert ImportRun.objects.get().state == "ready"


def test_rejected_rows_are_shown_and_taken_away(shop, sign_in):
    shop.write(members=MEMBERS, lots=[{**LOTS[0], "points": "-1"}])
    run = shop.read(members=3, points=0)
    client = sign_in("admin")

    page = client.get(f"/migrations/{run.pk}/").content.decode()
    assert "cannot be negative" in page
    assert "points_negative" in client.get(f"/migrations/{run.pk}/rejected.csv").content.decode()
    assert client.get("/migrations/999/").status_code == 404
