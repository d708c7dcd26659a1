import django.db.models.deletion
from django.db import migrations, models

from privacy.appendonly import never_deleted


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0017_orders_are_not_sought_by_account"),
    ]

    operations = [
        never_deleted("members_channel", "channel_is_never_deleted"),
        never_deleted("members_importrun", "import_run_is_never_deleted"),
        migrations.AlterField(
            model_name="account",
            name="channel",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="members.channel",
                verbose_name="channel",
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="recruited_channel",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recruited",
                to="members.channel",
                verbose_name="recruited in channel",
            ),
        ),
        migrations.AlterField(
            model_name="stagedfact",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="staged",
                to="members.importrun",
            ),
        ),
    ]
