import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import privacy.fields


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0011_merges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RateCount",
            fields=[
                (
                    "subject",
                    privacy.fields.BlindIndexField(
                        max_length=32, primary_key=True, serialize=False, verbose_name="subject"
                    ),
                ),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                ("count", models.BigIntegerField(verbose_name="count")),
            ],
            options={
                "verbose_name": "count of requests",
                "verbose_name_plural": "counts of requests",
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("api", "API"),
                            ("page", "Store QR code"),
                            ("desk", "Desk"),
                            ("wechat", "WeChat, one tap"),
                        ],
                        max_length=8,
                        verbose_name="origin",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("opened", "Page opened"),
                            ("waiting", "Waiting for the code"),
                            ("confirmed", "Confirmed"),
                            ("lapsed", "Given up"),
                        ],
                        default="opened",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("phone", privacy.fields.SealedTextField(blank=True, null=True, verbose_name="phone")),
                (
                    "phone_index",
                    privacy.fields.BlindIndexField(max_length=32, null=True, verbose_name="phone index"),
                ),
                ("words", models.JSONField(default=dict, verbose_name="what was said")),
                ("round", models.PositiveSmallIntegerField(default=0, verbose_name="round")),
                ("tries_left", models.PositiveSmallIntegerField(default=0, verbose_name="tries left")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="expires")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="code sent")),
                ("is_new_member", models.BooleanField(null=True, verbose_name="new member")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
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
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="member of staff",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
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
                "verbose_name": "enrolment",
                "verbose_name_plural": "enrolments",
                "indexes": [
                    models.Index(fields=["created_at"], name="enrolment_by_day"),
                    models.Index(
                        condition=models.Q(("phone_index__isnull", False)),
                        fields=["phone_index"],
                        name="enrolment_by_phone",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("expires_at__isnull", False), ("phone__isnull", False), ("state", "waiting")
                            ),
                            models.Q(
                                models.Q(("state", "waiting"), _negated=True),
                                ("phone__isnull", True),
                                ("phone_index", None),
                            ),
                            _connector="OR",
                        ),
                        name="enrolment_keeps_phone_while_waiting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("account__isnull", False), ("member__isnull", False), ("state", "confirmed")
                            ),
                            models.Q(
                                models.Q(("state", "confirmed"), _negated=True),
                                ("account", None),
                                ("member", None),
                            ),
                            _connector="OR",
                        ),
                        name="enrolment_confirmed_names_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tries_left__lte", 5)), name="enrolment_has_five_tries"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("value", privacy.fields.SealedTextField(blank=True, null=True, verbose_name="secret value")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "channel",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "access token of a platform",
                "verbose_name_plural": "access tokens of platforms",
            },
        ),
        migrations.CreateModel(
            name="EnrolmentStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("opened", "Page opened"),
                            ("phone", "Phone given"),
                            ("sent", "Code sent"),
                            ("confirmed", "Confirmed"),
                            ("name", "Name told"),
                            ("birthday", "Birthday told"),
                            ("gender", "Gender told"),
                            ("city", "City told"),
                        ],
                        max_length=10,
                        verbose_name="step",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="taken"
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="members.enrolment",
                        verbose_name="enrolment",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of an enrolment",
                "verbose_name_plural": "steps of enrolments",
                "constraints": [
                    models.UniqueConstraint(fields=("enrolment", "step"), name="enrolment_step_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SpentMemberCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("issued_at", models.BigIntegerField(verbose_name="issued")),
                ("mark", models.PositiveSmallIntegerField(verbose_name="mark")),
                (
                    "spent_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="used"
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
                        verbose_name="member of staff",
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
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "used member code",
                "verbose_name_plural": "used member codes",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "issued_at", "mark"), name="member_code_spent_once"
                    )
                ],
            },
        ),
        # Counting requests must not wait for the disk; after a crash the counts begin anew.
        migrations.RunSQL(
            "ALTER TABLE members_ratecount SET UNLOGGED", "ALTER TABLE members_ratecount SET LOGGED"
        ),
    ]
