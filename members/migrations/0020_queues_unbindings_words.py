import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0019_an_import_is_undone"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlatformQueue",
            fields=[
                (
                    "channel",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="queue",
                        serialize=False,
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
                ("last_success_at", models.DateTimeField(null=True, verbose_name="last success")),
                ("last_message_at", models.DateTimeField(null=True, verbose_name="last message")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("paused_until", models.DateTimeField(null=True, verbose_name="paused until")),
                (
                    "error_code",
                    models.CharField(blank=True, default="", max_length=60, verbose_name="reason"),
                ),
                (
                    "foreign",
                    models.PositiveIntegerField(default=0, verbose_name="messages of other shops"),
                ),
            ],
            options={
                "verbose_name": "queue of a platform",
                "verbose_name_plural": "queues of platforms",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("error_code", ""), ("failing_since", None), ("failures", 0)),
                            models.Q(
                                ("failing_since__isnull", False),
                                ("failures__gt", 0),
                                models.Q(("error_code", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="platform_queue_fails_since_and_why",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Unbinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="unbound",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unbindings",
                        to="members.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unbindings",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "unbinding",
                "verbose_name_plural": "unbindings",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="unbinding_says_why"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="legacyrow",
            name="other_index",
            field=models.BinaryField(default=b"", max_length=32),
        ),
        migrations.AlterField(
            model_name="legacyrow",
            name="kind",
            field=models.CharField(
                choices=[
                    ("members", "Members"),
                    ("tiers", "Tiers"),
                    ("lots", "Lots"),
                    ("balances", "Balances"),
                    ("growth", "Growth value"),
                    ("coupons", "Coupons"),
                    ("consents", "Consents"),
                    ("referrals", "Referrals"),
                ],
                max_length=10,
                verbose_name="file",
            ),
        ),
        append_only("members_unbinding", "unbinding_is_forever"),
    ]
