from django.db import migrations, models

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0011_referrals"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("ended_at", models.DateTimeField(verbose_name="ended")),
                ("entries", models.BigIntegerField(verbose_name="entries")),
                ("wallets", models.BigIntegerField(verbose_name="wallets")),
                ("laws", models.JSONField(default=list, verbose_name="laws")),
                ("violations", models.JSONField(default=list, verbose_name="violations")),
                ("anchor", models.JSONField(default=dict, verbose_name="anchor")),
            ],
            options={
                "verbose_name": "run of the audit",
                "verbose_name_plural": "runs of the audit",
                "indexes": [models.Index(fields=["-started_at"], name="audit_run_latest_first")],
            },
        ),
        append_only("loyalty_auditrun", "audit_run_is_forever"),
    ]
