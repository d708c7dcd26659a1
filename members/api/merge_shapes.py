"""The shapes of merges and reviews, for the API's description (OpenAPI)."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import Unknown
from members.merged_profiles import FIELDS, OTHER, SURVIVOR
from members.models import MatchReview

SIDES = [SURVIVOR, OTHER]
REVIEW_STATES = list(MatchReview.State.values)


class MergeAsked(serializers.Serializer[Any]):
    other = serializers.CharField(help_text="The number of the member who is merged into this one")
    reason = serializers.CharField(required=False, help_text="At least five characters")
    choices = serializers.DictField(
        child=serializers.ChoiceField(SIDES),
        required=False,
        help_text=f"Whose value stays, by field ({', '.join(FIELDS)}); the rest as the preview proposes.",
    )


class UnmergeAsked(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, help_text="At least five characters")
    merge_id = serializers.IntegerField(required=False, help_text="The latest merge unless told")


class Merged(Unknown):
    merge_id = serializers.IntegerField()
    member_no = serializers.CharField(help_text="The surviving member")
    other_no = serializers.CharField(help_text="The member merged into them")
    choices = serializers.DictField(child=serializers.ChoiceField(SIDES))
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True, help_text="Nobody, where the matching was sure")
    at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class MergeField(serializers.Serializer[Any]):
    """One field of both, masked."""

    field = serializers.CharField()
    survivor = serializers.CharField(allow_blank=True)
    other = serializers.CharField(allow_blank=True)
    chosen = serializers.ChoiceField(SIDES)
    why = serializers.CharField(help_text="same, known, verified, clear, first or newer")
    agreement = serializers.CharField(help_text="same, near, different or one")


class MergePreview(serializers.Serializer[Any]):
    """What a merge would do now. Each list has the survivor's, the other's, and what both come to."""

    member_no = serializers.CharField()
    other_no = serializers.CharField()
    fields = MergeField(many=True)  # type: ignore[assignment]
    points = serializers.ListField(child=serializers.IntegerField(), help_text="Available")
    debt = serializers.ListField(child=serializers.IntegerField())
    tier = serializers.ListField(child=serializers.CharField())
    coupons = serializers.ListField(child=serializers.IntegerField(), help_text="Usable now")
    consents = serializers.ListField(
        child=serializers.DictField(), help_text="Those that become stricter, by purpose and channel"
    )
    review = serializers.ChoiceField(
        REVIEW_STATES, allow_null=True, help_text="What was decided about the pair"
    )


class Review(Unknown):
    """A pair that may be one person."""

    id = serializers.IntegerField()
    member_no = serializers.CharField()
    other_no = serializers.CharField()
    reason = serializers.CharField()
    reason_text = serializers.CharField()
    evidence = serializers.DictField()
    state = serializers.ChoiceField(REVIEW_STATES)
    created_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class Reviews(serializers.Serializer[Any]):
    reviews = Review(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")


class ReviewDecision(serializers.Serializer[Any]):
    same = serializers.BooleanField(help_text="Whether the two are one person; then they are merged")
    survivor = serializers.CharField(required=False, help_text="Who joined first, unless told")
    reason = serializers.CharField(required=False)
