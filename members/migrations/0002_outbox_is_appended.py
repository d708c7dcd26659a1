"""What was told to the outside stays as it was told; only the time of sending is filled in later (A14)."""

from django.db import migrations

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [append_only("members_outboxevent", "outbox_event_is_forever", except_columns=["sent_at"])]
