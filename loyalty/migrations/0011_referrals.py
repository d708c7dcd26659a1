import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import privacy.fields


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("loyalty", "0010_grants"),
        ("members", "0005_history_of_what_staff_configure"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeviceSeen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", privacy.fields.BlindIndexField(max_length=32, verbose_name="device")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
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
                "verbose_name": "device seen",
                "verbose_name_plural": "devices seen",
                "indexes": [
                    models.Index(fields=["index"], name="device_by_index"),
                    models.Index(fields=["seen_at"], name="device_oldest_first"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "index"), name="device_once_per_member")
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for the first purchase"),
                            ("counted", "Counted"),
                            ("review", "Waiting for a person"),
                            ("refused", "Refused"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reasons", models.JSONField(default=list, verbose_name="what speaks against it")),
                ("number", models.PositiveIntegerField(null=True, verbose_name="number")),
                ("due_at", models.DateTimeField(null=True, verbose_name="counts from")),
                ("heard_at", models.DateTimeField(verbose_name="heard")),
                ("counted_at", models.DateTimeField(null=True, verbose_name="counted")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("note", models.CharField(blank=True, default="", max_length=300, verbose_name="note")),
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
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "friend",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="brought_by",
                        to="members.member",
                        verbose_name="friend",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.programmeversion",
                        verbose_name="programme",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="members.member",
                        verbose_name="referrer",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "indexes": [
                    models.Index(fields=["-heard_at", "-id"], name="referral_latest_first"),
                    models.Index(
                        condition=models.Q(("state", "review")),
                        fields=["heard_at"],
                        name="referral_to_review",
                    ),
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["id"], name="referral_waiting"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("friend", "referrer"), name="referral_once_per_pair"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "refused"), _negated=True),
                        fields=("friend",),
                        name="referral_friend_of_one_member",
                    ),
                    models.UniqueConstraint(fields=("referrer", "number"), name="referral_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("counted_at__isnull", False), ("number__isnull", False), ("state", "counted")
                            ),
                            models.Q(
                                models.Q(("state", "counted"), _negated=True),
                                ("counted_at", None),
                                ("number", None),
                            ),
                            _connector="OR",
                        ),
                        name="referral_counts_with_its_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("referrer", models.F("friend")), _negated=True),
                            ("state", "refused"),
                            _connector="OR",
                        ),
                        name="referral_not_of_oneself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["refused", "review"]), _negated=True),
                            models.Q(("reasons", []), _negated=True),
                            _connector="OR",
                        ),
                        name="referral_refusal_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferralCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, verbose_name="code")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral_code",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral code",
                "verbose_name_plural": "referral codes",
                "constraints": [models.UniqueConstraint(fields=("code",), name="referral_code_once")],
            },
        ),
    ]
