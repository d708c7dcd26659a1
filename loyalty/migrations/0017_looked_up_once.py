"""Keys to wallets that the same transaction has locked: of an order's earning, and of a look at a tier.

The database looked the wallet up again at the commit, and locked it once more. What the check kept, that no
wallet goes away, is held by the wallet itself from here on; lots hold it too. Keys of what points are made
of, from lots to wallets and from moves to lots and entries, are checked as before.
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
