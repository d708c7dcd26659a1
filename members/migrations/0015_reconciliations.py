import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import privacy.fields


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0014_scored_matching"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("stale_count__gt", 0)), fields=["-placed_at"], name="order_told_late"
            ),
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("file", "File"),
                            ("rows", "API, order by order"),
                            ("totals", "API, totals alone"),
                        ],
                        max_length=10,
                        verbose_name="way",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be compared"),
                            ("telling", "Being told"),
                            ("done", "Compared"),
                            ("refused", "Could not be read"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("upload", models.UUIDField(db_index=True, editable=False, null=True)),
                ("file_name", models.CharField(blank=True, max_length=200, verbose_name="file")),
                ("format", models.CharField(blank=True, max_length=40, verbose_name="format")),
                ("is_applicable", models.BooleanField(default=False)),
                ("rejected", models.JSONField(default=list, verbose_name="rejected rows")),
                ("rows_rejected", models.PositiveIntegerField(default=0, verbose_name="rejected rows")),
                (
                    "rows_of_other_days",
                    models.PositiveIntegerField(default=0, verbose_name="orders of other days"),
                ),
                ("problem", models.CharField(blank=True, max_length=60, verbose_name="problem")),
                ("problem_details", models.JSONField(default=dict)),
                ("theirs", models.JSONField(default=dict, verbose_name="what the channel holds")),
                ("ours", models.JSONField(default=dict, verbose_name="what we held")),
                ("ours_after", models.JSONField(default=dict, verbose_name="what we hold since")),
                ("found", models.JSONField(default=dict, verbose_name="differences by kind")),
                ("unattached", models.PositiveIntegerField(default=0, verbose_name="orders of nobody")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="started",
                    ),
                ),
                ("compared_at", models.DateTimeField(null=True, verbose_name="compared")),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliations",
                        to="members.channel",
                        verbose_name="channel",
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
            ],
            options={
                "verbose_name": "reconciliation",
                "verbose_name_plural": "reconciliations",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["channel", "-day", "-id"], name="reconciliation_of_day")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("compared_at__isnull", False), ("state", "done")),
                            models.Q(
                                models.Q(("state", "done"), _negated=True), ("compared_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="reconciliation_done_was_compared",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationDifference",
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
                            ("missing_here", "Missing here"),
                            ("missing_there", "Missing there"),
                            ("status", "State differs"),
                            ("amount", "Amount differs"),
                            ("refunded", "Refunded differs"),
                            ("totals", "Totals differ"),
                        ],
                        max_length=15,
                        verbose_name="difference",
                    ),
                ),
                ("order_no", models.CharField(blank=True, max_length=64, verbose_name="order number")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("placed", "Placed"),
                            ("paid", "Paid"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        null=True,
                        verbose_name="status there",
                    ),
                ),
                (
                    "net",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="net there"),
                ),
                (
                    "paid",
                    models.DecimalField(
                        decimal_places=2, max_digits=16, null=True, verbose_name="paid there"
                    ),
                ),
                (
                    "refunded",
                    models.DecimalField(
                        decimal_places=2, max_digits=16, null=True, verbose_name="refunded there"
                    ),
                ),
                (
                    "our_status",
                    models.CharField(
                        choices=[
                            ("placed", "Placed"),
                            ("paid", "Paid"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        null=True,
                        verbose_name="status",
                    ),
                ),
                (
                    "our_net",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="net"),
                ),
                (
                    "our_paid",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="paid"),
                ),
                (
                    "our_refunded",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="refunded"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("taken", "Taken in from the channel"),
                            ("told", "Told the channel again"),
                            ("accepted", "Accepted"),
                            ("gone", "Gone by itself"),
                            ("again", "Found again later"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.order",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="members.reconciliation",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="settled by",
                    ),
                ),
            ],
            options={
                "verbose_name": "difference",
                "verbose_name_plural": "differences",
                "ordering": ["run", "order_no", "kind"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["run"], name="difference_open_of_run"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "order_no", "kind"), name="difference_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="difference_accepted_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at__isnull", True), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True), ("settled_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="difference_settled_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("order_no", models.CharField(max_length=64, verbose_name="order number")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("placed", "Placed"),
                            ("paid", "Paid"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        null=True,
                        verbose_name="status",
                    ),
                ),
                ("net", models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="net")),
                (
                    "paid",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="paid"),
                ),
                (
                    "refunded",
                    models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name="refunded"),
                ),
                ("payload", privacy.fields.SealedTextField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="members.reconciliation",
                    ),
                ),
            ],
            options={
                "verbose_name": "order of the channel",
                "verbose_name_plural": "orders of the channel",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "order_no"), name="reconciliation_row_once")
                ],
            },
        ),
    ]
