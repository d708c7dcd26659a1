"""Small staff edits by a sheet: differences first, GB18030 understood, errors in words, no formulas out."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from members import channels
from members.models import Store, Tag
from privacy import roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    roles.apply_roles()
    roles.make_staff("boss", "admin", password="a-long-password-1")
    client.force_login(User.objects.get(username="boss"))
    client.cookies.load({"django_language": "en"})
    channels.make("jingan", platform="pos")
    return client


def drop(client: Client, sheet: bytes) -> str:
    file = SimpleUploadedFile("stores.csv", sheet, content_type="text/csv")
    answer = client.post(
        "/admin/members/store/import/", {"import_file": file, "format": "0", "resource": "0"}
    )
    return answer.content.decode()


def test_a_sheet_from_excel_is_previewed_and_then_confirmed(boss: Client) -> None:
    sheet = "channel,code,name,province,city,is_active\njingan,xuhui,徐汇店,上海,上海,1\n".encode("gb18030")
    page = drop(boss, sheet)
    assert "徐汇店" in page
    assert not Store.objects.filter(code="xuhui").exists()
    form = boss.post(
        "/admin/members/store/import/",
        {
            "import_file": SimpleUploadedFile("stores.csv", sheet, content_type="text/csv"),
            "format": "0",
            "resource": "0",
        },
    ).context["confirm_form"]
    answer = boss.post("/admin/members/store/process_import/", form.initial)
    assert answer.status_code == 302
    assert Store.objects.get(code="xuhui").name == "徐汇店"


def test_an_unknown_channel_is_said_in_words(boss: Client) -> None:
    page = drop(boss, b"channel,code,name,province,city,is_active\nnowhere,a,A,,,1\n")
    assert "There is no channel with the code nowhere." in page


def test_what_goes_out_opens_in_excel_unharmed(boss: Client) -> None:
    roles.make_staff("ma", "marketing", password="a-long-password-2")
    boss.force_login(User.objects.get(username="ma"))
    Tag.objects.create(code="x", name="=1+1")
    answer = boss.post(
        "/admin/members/tag/export/",
        {"format": "0", "resource": "0", "tagsheet_code": "on", "tagsheet_name": "on"},
    )
    assert answer.content.startswith("\ufeff".encode())
    assert "x,'=1+1" in answer.content.decode()


def test_a_clerk_can_neither_see_nor_change_stores(boss: Client) -> None:
    roles.make_staff("li", "clerk", store="jingan/jingan", password="a-long-password-3")
    boss.force_login(User.objects.get(username="li"))
    assert boss.get("/admin/members/store/add/").status_code in (302, 403)
    assert boss.get("/admin/members/store/import/").status_code in (302, 403)
