"""The trail and the consents are only added to; a published notice is fixed."""

from django.db import migrations

from privacy.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial")]

    operations = [
        append_only("privacy_accessrecord", "access_record_is_forever"),
        append_only("privacy_consentevent", "consent_event_is_forever"),
        append_only(
            "privacy_notice",
            "notice_is_fixed_once_published",
            only_when="OLD.published_at IS NOT NULL",
        ),
    ]
