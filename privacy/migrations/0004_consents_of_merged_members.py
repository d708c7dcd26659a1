from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0003_approvals_and_own_membership"),
    ]

    operations = [
        migrations.AlterField(
            model_name="consentevent",
            name="method",
            field=models.CharField(
                choices=[
                    ("tick", "Ticked a box"),
                    ("tap", "Tapped a button"),
                    ("signature", "Signed on paper"),
                    ("spoken", "Told a member of staff"),
                    ("platform", "Told by a platform"),
                    ("reply", "Answered a message"),
                    ("merge", "Said as another member of the same person"),
                ],
                default="platform",
                max_length=16,
                verbose_name="how",
            ),
        ),
    ]
