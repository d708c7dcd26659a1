import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import privacy.fields


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0007_who_asked_a_refund"),
    ]

    operations = [
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("name", models.CharField(max_length=30, verbose_name="name of the credential")),
                ("value", privacy.fields.SealedTextField(blank=True, null=True, verbose_name="secret value")),
                (
                    "changed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="changed"
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to="members.channel",
                        verbose_name="channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "credential",
                "verbose_name_plural": "credentials",
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "name"), name="credential_once_per_channel")
                ],
            },
        ),
    ]
