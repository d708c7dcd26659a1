from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0015_linked_wallets"),
        ("members", "0016_packages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="entry",
            name="points_entry_sign_fits_kind",
        ),
        migrations.AlterField(
            model_name="couponmove",
            name="kind",
            field=models.CharField(
                choices=[
                    ("locked", "Locked for an order"),
                    ("released", "Released"),
                    ("used", "Used"),
                    ("returned", "Returned"),
                    ("withdrawn", "Withdrawn"),
                    ("restored", "Brought again"),
                ],
                max_length=10,
                verbose_name="kind",
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
                    ("open", "Brought from an old system"),
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
                    ("legacy", "Brought from an old system"),
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="tierevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("floor", "Floor by hand"),
                    ("invitation", "Invitation"),
                    ("gift", "Given by a rule"),
                    ("cut", "Cut of the top members"),
                    ("legacy", "Tier of an old system"),
                    ("end", "Ended early"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["earn", "give_back", "move_in", "open"]), ("points__gt", 0)),
                    models.Q(("kind__in", ["redeem", "take_back", "expire", "move_out"]), ("points__lt", 0)),
                    models.Q(("kind", "settle"), ("points", 0)),
                    ("kind", "adjust"),
                    _connector="OR",
                ),
                name="points_entry_sign_fits_kind",
            ),
        ),
    ]
