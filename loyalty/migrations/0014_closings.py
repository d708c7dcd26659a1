import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0013_quotes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Closing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateTimeField(verbose_name="as of")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
                    ),
                ),
            ],
            options={
                "verbose_name": "closing",
                "verbose_name_plural": "closings",
                "constraints": [models.UniqueConstraint(fields=("as_of",), name="closing_once_per_instant")],
            },
        ),
        migrations.CreateModel(
            name="ClosingBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.IntegerField(verbose_name="version")),
                ("balance", models.BigIntegerField(verbose_name="balance")),
                ("debt", models.BigIntegerField(verbose_name="debt")),
                (
                    "closing",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="loyalty.closing",
                        verbose_name="closing",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closing_balances",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "closing balance",
                "verbose_name_plural": "closing balances",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("closing", "wallet"), name="closing_balance_once_a_wallet"
                    )
                ],
            },
        ),
        append_only("loyalty_closing", "closing_is_forever"),
        append_only("loyalty_closingbalance", "closing_balance_is_forever"),
    ]
