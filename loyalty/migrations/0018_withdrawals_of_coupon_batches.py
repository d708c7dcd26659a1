"""The unused codes of a whole batch may be withdrawn, with a reason (B6)."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0017_looked_up_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CouponWithdrawal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="asked",
                    ),
                ),
                ("last_id", models.BigIntegerField(default=0, verbose_name="last coupon")),
                ("withdrawn", models.PositiveIntegerField(default=0, verbose_name="withdrawn")),
                ("kept", models.PositiveIntegerField(default=0, verbose_name="kept, as used or locked")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawals",
                        to="loyalty.couponbatch",
                        verbose_name="batch",
                    ),
                ),
            ],
            options={
                "verbose_name": "withdrawal of a batch",
                "verbose_name_plural": "withdrawals of batches",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None)),
                        fields=("batch",),
                        name="coupon_batch_withdrawn_one_at_a_time",
                    )
                ],
            },
        ),
    ]
