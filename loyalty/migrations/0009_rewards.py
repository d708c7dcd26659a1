import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0008_coupons"),
        ("members", "0005_history_of_what_staff_configure"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RewardPicture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reward", models.CharField(max_length=50, verbose_name="reward")),
                (
                    "image",
                    models.ImageField(
                        upload_to="rewards/",
                        validators=[
                            django.core.validators.FileExtensionValidator(["png", "jpg", "jpeg", "webp"])
                        ],
                        verbose_name="picture",
                    ),
                ),
                ("alt", models.JSONField(default=dict, verbose_name="what it shows")),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="updated"
                    ),
                ),
            ],
            options={
                "verbose_name": "picture of a reward",
                "verbose_name_plural": "pictures of rewards",
                "constraints": [models.UniqueConstraint(fields=("reward",), name="reward_picture_once")],
            },
        ),
        migrations.CreateModel(
            name="Shelf",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reward", models.CharField(max_length=50, verbose_name="reward")),
                ("sale", models.CharField(blank=True, default="", max_length=50, verbose_name="points sale")),
                ("stock", models.PositiveIntegerField(null=True, verbose_name="stock")),
                ("taken", models.PositiveIntegerField(default=0, verbose_name="taken")),
                ("declared", models.PositiveIntegerField(null=True, verbose_name="stock by the programme")),
            ],
            options={
                "verbose_name": "shelf",
                "verbose_name_plural": "shelves",
                "constraints": [
                    models.UniqueConstraint(fields=("reward", "sale"), name="shelf_once_per_reward"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("stock", None), ("taken__lte", models.F("stock")), _connector="OR"
                        ),
                        name="shelf_not_oversold",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reward", models.CharField(max_length=50, verbose_name="reward")),
                ("sale", models.CharField(blank=True, default="", max_length=50, verbose_name="points sale")),
                (
                    "member_number",
                    models.PositiveIntegerField(null=True, verbose_name="number for the member"),
                ),
                ("per_member", models.PositiveIntegerField(null=True, verbose_name="limit per member")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for stock"),
                            ("claimed", "Claimed"),
                            ("prepared", "Prepared"),
                            ("shipped", "Shipped"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="claimed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("counter", "At the counter"),
                            ("parcel", "By parcel"),
                            ("online", "Online"),
                        ],
                        default="counter",
                        max_length=10,
                        verbose_name="way",
                    ),
                ),
                ("points", models.PositiveBigIntegerField(default=0, verbose_name="points")),
                (
                    "money",
                    models.DecimalField(decimal_places=2, default=0, max_digits=12, verbose_name="money"),
                ),
                ("cause", models.CharField(max_length=260, verbose_name="cause")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                (
                    "tracking",
                    models.CharField(blank=True, default="", max_length=60, verbose_name="parcel number"),
                ),
                ("steps", models.PositiveIntegerField(default=1, verbose_name="steps")),
                ("claimed_at", models.DateTimeField(verbose_name="claimed")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "coupon",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim",
                        to="loyalty.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim",
                        to="loyalty.entry",
                        verbose_name="entry",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gifts",
                        to="members.order",
                        verbose_name="given for order",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.programmeversion",
                        verbose_name="programme",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.store",
                        verbose_name="store",
                    ),
                ),
                (
                    "shelf",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="loyalty.shelf",
                        verbose_name="shelf",
                    ),
                ),
            ],
            options={
                "verbose_name": "claim",
                "verbose_name_plural": "claims",
                "indexes": [
                    models.Index(fields=["-claimed_at", "-id"], name="claim_latest_first"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "claimed", "prepared", "shipped"])),
                        fields=["claimed_at", "id"],
                        name="claim_to_fulfil",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="claim_once_per_cause"),
                    models.UniqueConstraint(
                        fields=("reward", "sale", "member", "member_number"), name="claim_member_number_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_member", None),
                            ("member_number", None),
                            ("member_number__lte", models.F("per_member")),
                            _connector="OR",
                        ),
                        name="claim_within_limit_per_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state__in", ["done", "cancelled"])),
                            models.Q(
                                models.Q(("state__in", ["done", "cancelled"]), _negated=True),
                                ("ended_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="claim_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("money__gte", 0)), name="claim_money_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("shelf", None), ("state__in", ["waiting", "cancelled"])),
                            models.Q(
                                models.Q(("state__in", ["waiting", "cancelled"]), _negated=True),
                                ("shelf__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="claim_stands_on_its_shelf",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "cancelled"), _negated=True),
                            ("member_number", None),
                            _connector="OR",
                        ),
                        name="claim_cancelled_is_not_counted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "shipped"), _negated=True),
                            models.Q(("tracking", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="claim_shipped_names_its_parcel",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClaimMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="step")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for stock"),
                            ("claimed", "Claimed"),
                            ("prepared", "Prepared"),
                            ("shipped", "Shipped"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="loyalty.claim",
                        verbose_name="claim",
                    ),
                ),
            ],
            options={
                "verbose_name": "claim's history",
                "verbose_name_plural": "claims' history",
                "constraints": [
                    models.UniqueConstraint(fields=("claim", "position"), name="claim_history_no_gap_no_fork")
                ],
            },
        ),
        migrations.CreateModel(
            name="ShelfMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("change", models.IntegerField(verbose_name="change")),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                (
                    "happened_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="happened",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.programmeversion",
                        verbose_name="programme",
                    ),
                ),
                (
                    "shelf",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="loyalty.shelf",
                        verbose_name="shelf",
                    ),
                ),
            ],
            options={
                "verbose_name": "stock change",
                "verbose_name_plural": "stock changes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("change", 0), _negated=True), name="shelf_move_moves_stock"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("programme", None), models.Q(("reason", ""), _negated=True)),
                            ("programme__isnull", False),
                            _connector="OR",
                        ),
                        name="shelf_move_says_why",
                    ),
                ],
            },
        ),
        append_only("loyalty_shelfmove", "shelf_move_is_forever"),
        append_only("loyalty_claimmove", "claim_history_is_forever"),
    ]
