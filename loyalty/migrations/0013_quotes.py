import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0012_audit_runs"),
        ("members", "0007_who_asked_a_refund"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Quote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("plan", models.JSONField(verbose_name="plan")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("valid_until", models.DateTimeField(verbose_name="valid until")),
                ("committed_at", models.DateTimeField(null=True, verbose_name="committed")),
                (
                    "order_no",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="order number"),
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
            ],
            options={
                "verbose_name": "quote",
                "verbose_name_plural": "quotes",
                "indexes": [
                    models.Index(
                        condition=models.Q(("committed_at", None)),
                        fields=["valid_until"],
                        name="quote_not_taken_up",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("committed_at", None), ("order_no", "")),
                            models.Q(
                                ("committed_at__isnull", False), models.Q(("order_no", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="quote_commit_names_its_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("committed_at", None),
                            ("committed_at__lt", models.F("valid_until")),
                            _connector="OR",
                        ),
                        name="quote_committed_in_its_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("committed_at__isnull", False)),
                        fields=("channel", "order_no"),
                        name="quote_commits_an_order_once",
                    ),
                ],
            },
        ),
    ]
