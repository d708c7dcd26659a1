from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0006_what_an_order_looks_up"),
        ("privacy", "0003_approvals_and_own_membership"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="refund", name="refund_not_negative"),
        migrations.AddField(
            model_name="refund",
            name="approval",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="privacy.approval",
                verbose_name="approval",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="asked by",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="withheld",
            field=models.DecimalField(
                db_default=Decimal("0.00"), decimal_places=2, max_digits=12, verbose_name="money withheld"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("asked_by__isnull", False)),
                fields=["asked_by", "heard_at"],
                name="refund_by_staff",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("goods__gte", 0), ("postage__gte", 0), ("withheld__gte", 0)),
                name="refund_not_negative",
            ),
        ),
    ]
