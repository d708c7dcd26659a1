import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0014_closings"),
        ("members", "0011_merges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="entry",
            name="points_entry_sign_fits_kind",
        ),
        migrations.AddField(
            model_name="tierlook",
            name="merge",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.merge",
                verbose_name="merge",
            ),
        ),
        migrations.AddField(
            model_name="tierlook",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.wallet",
                verbose_name="wallet of what was looked at",
            ),
        ),
        migrations.AddField(
            model_name="wallet",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.member",
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("earn", "Earned"),
                    ("redeem", "Redeemed"),
                    ("take_back", "Taken back after a refund"),
                    ("give_back", "Given back after a refund"),
                    ("expire", "Expired"),
                    ("settle", "Debt settled"),
                    ("adjust", "Adjusted by hand"),
                    ("move_out", "To another wallet of the person"),
                    ("move_in", "From another wallet of the person"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="tierchange",
            name="reason",
            field=models.CharField(
                choices=[
                    ("qualified", "Qualified"),
                    ("lapsed", "Did not keep the tier"),
                    ("renewed", "Kept the tier"),
                    ("refund", "A refund undid the qualification"),
                    ("programme", "The programme changed"),
                    ("by_hand", "Given by hand"),
                    ("invited", "Invited"),
                    ("given", "Given by a rule"),
                    ("cut", "Among the top of all members"),
                    ("floor_ended", "What was given has ended"),
                    ("merged", "Merged with another member"),
                    ("unmerged", "A merge was undone"),
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="tierlook",
            name="kind",
            field=models.CharField(
                choices=[
                    ("order", "An order was heard"),
                    ("left", "An order is another member's"),
                    ("time", "Time passed"),
                    ("event", "A tier was given or ended"),
                    ("growth", "Growth value was given"),
                    ("programme", "The programme changed"),
                    ("merged", "Merged with another member"),
                    ("unmerged", "A merge was undone"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="wallet",
            index=models.Index(
                condition=models.Q(("person__isnull", False)),
                fields=["person"],
                name="wallet_of_merged_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["earn", "give_back", "move_in"]), ("points__gt", 0)),
                    models.Q(("kind__in", ["redeem", "take_back", "expire", "move_out"]), ("points__lt", 0)),
                    models.Q(("kind", "settle"), ("points", 0)),
                    ("kind", "adjust"),
                    _connector="OR",
                ),
                name="points_entry_sign_fits_kind",
            ),
        ),
        migrations.CreateModel(
            name="TierBeforeMerge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="merged, by the programme's clock")),
                ("tier", models.CharField(max_length=50, verbose_name="tier earned")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="what was given was looked at")),
                ("shown", models.CharField(max_length=50, verbose_name="tier")),
                ("shown_since", models.DateTimeField(null=True, verbose_name="tier since")),
                ("shown_until", models.DateTimeField(null=True, verbose_name="tier until")),
                (
                    "merge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.merge",
                        verbose_name="merge",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier before a merge",
                "verbose_name_plural": "tiers before merges",
                "constraints": [
                    models.UniqueConstraint(fields=("merge", "wallet"), name="tier_before_merge_once_each")
                ],
            },
        ),
        append_only("loyalty_tierbeforemerge", "tier_before_merge_is_forever"),
    ]
