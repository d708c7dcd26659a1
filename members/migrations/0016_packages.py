import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0015_reconciliations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="is_of_package",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="LegacyRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="package")),
                ("files", models.JSONField(default=dict, verbose_name="files")),
                ("expected", models.JSONField(default=dict, verbose_name="control totals")),
                ("told", models.JSONField(default=dict, verbose_name="totals of the files")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be read"),
                            ("reading", "Being read"),
                            ("ready", "Ready to migrate"),
                            ("queued", "Waiting to be migrated"),
                            ("applying", "Being migrated"),
                            ("stopped", "Stopped"),
                            ("done", "Migrated"),
                            ("undoing", "Being taken back"),
                            ("half_back", "Partly taken back"),
                            ("undone", "Taken back"),
                            ("refused", "Could not be read"),
                            ("discarded", "Discarded"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "spent",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("refuse", "Take nothing back while anything was used"),
                            ("debt", "What was used becomes debt"),
                            ("keep", "What was used stays given"),
                        ],
                        max_length=10,
                        verbose_name="what was used",
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=60, verbose_name="problem")),
                ("problem_details", models.JSONField(default=dict)),
                ("stop_asked", models.BooleanField(default=False)),
                ("is_dry", models.BooleanField(default=False, verbose_name="dry run")),
                ("totals_before", models.JSONField(default=dict)),
                ("totals_after", models.JSONField(default=dict)),
                ("totals_undone", models.JSONField(default=dict)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="started",
                    ),
                ),
                ("applied_from", models.DateTimeField(null=True, verbose_name="migration began")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="taken back")),
                ("files_erased_at", models.DateTimeField(null=True, verbose_name="files erased")),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="packages",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "members_run",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="package",
                        to="members.importrun",
                        verbose_name="file of members",
                    ),
                ),
                (
                    "taken_in_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="taken back by",
                    ),
                ),
            ],
            options={
                "verbose_name": "migration",
                "verbose_name_plural": "migrations",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["undoing", "half_back", "undone"]), _negated=True),
                            models.Q(("spent", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="package_taken_back_says_what_of_the_used",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LegacyRow",
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
                            ("members", "Members"),
                            ("tiers", "Tiers"),
                            ("lots", "Lots"),
                            ("balances", "Balances"),
                            ("growth", "Growth value"),
                            ("coupons", "Coupons"),
                        ],
                        max_length=10,
                        verbose_name="file",
                    ),
                ),
                ("place", models.SmallIntegerField()),
                ("line", models.IntegerField(verbose_name="line")),
                ("account_index", models.BinaryField(default=b"", max_length=32)),
                ("key", models.CharField(default="", max_length=64)),
                ("again", models.IntegerField(default=0)),
                ("amount", models.BigIntegerField(default=0, verbose_name="amount")),
                ("document", models.JSONField(default=dict, verbose_name="what it says")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("new", "new"),
                            ("changed", "changed"),
                            ("same", "same"),
                            ("rejected", "rejected"),
                            ("undone", "taken back"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("code", models.CharField(blank=True, default="", max_length=60, verbose_name="reason")),
                ("column", models.CharField(blank=True, default="", max_length=100, verbose_name="column")),
                ("value", models.CharField(blank=True, default="", max_length=60, verbose_name="value")),
                ("cause", models.CharField(blank=True, default="", max_length=260, verbose_name="cause")),
                ("made", models.BigIntegerField(null=True)),
                ("taken", models.BigIntegerField(default=0, verbose_name="taken back")),
                ("kept", models.BigIntegerField(default=0, verbose_name="used meanwhile")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="members.legacyrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "row of a migration",
                "verbose_name_plural": "rows of migrations",
                "indexes": [
                    models.Index(fields=["run", "state", "place", "id"], name="legacy_row_next_of_run"),
                    models.Index(
                        fields=["channel", "kind", "account_index", "key"], name="legacy_row_of_account"
                    ),
                    models.Index(
                        condition=models.Q(("kind", "coupons")), fields=["key"], name="legacy_row_of_code"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "kind", "line"), name="legacy_row_once_a_line"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "new"), models.Q(("kind", "members"), _negated=True)),
                        fields=("channel", "kind", "account_index", "key"),
                        name="legacy_brought_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("cause", ""), _negated=True),
                        fields=("cause",),
                        name="legacy_row_once_per_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "new"), _negated=True),
                            ("account__isnull", False),
                            _connector="OR",
                        ),
                        name="legacy_row_brought_to_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "rejected"), models.Q(("code", ""), _negated=True)),
                            models.Q(("state", "rejected"), _negated=True),
                            _connector="OR",
                        ),
                        name="legacy_row_rejected_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kept__gte", 0),
                                ("taken__gte", 0),
                                (
                                    "taken__lte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("amount"), "-", models.F("kept")
                                    ),
                                ),
                            ),
                            ("kind", "members"),
                            _connector="OR",
                        ),
                        name="legacy_row_takes_back_no_more_than_it_brought",
                    ),
                ],
            },
        ),
    ]
