import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from privacy.appendonly import append_only

# What becomes of a coupon; all the rest of its row is what was issued.
MOVING = ("state", "member_id", "member_number", "valid_until", "steps")
LOCK = ("locked_channel_id", "locked_order_no", "locked_until")


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0007_tier_events_growth_and_adjustments"),
        ("members", "0005_history_of_what_staff_configure"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CouponBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("campaign", models.CharField(max_length=50, verbose_name="campaign")),
                (
                    "source",
                    models.CharField(
                        choices=[("generated", "Generated"), ("imported", "Imported")],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("wanted", models.PositiveIntegerField(verbose_name="codes wanted")),
                ("read", models.PositiveIntegerField(default=0, verbose_name="rows read")),
                ("made", models.PositiveIntegerField(default=0, verbose_name="codes made")),
                ("same", models.PositiveIntegerField(default=0, verbose_name="codes known before")),
                ("rejected", models.PositiveIntegerField(default=0, verbose_name="codes rejected")),
                ("file_name", models.CharField(blank=True, max_length=200, verbose_name="file")),
                ("file_digest", models.BinaryField(max_length=32, null=True, verbose_name="digest")),
                ("problem", models.CharField(blank=True, max_length=60, verbose_name="problem")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
                (
                    "made_by",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.programmeversion",
                        verbose_name="programme",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon batch",
                "verbose_name_plural": "coupon batches",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source", "imported"), ("made__lte", models.F("wanted")), _connector="OR"
                        ),
                        name="coupon_batch_as_wanted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "read",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("made"), "+", models.F("same")
                                    ),
                                    "+",
                                    models.F("rejected"),
                                ),
                            )
                        ),
                        name="coupon_batch_rows_add_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("campaign", models.CharField(max_length=50, verbose_name="campaign")),
                ("code", models.CharField(max_length=32, verbose_name="code")),
                ("number", models.PositiveIntegerField(verbose_name="number in the campaign")),
                ("quota", models.PositiveIntegerField(null=True, verbose_name="quota")),
                (
                    "member_number",
                    models.PositiveIntegerField(null=True, verbose_name="number for the member"),
                ),
                ("per_member", models.PositiveIntegerField(null=True, verbose_name="limit per member")),
                ("is_bearer", models.BooleanField(default=False, verbose_name="for the bearer")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "Issued"),
                            ("locked", "Locked for an order"),
                            ("used", "Used"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="issued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("cause", models.CharField(blank=True, default="", max_length=260, verbose_name="cause")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                ("valid_from", models.DateTimeField(null=True, verbose_name="valid from")),
                ("valid_until", models.DateTimeField(null=True, verbose_name="valid until")),
                (
                    "locked_order_no",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="locked for order"),
                ),
                ("locked_until", models.DateTimeField(null=True, verbose_name="locked until")),
                ("steps", models.PositiveIntegerField(default=0, verbose_name="steps")),
                ("issued_at", models.DateTimeField(verbose_name="issued")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "locked_channel",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="locked by",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coupons",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coupons_given",
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
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coupons",
                        to="loyalty.couponbatch",
                        verbose_name="batch",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon",
                "verbose_name_plural": "coupons",
                "indexes": [
                    models.Index(
                        condition=models.Q(("member__isnull", False)),
                        fields=["member", "id"],
                        name="coupon_of_member",
                    ),
                    models.Index(
                        condition=models.Q(("batch__isnull", False)),
                        fields=["batch", "id"],
                        name="coupon_of_batch",
                    ),
                    models.Index(
                        condition=models.Q(("order__isnull", False)),
                        fields=["order"],
                        name="coupon_for_order",
                    ),
                    models.Index(
                        condition=models.Q(("state", "locked")),
                        fields=["locked_channel", "locked_order_no"],
                        name="coupon_locked_for",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="coupon_code_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("cause", ""), _negated=True),
                        fields=("cause",),
                        name="coupon_once_per_cause",
                    ),
                    models.UniqueConstraint(fields=("campaign", "number"), name="coupon_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause", ""), _negated=True), ("batch__isnull", False), _connector="OR"
                        ),
                        name="coupon_has_a_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quota", None),
                            models.Q(("number__gte", 1), ("number__lte", models.F("quota"))),
                            _connector="OR",
                        ),
                        name="coupon_within_quota",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("member__isnull", False)),
                        fields=("campaign", "member", "member_number"),
                        name="coupon_member_number_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_member", None),
                            ("member", None),
                            ("member_number__lte", models.F("per_member")),
                            _connector="OR",
                        ),
                        name="coupon_within_limit_per_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("member", None), ("member_number", None)),
                            models.Q(("member__isnull", False), ("member_number__gte", 1)),
                            models.Q(("member__isnull", False), ("state", "withdrawn")),
                            _connector="OR",
                        ),
                        name="coupon_of_a_member_is_counted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("member__isnull", False), ("is_bearer", True), _connector="OR"),
                        name="coupon_is_somebodys",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("locked_channel__isnull", False),
                                ("locked_until__isnull", False),
                                ("state", "locked"),
                                models.Q(("locked_order_no", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "locked"), _negated=True),
                                ("locked_channel", None),
                                ("locked_order_no", ""),
                                ("locked_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="coupon_lock_names_its_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CouponMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="step")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("locked", "Locked for an order"),
                            ("released", "Released"),
                            ("used", "Used"),
                            ("returned", "Returned"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "order_no",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="order number"),
                ),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
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
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="loyalty.coupon",
                        verbose_name="coupon",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon's history",
                "verbose_name_plural": "coupons' history",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("coupon", "position"), name="coupon_history_no_gap_no_fork"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CouponReject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                ("code", models.CharField(max_length=40, verbose_name="reason")),
                ("value", models.CharField(max_length=64, verbose_name="value")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rejects",
                        to="loyalty.couponbatch",
                        verbose_name="batch",
                    ),
                ),
            ],
            options={
                "verbose_name": "rejected code",
                "verbose_name_plural": "rejected codes",
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "line"), name="coupon_reject_once_a_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="CouponUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_no", models.CharField(max_length=100, verbose_name="order number")),
                (
                    "discount",
                    models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="discount"),
                ),
                (
                    "postage",
                    models.DecimalField(
                        decimal_places=2, max_digits=12, null=True, verbose_name="off the postage"
                    ),
                ),
                (
                    "counted",
                    models.DecimalField(
                        decimal_places=2, max_digits=12, null=True, verbose_name="amount counted"
                    ),
                ),
                ("used_at", models.DateTimeField(verbose_name="used")),
                ("returned_at", models.DateTimeField(null=True, verbose_name="returned")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="loyalty.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
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
            ],
            options={
                "verbose_name": "use of a coupon",
                "verbose_name_plural": "uses of coupons",
                "indexes": [models.Index(fields=["channel", "order_no"], name="coupon_use_by_order")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("returned_at", None)), fields=("coupon",), name="coupon_used_once"
                    )
                ],
            },
        ),
        append_only("loyalty_coupon", "coupon_stays_as_issued", except_columns=[*MOVING, *LOCK]),
        append_only("loyalty_couponuse", "coupon_use_is_forever", except_columns=["returned_at"]),
        append_only("loyalty_couponmove", "coupon_history_is_forever"),
    ]
