"""Codes by the hundred thousand: made, taken in from a file, handed out once they are there (B6)."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import coupon_batches, coupons, jobs
from loyalty.errors import CouponBatchNotFound, CouponBatchRefused
from loyalty.models import Coupon, CouponBatch, CouponReject
from privacy import roles
from privacy.models import AccessRecord
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, proven, row


@pytest.fixture
def shop(db: None, settings: Any, tmp_path: Path) -> CouponShop:
    settings.UPLOADS = tmp_path / "uploads"
    return CouponShop(WELCOME, SPRING, PRINTED, {**PRINTED, "code": "SMALL", "quota": 5})


def done(batch: CouponBatch) -> CouponBatch:
    """What the worker does with the job that waits for a batch."""
    job = ProcrastinateJob.objects.get(task_name=coupon_batches.JOB, args={"batch_id": batch.pk})
    jobs.make_coupon_codes(**job.args)
    batch.refresh_from_db()
    return batch


def taken_in(content: str | bytes, campaign: str = "PRINTED", name: str = "codes.csv") -> CouponBatch:
    blocks = [content.encode() if isinstance(content, str) else content]
    return done(coupon_batches.take_in(campaign, name, blocks))


def counts(batch: CouponBatch) -> tuple[str, int, int, int]:
    return batch.state, batch.made, batch.same, batch.rejected


def rejects(batch: CouponBatch) -> list[tuple[int, str]]:
    return list(CouponReject.objects.filter(batch=batch).order_by("line").values_list("line", "code"))


# --- making -------------------------------------------------------------------------------------------


def test_codes_are_made_by_a_worker_and_can_be_used(shop: CouponShop) -> None:
    batch = coupon_batches.make("PRINTED", 40, note="Leaflet")
    assert (batch.state, Coupon.objects.count()) == ("waiting", 0)
    batch = done(batch)
    assert counts(batch) == ("done", 40, 0, 0)
    code = Coupon.objects.order_by("?").values_list("code", flat=True)[0]
    assert shop.use(code, member_id=None).is_new
    assert proven()


def test_a_worker_that_was_killed_goes_on_where_it_stopped(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupon_batches, "CHUNK", 10)
    batch = coupon_batches.make("PRINTED", 35)

    def die(at: CouponBatch) -> None:
        if at.made == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coupon_batches.work(batch.pk, die)
    assert Coupon.objects.count() == 20
    assert counts(done(batch)) == ("done", 35, 0, 0)
    assert sorted(Coupon.objects.values_list("number", flat=True)) == list(range(1, 36))
    assert counts(coupon_batches.work(batch.pk)) == ("done", 35, 0, 0)
    assert proven()


def test_a_chunk_costs_the_same_few_statements_however_long(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(count: int) -> int:
        batch = coupon_batches.make("PRINTED", count)
        with CaptureQueriesContext(connection) as asked:
            coupon_batches.work(batch.pk)
        return len(asked)

    assert cost(1) == cost(3000) <= 16
    monkeypatch.setattr(coupon_batches, "CHUNK", 500)
    assert (cost(1500) - cost(500)) / 2 <= 10


@pytest.mark.parametrize(
    ("campaign", "count"), [("NONE", 1), ("WELCOME", 1), ("PRINTED", 0), ("SMALL", 6), ("PRINTED", 5_000_001)]
)
def test_what_cannot_be_made_is_not_ordered(shop: CouponShop, campaign: str, count: int) -> None:
    with pytest.raises(CouponBatchRefused):
        coupon_batches.make(campaign, count)
    assert not CouponBatch.objects.exists()


def test_a_quota_that_others_used_up_meanwhile_is_kept(shop: CouponShop) -> None:
    batch = coupon_batches.make("SMALL", 5)
    shop.issue("SMALL", shop.mei, "1")
    batch = done(batch)
    assert (batch.state, batch.made, batch.problem) == ("failed", 4, "loyalty.coupon_batch_refused")
    assert Coupon.objects.count() == 5
    assert proven()


# --- taking in ----------------------------------------------------------------------------------------


def test_a_file_of_codes_as_the_platforms_give_it(shop: CouponShop) -> None:
    shop.coupon()
    generated = Coupon.objects.get().code
    content = "\r\n".join(
        [
            "序号,券码,面额",
            '1,="1020304050607080",5',
            "2,'abcd-efgh-9,5",
            "3,\tＡＢ１２３４ ,5",
            "4,1.02030405E+15,5",
            "5,,5",
            "6,红包红包,5",
            "7,ABCDEFGH9,5",
            f"8,{generated},5",
            "9,spring26,5",
            "10,ab1,5",
            f"11,{'X' * 33},5",
            "",
            "12,NULL,5",
        ]
    )
    batch = taken_in(content.encode("gb18030"))
    assert counts(batch) == ("done", 3, 0, 9)
    assert {coupon.code for coupon in Coupon.objects.filter(batch=batch)} == {
        "1020304050607080",
        "ABCDEFGH9",
        "AB1234",
    }
    assert rejects(batch) == [
        (5, "order_no_destroyed"),
        (6, "required_missing"),
        (7, "code_invalid"),
        (8, "duplicate_in_file"),
        (9, "code_taken"),
        (10, "code_taken"),
        (11, "code_invalid"),
        (12, "code_invalid"),
        (14, "required_missing"),
    ]
    assert shop.use("abcd efgh 9", member_id=None).is_new
    assert proven()


def test_the_same_file_again_is_the_same(shop: CouponShop) -> None:
    content = "code\nLEAF0001\nLEAF0002\n"
    assert counts(taken_in(content)) == ("done", 2, 0, 0)
    assert counts(taken_in(content + "LEAF0003\n")) == ("done", 1, 2, 0)
    assert counts(taken_in(content, "SMALL")) == ("done", 0, 0, 2)
    assert proven()


def test_a_list_without_a_header_and_a_spreadsheet(shop: CouponShop) -> None:
    assert counts(taken_in("LEAF0001\nLEAF0002")) == ("done", 2, 0, 0)
    book, stream = Workbook(), io.BytesIO()
    assert book.active is not None
    for cells in (["优惠券码"], ["LEAF0003"], [20304050], [None], ["LEAF0001"]):
        book.active.append(cells)
    book.save(stream)
    batch = taken_in(stream.getvalue(), name="codes.xlsx")
    assert counts(batch) == ("done", 2, 1, 0)
    assert row("20304050").batch == batch


def test_what_goes_beyond_the_quota_is_rejected(shop: CouponShop) -> None:
    batch = taken_in("code\n" + "\n".join(f"LEAF000{n}" for n in range(8)), "SMALL")
    assert counts(batch) == ("done", 5, 0, 3)
    assert rejects(batch) == [(7, "quota_spent"), (8, "quota_spent"), (9, "quota_spent")]


def test_an_import_that_was_killed_goes_on_and_counts_no_row_twice(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupon_batches, "CHUNK", 2)
    rows = ["LEAF0001", "LEAF0002", "x", "LEAF0001", "LEAF0003"]
    batch = coupon_batches.take_in("PRINTED", "c.csv", [b"code\n" + "\n".join(rows).encode()])

    def die(at: CouponBatch) -> None:
        if at.read == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coupon_batches.work(batch.pk, die)
    batch = done(batch)
    assert counts(batch) == ("done", 3, 0, 2)
    assert rejects(batch) == [(4, "code_invalid"), (5, "duplicate_in_file")]
    assert proven()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "members.file_empty"),
        (b"%PDF-1.4", "members.file_kind_unknown"),
        (b"PK\x03\x04broken", "members.spreadsheet_broken"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(shop: CouponShop, content: bytes, problem: str) -> None:
    batch = taken_in(content)
    assert (batch.state, batch.problem) == ("failed", problem)


def test_the_file_is_erased_when_it_is_done(shop: CouponShop, settings: Any) -> None:
    taken_in("code\nLEAF0001\n")
    assert list(Path(settings.UPLOADS).iterdir()) == []


# --- taking out ---------------------------------------------------------------------------------------


def test_codes_are_handed_out_once_they_are_there_and_that_is_on_record(shop: CouponShop) -> None:
    marketing, _password = roles.make_staff("ma", "marketing")
    batch = coupon_batches.make("PRINTED", 3)
    with pytest.raises(CouponBatchNotFound):
        coupon_batches.codes(batch, marketing)
    assert not AccessRecord.objects.filter(action="export").exists()
    batch = done(batch)
    lines = list(csv.reader(io.StringIO("".join(coupon_batches.codes(batch, marketing)))))
    assert lines[0] == ["\ufeffCode", "Campaign", "valid until"]
    typed = [line[0] for line in lines[1:]]
    assert {coupons.look_up(code).coupon_id for code in typed} == set(
        Coupon.objects.values_list("pk", flat=True)
    )
    record = AccessRecord.objects.get(action="export")
    assert (record.actor, record.model, record.subjects) == (marketing, "loyalty.CouponBatch", [batch.pk])


def test_codes_of_digits_survive_a_spreadsheet(shop: CouponShop) -> None:
    marketing, _password = roles.make_staff("ma", "marketing")
    batch = taken_in("code\n00012345\n")
    assert '="00012345"' in "".join(coupon_batches.codes(batch, marketing)).replace('""', '"')


def test_rejected_rows_are_told_with_their_reason(shop: CouponShop) -> None:
    batch = taken_in("code\n红包\n=1+1\n")
    out = io.StringIO()
    assert coupon_batches.write_rejected(batch, out) == 2
    lines = list(csv.reader(io.StringIO(out.getvalue())))
    assert lines[1] == ["2", "code_invalid", "A code has 4 to 32 letters and digits.", "红包"]
    assert lines[2][3] == "'=1+1"
