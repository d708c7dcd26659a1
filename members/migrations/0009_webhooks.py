import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import privacy.fields


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_channel_credentials"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("url", models.CharField(max_length=500, verbose_name="URL")),
                (
                    "topics",
                    models.JSONField(
                        blank=True, default=list, help_text="Empty for all.", verbose_name="topics"
                    ),
                ),
                ("secret", privacy.fields.SealedTextField(blank=True, null=True, verbose_name="secret")),
                (
                    "previous_secret",
                    privacy.fields.SealedTextField(blank=True, null=True, verbose_name="previous secret"),
                ),
                (
                    "previous_until",
                    models.DateTimeField(null=True, verbose_name="previous secret signs until"),
                ),
                ("read_xid", models.BigIntegerField(default=0, editable=False)),
                ("read_id", models.BigIntegerField(default=0, editable=False)),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("paused_until", models.DateTimeField(null=True, verbose_name="paused until")),
                ("last_success_at", models.DateTimeField(null=True, verbose_name="last success")),
                ("last_failure_at", models.DateTimeField(null=True, verbose_name="last failure")),
                (
                    "last_problem",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("status", "The answer was not 2xx"),
                            ("redirect", "It redirected, which is not followed"),
                            ("gone", "It answered 410 Gone"),
                            ("throttled", "It asked us to slow down"),
                            ("timeout", "No answer in time"),
                            ("refused", "No connection"),
                            ("tls", "The certificate was not accepted"),
                            ("broken", "The connection broke"),
                            ("unresolved", "The name has no address"),
                            ("forbidden", "The address is not allowed"),
                            ("internal", "An error of ours"),
                            ("crashed", "The worker crashed at it, again and again"),
                        ],
                        max_length=12,
                        verbose_name="last problem",
                    ),
                ),
                (
                    "last_status",
                    models.PositiveSmallIntegerField(null=True, verbose_name="status of the last failure"),
                ),
                ("disabled_at", models.DateTimeField(null=True, verbose_name="disabled")),
                (
                    "disabled_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("asked", "switched off"),
                            ("gone", "it answered 410 Gone"),
                            ("failing", "five days of failures only"),
                        ],
                        max_length=8,
                        verbose_name="why disabled",
                    ),
                ),
                ("removed_at", models.DateTimeField(null=True, verbose_name="removed")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoints",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook endpoint",
                "verbose_name_plural": "webhook endpoints",
                "ordering": ["channel", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at", None)),
                        fields=("channel", "url"),
                        name="webhook_endpoint_once_per_url",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_at", None), ("disabled_why", "")),
                            models.Q(
                                ("disabled_at__isnull", False), models.Q(("disabled_why", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_disabled_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removed_at", None), ("secret__isnull", False)),
                            models.Q(
                                ("previous_secret__isnull", True),
                                ("removed_at__isnull", False),
                                ("secret__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_keeps_its_secret_while_it_lives",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(null=True, verbose_name="number among the member's"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("dead", "Dead letter")],
                        default="waiting",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="failed tries")),
                ("started", models.PositiveIntegerField(default=0, verbose_name="attempts started")),
                ("finished", models.PositiveIntegerField(default=0, verbose_name="attempts finished")),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("status", "The answer was not 2xx"),
                            ("redirect", "It redirected, which is not followed"),
                            ("gone", "It answered 410 Gone"),
                            ("throttled", "It asked us to slow down"),
                            ("timeout", "No answer in time"),
                            ("refused", "No connection"),
                            ("tls", "The certificate was not accepted"),
                            ("broken", "The connection broke"),
                            ("unresolved", "The name has no address"),
                            ("forbidden", "The address is not allowed"),
                            ("internal", "An error of ours"),
                            ("crashed", "The worker crashed at it, again and again"),
                        ],
                        max_length=12,
                        verbose_name="problem",
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="status")),
                ("tried_at", models.DateTimeField(null=True, verbose_name="last tried")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="delivered or given up")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="members.outboxevent",
                        verbose_name="change",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="members.webhookendpoint",
                        verbose_name="webhook endpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpointEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("url", models.CharField(max_length=500, verbose_name="URL")),
                (
                    "topics",
                    models.JSONField(
                        blank=True, default=list, help_text="Empty for all.", verbose_name="topics"
                    ),
                ),
                ("disabled_at", models.DateTimeField(null=True, verbose_name="disabled")),
                (
                    "disabled_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("asked", "switched off"),
                            ("gone", "it answered 410 Gone"),
                            ("failing", "five days of failures only"),
                        ],
                        max_length=8,
                        verbose_name="why disabled",
                    ),
                ),
                ("removed_at", models.DateTimeField(null=True, verbose_name="removed")),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="members.webhookendpoint",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WebhookFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "problem",
                    models.CharField(
                        choices=[
                            ("status", "The answer was not 2xx"),
                            ("redirect", "It redirected, which is not followed"),
                            ("gone", "It answered 410 Gone"),
                            ("throttled", "It asked us to slow down"),
                            ("timeout", "No answer in time"),
                            ("refused", "No connection"),
                            ("tls", "The certificate was not accepted"),
                            ("broken", "The connection broke"),
                            ("unresolved", "The name has no address"),
                            ("forbidden", "The address is not allowed"),
                            ("internal", "An error of ours"),
                            ("crashed", "The worker crashed at it, again and again"),
                        ],
                        max_length=12,
                        verbose_name="problem",
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="status")),
                ("milliseconds", models.PositiveIntegerField(verbose_name="milliseconds")),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts_failed",
                        to="members.webhookdelivery",
                        verbose_name="webhook delivery",
                    ),
                ),
            ],
            options={
                "verbose_name": "failed attempt",
                "verbose_name_plural": "failed attempts",
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhookendpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "members_webhookendpointevent" ("channel_id", "disabled_at", "disabled_why", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "topics", "url") VALUES (NEW."channel_id", NEW."disabled_at", NEW."disabled_why", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."removed_at", NEW."topics", NEW."url"); RETURN NULL;',
                    hash="d4afea5ec5ccf41c693688a828cebcec574490b9",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_93270",
                    table="members_webhookendpoint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhookendpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."channel_id" IS DISTINCT FROM (NEW."channel_id") OR OLD."disabled_at" IS DISTINCT FROM (NEW."disabled_at") OR OLD."disabled_why" IS DISTINCT FROM (NEW."disabled_why") OR OLD."removed_at" IS DISTINCT FROM (NEW."removed_at") OR OLD."topics" IS DISTINCT FROM (NEW."topics") OR OLD."url" IS DISTINCT FROM (NEW."url"))',
                    func='INSERT INTO "members_webhookendpointevent" ("channel_id", "disabled_at", "disabled_why", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "topics", "url") VALUES (NEW."channel_id", NEW."disabled_at", NEW."disabled_why", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."removed_at", NEW."topics", NEW."url"); RETURN NULL;',
                    hash="7c22f873cfd1da476c886fe0d833ea738523ff99",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6a321",
                    table="members_webhookendpoint",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["endpoint", "due_at", "id"],
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "dead")), fields=["endpoint", "id"], name="delivery_dead"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event"), name="delivery_once_per_endpoint"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("member__isnull", False)),
                fields=("endpoint", "member", "sequence"),
                name="delivery_sequence_no_fork",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("member", None), ("sequence", None)),
                    models.Q(("member__isnull", False), ("sequence__gte", 1)),
                    _connector="OR",
                ),
                name="delivery_of_a_member_has_a_sequence",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at", None), ("state", "waiting")),
                    models.Q(("settled_at__isnull", False), ("state__in", ["delivered", "dead"])),
                    _connector="OR",
                ),
                name="delivery_settled_once_it_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("finished__lte", models.F("started"))),
                name="delivery_finishes_what_it_started",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="webhookendpointevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5d3e3f529f65e6f14e8aca14022b550e9a39fb9f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a4f2b",
                    table="members_webhookendpointevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="WebhookHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("delivered", models.PositiveIntegerField(default=0, verbose_name="delivered")),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed attempts")),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hours",
                        to="members.webhookendpoint",
                        verbose_name="webhook endpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "hour of an endpoint",
                "verbose_name_plural": "hours of endpoints",
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "hour"), name="webhook_hour_once")
                ],
            },
        ),
    ]
