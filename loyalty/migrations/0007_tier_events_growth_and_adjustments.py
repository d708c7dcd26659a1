import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0006_points_are_appended_by_column"),
        ("members", "0005_history_of_what_staff_configure"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="entry",
            name="points_entry_sign_fits_kind",
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
                    ("refund", "A refund undid the qualification"),
                    ("programme", "The programme changed"),
                    ("by_hand", "Given by hand"),
                    ("invited", "Invited"),
                    ("given", "Given by a rule"),
                    ("cut", "Among the top of all members"),
                    ("floor_ended", "What was given has ended"),
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["earn", "give_back"]), ("points__gt", 0)),
                    models.Q(("kind__in", ["redeem", "take_back", "expire"]), ("points__lt", 0)),
                    models.Q(("kind", "settle"), ("points", 0)),
                    ("kind", "adjust"),
                    _connector="OR",
                ),
                name="points_entry_sign_fits_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("kind", "adjust")), fields=["actor", "recorded_at"], name="entry_by_hand"
            ),
        ),
        migrations.CreateModel(
            name="GrowthEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("growth", models.IntegerField(verbose_name="growth value")),
                ("cause", models.CharField(max_length=260, verbose_name="cause")),
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
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="growth",
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
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="growth",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "growth entry",
                "verbose_name_plural": "growth entries",
                "indexes": [models.Index(fields=["wallet", "happened_at"], name="growth_by_wallet")],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="growth_once_per_cause"),
                    models.CheckConstraint(
                        condition=models.Q(("growth", 0), _negated=True), name="growth_entry_moves_growth"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierEvent",
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
                            ("floor", "Floor by hand"),
                            ("invitation", "Invitation"),
                            ("gift", "Given by a rule"),
                            ("cut", "Cut of the top members"),
                            ("end", "Ended early"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("tier", models.CharField(max_length=50, verbose_name="tier")),
                ("cause", models.CharField(max_length=260, verbose_name="cause")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(null=True, verbose_name="until")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
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
                    "ends",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ended_by",
                        to="loyalty.tierevent",
                        verbose_name="ends",
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
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tier_events",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier event",
                "verbose_name_plural": "tier events",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ends_at__isnull", False)),
                        fields=["ends_at"],
                        name="tier_event_ends",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="tier_event_once_per_cause"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="tier_event_takes_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ends__isnull", False), ("kind", "end")),
                            models.Q(models.Q(("kind", "end"), _negated=True), ("ends", None)),
                            _connector="OR",
                        ),
                        name="tier_event_end_names_what_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgrammeSweep",
            fields=[
                (
                    "programme",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="loyalty.programmeversion",
                        verbose_name="programme",
                    ),
                ),
                ("after", models.BigIntegerField(default=0, verbose_name="up to member")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
            ],
            options={
                "verbose_name": "sweep of a version",
                "verbose_name_plural": "sweeps of versions",
            },
        ),
        migrations.RemoveConstraint(
            model_name="tierchange",
            name="tier_change_changes_tier",
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
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="tierchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("before", models.F("after")), _negated=True),
                    ("reason", "renewed"),
                    _connector="OR",
                ),
                name="tier_change_changes_tier",
            ),
        ),
        migrations.CreateModel(
            name="EarnedTier",
            fields=[
                (
                    "wallet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="earned_tier",
                        serialize=False,
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
                ("tier", models.CharField(max_length=50, verbose_name="tier")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("seen_at", models.DateTimeField(verbose_name="what was given was looked at")),
                ("next_at", models.DateTimeField(null=True, verbose_name="looked at again")),
            ],
            options={
                "verbose_name": "earned tier",
                "verbose_name_plural": "earned tiers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)),
                        fields=["next_at"],
                        name="earned_tier_due",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BenefitUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=50, verbose_name="benefit")),
                ("tier", models.CharField(max_length=50, verbose_name="tier")),
                ("period", models.CharField(max_length=10, verbose_name="period")),
                ("number", models.PositiveSmallIntegerField(verbose_name="time")),
                ("cause", models.CharField(max_length=260, verbose_name="cause")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                ("used_at", models.DateTimeField(verbose_name="used")),
                ("given_back_at", models.DateTimeField(null=True, verbose_name="given back")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
                    ),
                ),
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
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benefit_uses",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "use of a benefit",
                "verbose_name_plural": "uses of benefits",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="benefit_used_once_per_cause"),
                    models.UniqueConstraint(
                        condition=models.Q(("given_back_at", None)),
                        fields=("wallet", "code", "period", "number"),
                        name="benefit_used_once_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="benefit_use_is_counted"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierLook",
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
                            ("order", "An order was heard"),
                            ("left", "An order is another member's"),
                            ("time", "Time passed"),
                            ("event", "A tier was given or ended"),
                            ("growth", "Growth value was given"),
                            ("programme", "The programme changed"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("paid_at", models.DateTimeField(null=True, verbose_name="paid")),
                (
                    "kept",
                    models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="kept"),
                ),
                ("fell", models.BooleanField(default=False, verbose_name="less is kept than before")),
                ("growth", models.IntegerField(default=0, verbose_name="growth value")),
                ("joined_at", models.DateTimeField(null=True, verbose_name="joined")),
                ("happened_at", models.DateTimeField(verbose_name="happened")),
                ("seen_at", models.DateTimeField(verbose_name="by the programme's clock")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.tierevent",
                        verbose_name="event",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.programmeversion",
                        verbose_name="programme",
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
                "verbose_name": "look at a tier",
                "verbose_name_plural": "looks at tiers",
                "indexes": [models.Index(fields=["wallet", "id"], name="tier_looks_in_order")],
            },
        ),
        migrations.CreateModel(
            name="TierWarning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tier", models.CharField(max_length=50, verbose_name="tier")),
                ("until", models.DateTimeField(verbose_name="until")),
                ("why", models.JSONField(default=dict, verbose_name="why")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
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
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tier_warnings",
                        to="loyalty.wallet",
                        verbose_name="wallet",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier warning",
                "verbose_name_plural": "tier warnings",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("wallet", "until"), name="tier_warned_once_a_period")
                ],
            },
        ),
        migrations.CreateModel(
            name="TierCut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tier", models.CharField(max_length=50, verbose_name="tier")),
                ("cut_at", models.DateTimeField(verbose_name="beginning of the period")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("buyers", models.PositiveIntegerField(verbose_name="members who bought")),
                ("places", models.PositiveIntegerField(verbose_name="places")),
                ("winners", models.JSONField(default=list, verbose_name="members chosen")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="recorded",
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
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
                "verbose_name": "cut of the top members",
                "verbose_name_plural": "cuts of the top members",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("tier", "cut_at"), name="tier_cut_once_a_period")
                ],
            },
        ),
        migrations.AddField(
            model_name="programmeversion",
            name="ready_at",
            field=models.DateTimeField(null=True, verbose_name="ready for review"),
        ),
        migrations.AddField(
            model_name="programmeversion",
            name="ready_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="ready, says",
            ),
        ),
        migrations.AddField(
            model_name="programmeversion",
            name="sent_back",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="sent back because"),
        ),
        migrations.AddConstraint(
            model_name="programmeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("ready_by", None), ("ready_at__isnull", False), _connector="OR"),
                name="programme_ready_has_its_time",
            ),
        ),
        append_only("loyalty_tierevent", "tier_event_is_forever"),
        append_only("loyalty_growthentry", "growth_entry_is_forever"),
        append_only("loyalty_tierlook", "tier_look_is_forever"),
        append_only("loyalty_tierwarning", "tier_warning_is_forever"),
    ]
