"""The import pages: who may, and the way of a file through them. The jobs are called as a worker would."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from procrastinate.contrib.django.models import ProcrastinateJob

from members import channels, jobs
from members.models import ImportReject, ImportRun, Order
from privacy import roles
from tests.members.platform_files import jd_row, order, text, tmall
from tests.trade import Trade

State = ImportRun.State


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db):
    return Trade()


@pytest.fixture
def sign_in(client, db):
    def as_role(role):
        user, _ = roles.make_staff(f"the-{role}", role)
        client.force_login(user)
        client.cookies["django_language"] = "en"
        return client

    return as_role


def upload(client, *contents, **fields):
    sent = [SimpleUploadedFile(f"orders-{place}.csv", content) for place, content in enumerate(contents)]
    return client.post("/imports/", {"files": sent, **fields}, follow=True)


def work_through():
    """What a worker does: each waiting job, once."""
    for job in ProcrastinateJob.objects.filter(status="todo", task_name__startswith="members.").order_by(
        "id"
    ):
        job_of = {
            "members.read_import": jobs.read_import,
            "members.apply_import": jobs.apply_import,
            "members.undo_import": jobs.undo_import,
        }
        job_of[job.task_name](**job.args)


def test_it_works(trade, sign_in):
    client = sign_in("marketing")
    page = upload(client, tmall(order(1, "mei"), order(2, "bo", "x")))
    run = ImportRun.objects.get()
    assert run.channel == trade.tmall  # found by the columns
    assert "every 1s" in page.content.decode()

    work_through()
    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "Import 1 row" in page
    assert "every 1s" not in page
    assert "This is not an amount in yuan" in page

    client.post(f"/imports/{run.pk}/start/")
    work_through()
    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "Report" in page
    assert Order.objects.count() == 1
    assert ImportRun.objects.get().state == State.DONE


def test_the_wrong_file_is_undone_from_its_page(trade, sign_in):
    client = sign_in("marketing")
    upload(client, tmall(order(1, "mei"), order(2, "bo")))
    work_through()
    run = ImportRun.objects.get()
    assert "Undo this import" not in client.get(f"/imports/{run.pk}/").content.decode()
    client.post(f"/imports/{run.pk}/start/")
    work_through()
    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "2 orders that this file brought are called off" in page

    client.post(f"/imports/{run.pk}/undo/")
    assert "every 1s" in client.get(f"/imports/{run.pk}/").content.decode()
    work_through()
    client.post(f"/imports/{run.pk}/undo/")  # a late second click

    page = client.get(f"/imports/{run.pk}/").content.decode()
    assert "Undo this import" not in page
    assert "the-marketing" in page
    assert set(Order.objects.values_list("status", flat=True)) == {"cancelled"}
    run.refresh_from_db()
    assert run.state == State.UNDONE
    assert run.undone_by is not None and run.undone_by.get_username() == "the-marketing"


def test_a_rejected_row_is_put_right_beside_its_reason(trade, sign_in):
    client = sign_in("marketing")
    upload(client, tmall(order(1, "mei"), order(2, "bo", "50.00", **{"买家实际支付金额": "x"})))
    work_through()
    run = ImportRun.objects.get()
    fault = ImportReject.objects.get()

    client.post(f"/imports/{run.pk}/correct/", {f"cell-{fault.pk}": " 50.00 "})
    ProcrastinateJob.objects.filter(args__run_id=run.pk).delete()
    work_through()

    fresh = ImportRun.objects.exclude(pk=run.pk).get()
    page = client.get(f"/imports/{fresh.pk}/").content.decode()
    assert "orders-0-corrected.csv" in page and "Import 1 row" in page
    assert sign_in("auditor").post(f"/imports/{run.pk}/correct/").status_code == 403


def test_rejected_rows_are_downloaded(trade, sign_in):
    client = sign_in("marketing")
    upload(client, tmall(order(2, "bo", "x")))
    work_through()

    answer = client.get(f"/imports/{ImportRun.objects.get().pk}/rejected.csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert answer.content.decode("utf-8-sig").splitlines()[1].startswith("2,")


def test_files_of_two_platforms_find_their_channels(trade, sign_in):
    jd = channels.make("jd", platform="jd")

    upload(
        sign_in("admin"),
        tmall(order(1, "mei")),
        text(["订单号", *jd_row("1", "A", "1")][1:], [jd_row("1001", "A", "50.00")]),
    )

    assert {run.channel for run in ImportRun.objects.all()} == {trade.tmall, jd}


def test_a_script_gets_the_card_or_the_reason(trade, sign_in):
    client = sign_in("marketing")
    sent = {"files": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")}

    answer = client.post("/imports/", sent, headers={"X-Shuke-Script": "1"})

    assert "Choose the channel" in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_a_file_beyond_the_limit_is_refused_with_the_reason(trade, sign_in, settings):
    settings.UPLOAD_LIMIT = 1000

    page = upload(sign_in("marketing"), b"a" * 5000)

    assert "The file is larger than" in page.content.decode()
    assert not ImportRun.objects.exists()


def test_columns_are_chosen_by_hand(trade, sign_in):
    client = sign_in("marketing")
    content = text(
        ["Nr", "Wann", "Wieviel"], [{"Nr": "Z1", "Wann": "2026-06-01", "Wieviel": "12.00"}], "utf-8"
    )
    upload(client, content, channel="tmall")
    work_through()
    run = ImportRun.objects.get()
    assert run.state == State.COLUMNS

    page = client.get(f"/imports/{run.pk}/columns/?kind=orders").content.decode()
    assert "Nr (Z1)" in page
    missing = client.post(f"/imports/{run.pk}/columns/", {"kind": "orders", "date_order": "ymd"})
    assert missing.status_code == 400
    client.post(
        f"/imports/{run.pk}/columns/",
        {
            "kind": "orders",
            "date_order": "ymd",
            "amounts_on": "order",
            "column-number": "Nr",
            "column-placed_at": "Wann",
            "column-paid": "Wieviel",
        },
    )
    work_through()

    assert ImportRun.objects.get().state == State.READY


def test_a_run_is_stopped_resumed_and_discarded_by_buttons(trade, sign_in):
    client = sign_in("marketing")
    upload(client, tmall(order(1, "mei")))
    work_through()
    run = ImportRun.objects.get()
    client.post(f"/imports/{run.pk}/start/")

    client.post(f"/imports/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.state == State.STOPPED
    client.post(f"/imports/{run.pk}/resume/")
    work_through()
    run.refresh_from_db()
    assert run.state == State.DONE
    page = client.post(f"/imports/{run.pk}/discard/", follow=True)
    assert "This cannot be done" in page.content.decode()


def test_those_who_may_only_look_cannot_act(trade, sign_in):
    upload(sign_in("marketing"), tmall(order(1, "mei")))
    work_through()
    run = ImportRun.objects.get()

    auditor = sign_in("auditor")
    page = auditor.get(f"/imports/{run.pk}/")
    assert page.status_code == 200
    assert "/start/" not in page.content.decode()
    assert auditor.post(f"/imports/{run.pk}/start/").status_code == 403
    assert auditor.post("/imports/", {}).status_code == 403
    assert ImportRun.objects.get().state == State.READY


def test_strangers_sign_in_first_and_clerks_are_refused(trade, sign_in, client):
    assert client.get("/imports/").status_code == 302
    assert sign_in("clerk").get("/imports/").status_code == 403


def test_an_empty_page_says_what_to_do_and_a_missing_run_is_404(trade, sign_in):
    client = sign_in("admin")

    assert "Nothing has been imported yet" in client.get("/imports/").content.decode()
    assert client.get("/imports/99/").status_code == 404
    assert client.get("/admin/members/importrun/").status_code == 200
