"""What people do beside buying (A10, A11, A13): behaviour events, cases, and tags that follow a rule.

Events lie in monthly parts. A month is made when it is first needed, and dropped as a whole when it has been
kept for long enough. Both are done by functions of the owner: the role that serves does not own the table
and may do no more to it. What makes an event unique over all months is a table of its own.
"""

import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import privacy.fields

KINDS = [
    "view",
    "click",
    "dwell",
    "search",
    "favourite",
    "unfavourite",
    "cart_add",
    "cart_remove",
    "like",
    "comment",
    "consult",
    "login",
    "app_open",
    "check_in",
]

EVENTS = f"""
CREATE SEQUENCE members_event_id_seq AS bigint;
CREATE TABLE members_event (
    at timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('members_event_id_seq'),
    visitor_id bigint NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    duration integer,
    kind varchar(12) NOT NULL,
    session varchar(64) NOT NULL,
    path varchar(200) NOT NULL,
    entrance varchar(50) NOT NULL,
    keyword varchar(100) NOT NULL,
    product varchar(100) NOT NULL,
    category varchar(100) NOT NULL,
    CONSTRAINT event_of_an_instant PRIMARY KEY (at, id),
    CONSTRAINT event_kind_is_known CHECK (kind IN ({", ".join(f"'{kind}'" for kind in KINDS)})),
    CONSTRAINT event_lasts_no_less_than_nothing CHECK (duration >= 0)
) PARTITION BY RANGE (at);
ALTER SEQUENCE members_event_id_seq OWNED BY members_event.id;
CREATE INDEX event_of_visitor_latest_first ON members_event (visitor_id, at DESC, id DESC);
"""
NO_EVENTS = "DROP TABLE members_event;"

# Attached, not created as a part: that would keep all others from writing while it lasts.
MONTHS = """
CREATE FUNCTION members_event_months(months date[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $months$
    DECLARE
        asked date;
        begins date;
        part text;
        made integer := 0;
    BEGIN
        FOREACH asked IN ARRAY months LOOP
            begins := date_trunc('month', asked);
            part := 'members_event_' || to_char(begins, 'YYYYMM');
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            PERFORM pg_advisory_xact_lock(1397245543, extract(epoch FROM begins)::bigint::integer);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;  -- made while we waited
            EXECUTE format('CREATE TABLE %I (LIKE members_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
            EXECUTE format(
                'ALTER TABLE members_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                begins::timestamp AT TIME ZONE 'Asia/Shanghai',
                (begins + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai'
            );
            made := made + 1;
        END LOOP;
        RETURN made;
    END
$months$;

CREATE FUNCTION members_event_forget(first_kept date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $forget$
    DECLARE
        part regclass;
        dropped integer := 0;
    BEGIN
        IF first_kept > (now() - interval '1 month')::date THEN
            RAISE EXCEPTION 'events_of_the_last_month_are_kept' USING ERRCODE = 'restrict_violation';
        END IF;
        FOR part IN
            SELECT inhrelid FROM pg_inherits
             WHERE inhparent = 'members_event'::regclass
               AND right(inhrelid::regclass::text, 6) < to_char(first_kept, 'YYYYMM')
             ORDER BY 1
        LOOP
            EXECUTE format('ALTER TABLE members_event DETACH PARTITION %s', part);
            EXECUTE format('DROP TABLE %s', part);
            dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
    END
$forget$;
"""
NO_MONTHS = "DROP FUNCTION members_event_forget(date); DROP FUNCTION members_event_months(date[]);"

