"""What was published is never edited or deleted, and nobody publishes alone what they drafted (D6)."""

from django.db import migrations, models

from privacy.appendonly import append_only

SECOND_PERSON = """
ALTER TABLE loyalty_programmeversion
  ADD CONSTRAINT programme_published_by_none_of_its_drafters
  CHECK (NOT drafters @> to_jsonb(published_by_id) OR break_glass_reason <> '')
"""
WITHOUT = "ALTER TABLE loyalty_programmeversion DROP CONSTRAINT programme_published_by_none_of_its_drafters"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_points_are_appended")]

    operations = [
        migrations.AddField(
            model_name="programmeversion",
            name="drafters",
            field=models.JSONField(default=list, verbose_name="edited by"),
        ),
        migrations.RunSQL(SECOND_PERSON, WITHOUT),
        append_only(
            "loyalty_programmeversion", "published_programme_is_forever", only_when="OLD.state = 'published'"
        ),
    ]
