import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import privacy.fields
from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0009_rewards"),
        ("members", "0005_history_of_what_staff_configure"),
    ]

    operations = [
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("streak", models.PositiveIntegerField(verbose_name="days in a row")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
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
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_ins",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "check-in",
                "verbose_name_plural": "check-ins",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "day"), name="check_in_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(("streak__gte", 1)), name="check_in_streak_counts_itself"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("rule", "Earning rule"),
                            ("activity", "Activity"),
                            ("birthday", "Birthday treat"),
                            ("member_day", "Member day"),
                            ("referral", "Referral"),
                            ("milestone", "Milestone"),
                        ],
                        max_length=12,
                        verbose_name="source",
                    ),
                ),
                ("code", models.CharField(max_length=50, verbose_name="code")),
                (
                    "prize",
                    models.CharField(
                        choices=[
                            ("points", "Points"),
                            ("growth", "Growth value"),
                            ("coupon", "Coupon"),
                            ("gift", "Gift"),
                            ("tier", "Tier"),
                        ],
                        max_length=8,
                        verbose_name="prize",
                    ),
                ),
                ("value", models.CharField(max_length=50, verbose_name="value")),
                ("occasion", models.CharField(max_length=240, verbose_name="occasion")),
                ("cause", models.CharField(max_length=260, verbose_name="cause")),
                (
                    "state",
                    models.CharField(
                        choices=[("given", "Given"), ("not_given", "Not given"), ("withdrawn", "Withdrawn")],
                        default="given",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("refusal", models.CharField(blank=True, default="", max_length=40, verbose_name="why not")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
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
                    "claim",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.claim",
                        verbose_name="claim",
                    ),
                ),
                (
                    "coupon",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.entry",
                        verbose_name="entry",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="members.order",
                        verbose_name="order",
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
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "indexes": [
                    models.Index(fields=["-recorded_at", "-id"], name="grant_latest_first"),
                    models.Index(fields=["occasion"], name="grant_by_occasion"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="grant_once_per_cause"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "not_given"), models.Q(("refusal", ""), _negated=True)),
                            models.Q(models.Q(("state", "not_given"), _negated=True), ("refusal", "")),
                            _connector="OR",
                        ),
                        name="grant_not_given_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("check_in", "Check-in"),
                            ("profile_step", "Profile step"),
                            ("review", "Review"),
                            ("survey", "Survey"),
                            ("share", "Share"),
                            ("event", "Event"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("key", models.CharField(max_length=240, verbose_name="what was done")),
                ("cause", models.CharField(max_length=260, null=True, verbose_name="cause")),
                ("detail", models.JSONField(default=dict, verbose_name="detail")),
                ("day", models.DateField(verbose_name="day")),
                ("number", models.PositiveIntegerField(null=True, verbose_name="number on the day")),
                ("per_day", models.PositiveIntegerField(null=True, verbose_name="limit per day")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
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
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "activity",
                "verbose_name_plural": "activities",
                "indexes": [models.Index(fields=["-recorded_at", "-id"], name="activity_latest_first")],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "kind", "key"), name="activity_counts_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("cause__isnull", False)),
                        fields=("cause",),
                        name="activity_once_per_cause",
                    ),
                    models.UniqueConstraint(
                        fields=("member", "kind", "day", "number"), name="activity_number_once_a_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_day", None),
                            ("number", None),
                            models.Q(("number__gte", 1), ("number__lte", models.F("per_day"))),
                            _connector="OR",
                        ),
                        name="activity_within_limit_per_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BirthdayIndex",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="birthday_index",
                        serialize=False,
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                ("index", privacy.fields.BlindIndexField(max_length=32, verbose_name="day of the year")),
                (
                    "seen",
                    models.BinaryField(max_length=16, verbose_name="digest of the sealed birthday"),
                ),
            ],
            options={
                "verbose_name": "birthday index",
                "verbose_name_plural": "birthday indexes",
                "indexes": [models.Index(fields=["index"], name="birthday_by_day")],
            },
        ),
        # What became of a grant is written after its cause was claimed; a state may become another.
        append_only(
            "loyalty_grant",
            "grant_is_forever",
            except_columns=["state", "refusal", "entry_id", "coupon_id", "claim_id"],
        ),
        append_only("loyalty_checkin", "check_in_is_forever"),
        append_only("loyalty_activity", "activity_is_forever"),
    ]