# Keys lie in the order in which they came, and so, roughly, in that of their months.
KEYS_BY_MONTH = (
    "CREATE INDEX event_key_by_month ON members_eventkey USING brin (month) WITH (pages_per_range = 32);"
)
NO_KEYS_BY_MONTH = "DROP INDEX event_key_by_month;"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0012_enrolments"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EventKey",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False, verbose_name="key")),
                ("month", models.DateField(verbose_name="month")),
            ],
            options={
                "verbose_name": "event told",
                "verbose_name_plural": "events told",
            },
        ),
        migrations.CreateModel(
            name="TagRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("conditions", models.JSONField(verbose_name="conditions")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "tag",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rule",
                        to="members.tag",
                        verbose_name="tag",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag rule",
                "verbose_name_plural": "tag rules",
                "ordering": ["tag__name"],
            },
        ),
        migrations.AddField(
            model_name="membertag",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.tagrule",
                verbose_name="tag rule",
            ),
        ),
        migrations.AddIndex(
            model_name="membertag",
            index=models.Index(
                condition=models.Q(("rule__isnull", False)), fields=["rule"], name="member_tag_by_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="membertag",
            constraint=models.CheckConstraint(
                condition=models.Q(("rule__isnull", True), ("given_by__isnull", True), _connector="OR"),
                name="member_tag_by_rule_or_by_hand",
            ),
        ),
        migrations.CreateModel(
            name="TagRuleEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("conditions", models.JSONField(verbose_name="conditions")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
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
                        to="members.tagrule",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="members.tag",
                        verbose_name="tag",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("number", models.CharField(max_length=64, verbose_name="case number")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("return", "Return"),
                            ("exchange", "Exchange"),
                            ("complaint", "Complaint"),
                            ("consultation", "Question"),
                            ("review", "Review"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("working", "Being worked on"),
                            ("waiting", "Waits for the member"),
                            ("approved", "Agreed to"),
                            ("sent", "Sent back"),
                            ("arrived", "Arrived with us"),
                            ("refunded", "Money returned"),
                            ("replaced", "Replacement sent"),
                            ("resolved", "Resolved"),
                            ("refused", "Turned down"),
                            ("cancelled", "Called off"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "question_type",
                    models.CharField(blank=True, default="", max_length=50, verbose_name="type of question"),
                ),
                (
                    "feedback_channel",
                    models.CharField(blank=True, default="", max_length=50, verbose_name="told by way of"),
                ),
                (
                    "order_number",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="order number"),
                ),
                ("product", models.CharField(blank=True, default="", max_length=100, verbose_name="product")),
                (
                    "words",
                    privacy.fields.SealedTextField(
                        blank=True, null=True, verbose_name="what the member said"
                    ),
                ),
                (
                    "answer",
                    privacy.fields.SealedTextField(blank=True, null=True, verbose_name="what was answered"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("first_response_at", models.DateTimeField(null=True, verbose_name="first answered")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                (
                    "response_time",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("first_response_at"), "-", models.F("opened_at")
                        ),
                        output_field=models.DurationField(),
                        verbose_name="response time",
                    ),
                ),
                (
                    "satisfaction",
                    models.PositiveSmallIntegerField(null=True, verbose_name="satisfaction, 0 to 10"),
                ),
                ("version", models.BigIntegerField(null=True, verbose_name="version")),
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
                ("revision", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "stale_count",
                    models.PositiveIntegerField(default=0, verbose_name="stale versions ignored"),
                ),
                (
                    "heard_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="first heard",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="last changed"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="members.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "case",
                "verbose_name_plural": "cases",
                "indexes": [
                    models.Index(fields=["member", "-opened_at", "-id"], name="case_of_member_latest_first"),
                    models.Index(fields=["-opened_at", "-id"], name="case_latest_first"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "number"), name="case_once_per_channel"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("satisfaction__isnull", True), ("satisfaction__lte", 10), _connector="OR"
                        ),
                        name="case_satisfaction_is_at_most_ten",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("first_response_at__isnull", True),
                                ("first_response_at__gte", models.F("opened_at")),
                                _connector="OR",
                            ),
                            models.Q(
                                ("closed_at__isnull", True),
                                ("closed_at__gte", models.F("opened_at")),
                                _connector="OR",
                            ),
                        ),
                        name="case_begins_with_its_opening",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["approved", "sent", "arrived", "refunded", "replaced"]),
                                _negated=True,
                            ),
                            models.Q(
                                ("kind", "return"), ("state__in", ["approved", "sent", "arrived", "refunded"])
                            ),
                            ("kind", "exchange"),
                            _connector="OR",
                        ),
                        name="case_state_is_of_its_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("revision", models.PositiveIntegerField(verbose_name="revision")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("working", "Being worked on"),
                            ("waiting", "Waits for the member"),
                            ("approved", "Agreed to"),
                            ("sent", "Sent back"),
                            ("arrived", "Arrived with us"),
                            ("refunded", "Money returned"),
                            ("replaced", "Replacement sent"),
                            ("resolved", "Resolved"),
                            ("refused", "Turned down"),
                            ("cancelled", "Called off"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("happened_at", models.DateTimeField(null=True, verbose_name="happened")),
                (
                    "heard_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="heard"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="members.case",
                        verbose_name="case",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of a case",
                "verbose_name_plural": "steps of cases",
                "ordering": ["case", "revision"],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "revision"), name="step_once_per_revision")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tagrule",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "members_tagruleevent" ("conditions", "created_at", "id", "is_active", "made_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tag_id") VALUES (NEW."conditions", NEW."created_at", NEW."id", NEW."is_active", NEW."made_by_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."tag_id"); RETURN NULL;',
                    hash="17d4bda00863191f2a7820fe7e232230c340922e",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c1c1f",
                    table="members_tagrule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tagrule",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "members_tagruleevent" ("conditions", "created_at", "id", "is_active", "made_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "tag_id") VALUES (NEW."conditions", NEW."created_at", NEW."id", NEW."is_active", NEW."made_by_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."tag_id"); RETURN NULL;',
                    hash="ea38f40c487852f9b5a8d757761b7172b1b5d5b3",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_8677e",
                    table="members_tagrule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tagruleevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="039b98b40287db656e7ef12d31ef156aa869ee07",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_2761c",
                    table="members_tagruleevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TagRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ran_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="applied",
                    ),
                ),
                ("members", models.PositiveIntegerField(verbose_name="members")),
                ("given", models.PositiveIntegerField(verbose_name="given")),
                ("taken", models.PositiveIntegerField(verbose_name="taken away")),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="members.tagrule",
                        verbose_name="tag rule",
                    ),
                ),
            ],
            options={
                "verbose_name": "run of a tag rule",
                "verbose_name_plural": "runs of tag rules",
                "indexes": [models.Index(fields=["rule", "-ran_at"], name="tag_run_latest_first")],
            },
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", privacy.fields.BlindIndexField(max_length=32, verbose_name="external id index")),
                (
                    "heard_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="first heard",
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
            ],
            options={
                "verbose_name": "visitor",
                "verbose_name_plural": "visitors",
                "indexes": [
                    models.Index(
                        condition=models.Q(("member__isnull", False)),
                        fields=["member"],
                        name="visitor_of_member",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "index"), name="visitor_once_per_channel")
                ],
            },
        ),
        migrations.RunSQL(
            EVENTS,
            NO_EVENTS,
            state_operations=[
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(verbose_name="happened")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("view", "Viewed"),
                                    ("click", "Clicked"),
                                    ("dwell", "Stayed"),
                                    ("search", "Searched"),
                                    ("favourite", "Added a favourite"),
                                    ("unfavourite", "Removed a favourite"),
                                    ("cart_add", "Put in the basket"),
                                    ("cart_remove", "Took out of the basket"),
                                    ("like", "Liked"),
                                    ("comment", "Commented"),
                                    ("consult", "Asked the service"),
                                    ("login", "Signed in"),
                                    ("app_open", "Opened the app"),
                                    ("check_in", "Checked in"),
                                ],
                                max_length=12,
                                verbose_name="kind",
                            ),
                        ),
                        ("session", models.CharField(default="", max_length=64, verbose_name="session")),
                        ("path", models.CharField(default="", max_length=200, verbose_name="path")),
                        ("entrance", models.CharField(default="", max_length=50, verbose_name="entrance")),
                        ("keyword", models.CharField(default="", max_length=100, verbose_name="keyword")),
                        ("product", models.CharField(default="", max_length=100, verbose_name="product")),
                        ("category", models.CharField(default="", max_length=100, verbose_name="category")),
                        ("duration", models.PositiveIntegerField(null=True, verbose_name="seconds")),
                        (
                            "heard_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(),
                                editable=False,
                                verbose_name="heard",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "event",
                        "verbose_name_plural": "events",
                    },
                ),
                migrations.AddField(
                    model_name="event",
                    name="visitor",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="members.visitor",
                        verbose_name="visitor",
                    ),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(
                        fields=["visitor", "-at", "-id"], name="event_of_visitor_latest_first"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(MONTHS, NO_MONTHS),
        migrations.RunSQL(KEYS_BY_MONTH, NO_KEYS_BY_MONTH),
    ]
