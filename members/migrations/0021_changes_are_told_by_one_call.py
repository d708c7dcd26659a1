"""Changes are told by a function, which the points ledger calls where it writes: no statement of their own.

It keeps its plan: one that is made for the one change of a redemption always looks cheaper to PostgreSQL
than the kept one, and was made anew each time.
"""

from django.db import migrations

TELL = """
CREATE FUNCTION members_tell(topics text[], changes text[], members bigint[], channels bigint[], payloads text[])
RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO members_outboxevent (topic, change, member_id, channel_id, payload)
    SELECT topics[n], changes[n], members[n], channels[n], payloads[n]::jsonb
      FROM generate_subscripts(topics, 1) AS n;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0020_queues_unbindings_words")]

    operations = [migrations.RunSQL(TELL, "DROP FUNCTION members_tell")]
