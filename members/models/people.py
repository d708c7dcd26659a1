"""People, the accounts channels know them by, and the keys that tell who is who (A2, A3, A5, A13)."""

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel, Store
from privacy.fields import BlindIndexField, SealedDateField, SealedJSONField, SealedModel, SealedTextField
from privacy.masking import mask_id


class Member(SealedModel):
    """One person. Blanked when they ask to be forgotten, never deleted: the ledger must still add up."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        RESTRICTED = "restricted", _("Restricted")
        MERGED = "merged", _("Merged")
        ERASED = "erased", _("Erased")

    class Gender(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")

    number = models.CharField(_("member number"), max_length=12, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ACTIVE)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        db_index=False,
        verbose_name=_("merged into"),
    )
    name = SealedTextField(pgettext_lazy("of a person", "name"), null=True)
    name_index = BlindIndexField(_("name index"), null=True)
    phone = SealedTextField(_("phone"), null=True)
    email = SealedTextField(_("e-mail"), null=True)
    birthday = SealedDateField(_("birthday"), null=True)
    gender = models.CharField(_("gender"), max_length=8, choices=Gender.choices, blank=True, default="")
    province = models.CharField(_("province"), max_length=30, blank=True, default="")
    city = models.CharField(_("city"), max_length=50, blank=True, default="")
    # Occupation, marital status, children, contact hours, preferences: told step by step, never searched.
    profile = SealedJSONField(_("profile"), null=True)
    # Read with the member, not searched by: an index on each would slow every enrolment.
    recruited_channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        null=True,
        related_name="recruited",
        db_index=False,
        db_constraint=False,  # as with accounts
        verbose_name=_("recruited in channel"),
    )
    recruited_store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        related_name="recruited",
        db_index=False,
        verbose_name=_("recruited in store"),
    )
    recruited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("recruited by"),
    )
    campaign = models.CharField(_("campaign"), max_length=100, blank=True, default="")
    referrer = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("referrer")
    )
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    joined_at = models.DateTimeField(_("joined"))
    created_at = models.DateTimeField(_("heard of"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        indexes = [
            models.Index(fields=["name_index"], name="member_by_name"),
            # Lists show the latest first and page by this key.
            models.Index(fields=["-joined_at", "-id"], name="member_latest_first"),
            # Few members are merged or referred by a friend; only their rows are worth an index.
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="member_by_survivor"
            ),
            models.Index(fields=["referrer"], condition=Q(referrer__isnull=False), name="member_by_referrer"),
        ]
        constraints = [
            # A constraint, not unique=True, which would build a second index for LIKE.
            models.UniqueConstraint(fields=["number"], name="member_number_once"),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | ~Q(status="merged") & Q(merged_into=None),
                name="member_merged_names_survivor",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Account(SealedModel):
    """One buyer as one channel knows them. Many per member, one member each (A2)."""

    # Channels are never deleted (channel_is_never_deleted), and all accounts of a file name one: the database
    # need not look it up, and lock it, for each of them.
    channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        related_name="accounts",
        db_index=False,
        db_constraint=False,
        verbose_name=_("channel"),
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="accounts", verbose_name=_("member"))
    # A platform's id of a buyer may itself be personal (a Taobao nick, a JD pin): sealed, found by its index.
    # Both are NULL once the person has been erased.
    external_id = SealedTextField(_("external id"))
    external_index = BlindIndexField(_("external id index"), null=True)
    nick = SealedTextField(_("nick"), null=True)
    name = SealedTextField(pgettext_lazy("of a person", "name"), null=True)
    birthday = SealedDateField(_("birthday"), null=True)
    gender = models.CharField(
        _("gender"), max_length=8, choices=Member.Gender.choices, blank=True, default=""
    )
    phone_masked = models.CharField(_("masked phone"), max_length=20, blank=True, default="")
    province = models.CharField(_("province"), max_length=30, blank=True, default="")
    city = models.CharField(_("city"), max_length=50, blank=True, default="")
    buyer_star = models.PositiveSmallIntegerField(_("buyer star"), null=True)
    praise_count = models.PositiveIntegerField(_("praise count"), null=True)
    linked_by = models.CharField(_("linked by"), max_length=20)  # a key of LINK_REASONS
    linked_at = models.DateTimeField(_("linked"), db_default=Now())
    joined_at = models.DateTimeField(_("joined"), null=True)
    unbound_at = models.DateTimeField(_("unbound"), null=True)
    version = models.BigIntegerField(_("version"), null=True)
    digest = models.BinaryField(_("digest"), max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(_("first heard"), db_default=Now(), editable=False)
    heard_at = models.DateTimeField(_("last heard"), db_default=Now())

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_index"], name="account_once_per_channel"),
        ]
        # The matching asks each minute who was heard last. Ranges of pages cost an import nothing.
        indexes = [
            BrinIndex(fields=["heard_at"], pages_per_range=32, autosummarize=True, name="account_heard")
        ]

    def __str__(self) -> str:
        """The channel by its name, and the masked id: load them with it (`select_related("channel")`)."""
        return f"{self.channel.name} · {mask_id(self.external_id) or self.pk}"


class Identifier(SealedModel):
    """A key by which a person is recognised. Several people may share a phone; one of them answers to it."""

    class Kind(models.TextChoices):
        OUID = "ouid", _("Tmall shop buyer id")
        OMID = "omid", _("Tmall brand buyer id")
        OPENID = "openid", _("WeChat openid")
        MIX_MOBILE = "mix_mobile", _("Tmall phone hash")
        UNIONID = "unionid", _("WeChat unionid")
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("E-mail")

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="identifiers", db_index=False, verbose_name=_("member")
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="identifiers", verbose_name=_("told by account")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    scope = models.CharField(_("scope"), max_length=60, blank=True, default="")
    index = BlindIndexField(_("index"))
    value = SealedTextField(_("value"))
    verified = models.BooleanField(_("verified"), default=False)
    # Whether an unknown account with this key is taken to be this member.
    leads = models.BooleanField(_("leads to the member"), default=True)
    created_at = models.DateTimeField(_("first heard"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        indexes = [
            # Who else answers to a shared phone; the one it leads to is found by the constraint's index.
            models.Index(
                fields=["kind", "scope", "index"], condition=Q(leads=False), name="identifier_shared"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "scope", "index"],
                condition=Q(leads=True),
                name="identifier_leads_to_one_member",
            ),
            models.UniqueConstraint(
                fields=["member", "kind", "scope", "index"], name="identifier_once_per_member"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.pk}"


class MatchReview(models.Model):
    """Two members who may be one person. A person decides; the answer is remembered (A4, A5)."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        SAME = "same", _("Same person")
        DIFFERENT = "different", _("Different people")

    class Reason(models.TextChoices):
        NAME_DIFFERS = "name_differs", _("Same key, another name")
        BIRTHDAY_DIFFERS = "birthday_differs", _("Same key, another birthday")
        KEYS_DISAGREE = "keys_disagree", _("Two keys point to two members")
        SCORED = "scored", _("No key in common, yet much agrees")
        UNMERGED = "unmerged", _("A merge was undone")

    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"))
    other = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("other member"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    # Which keys agree and which do not, by kind only: no value is copied here (members.evidence_words).
    evidence = models.JSONField(_("evidence"), default=dict)
    score = models.FloatField(_("score"), null=True)  # 0 … 1, of scored matching
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("match to review")
        verbose_name_plural = _("matches to review")
        indexes = [models.Index(fields=["-created_at"], condition=Q(state="open"), name="review_waiting")]
        constraints = [
            models.UniqueConstraint(
                Least(F("member_id"), F("other_id")),
                Greatest(F("member_id"), F("other_id")),
                name="review_once_per_pair",
            ),
            models.CheckConstraint(condition=~Q(member=F("other")), name="review_of_two_members"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=0, score__lte=1), name="review_score_is_a_chance"
            ),
            models.CheckConstraint(
                condition=~Q(reason="scored") | Q(score__isnull=False), name="review_by_score_has_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}?{self.other_id}"


@pghistory.track()
class Tag(models.Model):
    """A word of the brand's own for some of its members (A13)."""

    code = models.SlugField(_("code"), max_length=50, unique=True, allow_unicode=True)
    name = models.CharField(_("name"), max_length=100)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class MemberTag(models.Model):
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="member_tags", db_index=False, verbose_name=_("member")
    )
    tag = models.ForeignKey(Tag, models.PROTECT, related_name="member_tags", verbose_name=_("tag"))
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("given by")
    )
    # The rule that gave it, which also takes it away; None for a tag that was given by hand or told.
    rule = models.ForeignKey(
        "members.TagRule",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("tag rule"),
    )
    created_at = models.DateTimeField(_("given"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("member's tag")
        verbose_name_plural = _("members' tags")
        indexes = [
            models.Index(fields=["rule"], condition=Q(rule__isnull=False), name="member_tag_by_rule"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["member", "tag"], name="tag_once_per_member"),
            models.CheckConstraint(
                condition=Q(rule__isnull=True) | Q(given_by__isnull=True),
                name="member_tag_by_rule_or_by_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.tag_id}"
