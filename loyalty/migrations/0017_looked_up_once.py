"""Keys from the ledger to wallets, lots and entries that the same transaction has locked or written.

The database looked each of them up again at the commit, and locked it once more: two fifths of an order's
commit. What the check kept, that no such row goes away, is held by the rows themselves from here on.
"""

import django.db.models.deletion
from django.db import migrations, models

from privacy.appendonly import never_deleted


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0016_packages")]

    operations = [
        never_deleted("loyalty_wallet", "wallet_is_never_deleted"),
        never_deleted("loyalty_lot", "lot_is_never_deleted"),
        migrations.AlterField(
            model_name="lot",
            name="wallet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="loyalty.wallet",
                verbose_name="wallet",
            ),
        ),
        migrations.AlterField(
            model_name="lotmove",
            name="entry",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moves",
                to="loyalty.entry",
                verbose_name="entry",
            ),
        ),
        migrations.AlterField(
            model_name="lotmove",
            name="lot",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moves",
                to="loyalty.lot",
                verbose_name="lot",
            ),
        ),
        migrations.AlterField(
            model_name="orderearning",
            name="wallet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="earnings",
                to="loyalty.wallet",
                verbose_name="wallet",
            ),
        ),
        migrations.AlterField(
            model_name="tierlook",
            name="wallet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.wallet",
                verbose_name="wallet",
            ),
        ),
    ]
