"""Who brought whom, told by a customer file as by the API: a referral code, and nobody's is remarked on."""

from typing import Any

import pytest

from loyalty.models import Referral
from members import imports
from members.importing import columns, report, showing
from members.models import ImportRun, Member
from tests.friends import Circle


@pytest.fixture
def circle(db: None, settings: Any, tmp_path: Any) -> Circle:
    settings.UPLOADS = tmp_path / "uploads"
    return Circle()


def bring_in(circle: Circle, text: str) -> ImportRun:
    run = imports.take_in(circle.app, "members.csv", [text.encode()])
    run = imports.read(run.pk)
    if run.state == ImportRun.State.COLUMNS:
        imports.choose_columns(run.pk, columns.proposal(run))
        run = imports.read(run.pk)
    assert run.state == ImportRun.State.READY, report.document(run)
    imports.start(run.pk)
    return imports.carry_out(run.pk)


def test_a_friend_of_a_file_is_brought_by_whose_code_stands_there_once(circle: Circle) -> None:
    typed = f"{circle.code[:4].lower()}-{circle.code[4:]}"
    text = f"会员编号,手机号,推荐码\nbo,13900139002,{typed}\nlu,13700137003,NOBODYSCODE\nan,13600136004,\n"
    run = bring_in(circle, text)
    assert (run.rows_new, run.rows_rejected) == (3, 0)
    row = Referral.objects.get()
    assert (row.referrer_id, row.state) == (circle.mei, "waiting")
    circle.first_buy("bo")
    row.refresh_from_db()
    assert row.state == "counted"
    (remark,) = showing.remarks(run)
    assert (remark.line, remark.code) == (3, "loyalty.referral_code_unknown")
    assert "No member has this referral code" in report.reason(remark.code)
    assert run.cells_left_out == 1 and Member.objects.count() == 4
    again = bring_in(circle, text)
    assert again.rows_same == 3 and Referral.objects.count() == 1
    assert again.cells_left_out == 0, "what is known already is not told anew"
