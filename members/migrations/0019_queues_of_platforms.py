import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0018_what_a_customer_looks_up"),
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
    ]
