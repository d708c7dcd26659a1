import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import privacy.fields
from privacy.appendonly import append_only

# Who was merged, or is the survivor of a merge that is being made at this moment, waits for its end here; then
# neither may have a survivor, so that no two merges make a circle. The code locks the same rows before: this
# is what holds when it does not.
_OF_TWO = """
CREATE FUNCTION merge_of_two_who_are_not_merged() RETURNS trigger LANGUAGE plpgsql AS $rule$
    BEGIN
        PERFORM FROM members_member WHERE id IN (NEW.survivor_id, NEW.other_id)
          ORDER BY id FOR NO KEY UPDATE;
        IF EXISTS (SELECT FROM members_member
                    WHERE id IN (NEW.survivor_id, NEW.other_id) AND merged_into_id IS NOT NULL) THEN
            RAISE EXCEPTION 'merge_of_two_who_are_not_merged: one of the two is merged already'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'merge_of_two_who_are_not_merged',
                      TABLE = 'members_merge';
        END IF;
        RETURN NEW;
    END
$rule$;
CREATE TRIGGER merge_of_two_who_are_not_merged BEFORE INSERT ON members_merge
    FOR EACH ROW EXECUTE FUNCTION merge_of_two_who_are_not_merged();
"""
_OF_ANY_TWO = """
DROP TRIGGER merge_of_two_who_are_not_merged ON members_merge;
DROP FUNCTION merge_of_two_who_are_not_merged();
"""
_ENDS_ONCE = """
CREATE FUNCTION merge_is_undone_once() RETURNS trigger LANGUAGE plpgsql AS $rule$
    BEGIN
        IF (NEW.undone_at, NEW.undone_by_id, NEW.undone_reason)
           IS DISTINCT FROM (OLD.undone_at, OLD.undone_by_id, OLD.undone_reason) THEN
            RAISE EXCEPTION 'merge_is_undone_once: a merge that was undone stays so'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'merge_is_undone_once',
                      TABLE = 'members_merge';
        END IF;
        RETURN NEW;
    END
$rule$;
CREATE TRIGGER merge_is_undone_once BEFORE UPDATE ON members_merge
    FOR EACH ROW WHEN (OLD.undone_at IS NOT NULL) EXECUTE FUNCTION merge_is_undone_once();
"""
_ENDS_OFTEN = """
DROP TRIGGER merge_is_undone_once ON members_merge;
DROP FUNCTION merge_is_undone_once();
"""
# All members who are the same person by merges, for `member_id IN (SELECT members_same_person(...))`.
_SAME_PERSON = """
CREATE FUNCTION members_same_person(asked bigint) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 1 AS $who$
    WITH RECURSIVE up AS (
        SELECT id, merged_into_id FROM members_member WHERE id = asked
         UNION
        SELECT m.id, m.merged_into_id FROM up JOIN members_member m ON m.id = up.merged_into_id
    ), down AS (
        SELECT id FROM up WHERE merged_into_id IS NULL
         UNION
        SELECT m.id FROM down JOIN members_member m ON m.merged_into_id = down.id
    )
    SELECT id FROM down
$who$;
"""
_NO_SAME_PERSON = "DROP FUNCTION members_same_person(bigint);"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0010_platform_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="matchreview",
            name="reason",
            field=models.CharField(
                choices=[
                    ("name_differs", "Same key, another name"),
                    ("birthday_differs", "Same key, another birthday"),
                    ("keys_disagree", "Two keys point to two members"),
                    ("unmerged", "A merge was undone"),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seal", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("choices", models.JSONField(default=dict, verbose_name="choices")),
                ("evidence", models.JSONField(default=dict, verbose_name="evidence")),
                (
                    "before",
                    privacy.fields.SealedJSONField(blank=True, null=True, verbose_name="profile before"),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="merged",
                    ),
                ),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone")),
                (
                    "undone_reason",
                    models.CharField(blank=True, max_length=300, verbose_name="reason of undoing"),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="merged member",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="members.member",
                        verbose_name="surviving member",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="undone by",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("survivor", models.F("other")), _negated=True),
                        name="merge_of_two_members",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)),
                        fields=("other",),
                        name="member_merged_into_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undone_at", None), ("undone_by", None), ("undone_reason", "")),
                            ("undone_at__isnull", False),
                            _connector="OR",
                        ),
                        name="merge_ends_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_OF_TWO, _OF_ANY_TWO),
        migrations.RunSQL(_ENDS_ONCE, _ENDS_OFTEN),
        append_only(
            "members_merge",
            "merge_is_forever",
            except_columns=["before", "undone_at", "undone_by_id", "undone_reason"],
        ),
        migrations.RunSQL(_SAME_PERSON, _NO_SAME_PERSON),
    ]
