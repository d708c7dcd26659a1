"""The rows of a reconciliation on their way into the database."""

from decimal import Decimal

import pytest
from django.db import transaction

from members import reconciliation_rows as rows
from members import reconciling
from members.models import Channel
from members.reconciliation_facts import Held
from tests import make


@pytest.mark.parametrize("odd", ["a\\b\tc'\"\\N", "\\.", "订单 1", "x\r\ny"])
def test_the_text_of_copy_survives_every_sign(tmall: Channel, odd: str) -> None:
    run = reconciling.begin(tmall, make.NOW.date())
    with transaction.atomic(), rows.copying() as copying:
        copying.write(rows.line_of(run.pk, Held(odd, None, Decimal("1.50"), None, None)))
    (row,) = run.rows.all()
    assert (row.order_no, row.status, row.net, row.paid) == (odd, None, Decimal("1.50"), None)
