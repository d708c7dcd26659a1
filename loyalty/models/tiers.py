"""The path a member takes through the tiers: its steps, what else moves them, growth value, what was used.

What a member's tier was made by is kept too (`TierLook`), so that it can be made again (law 8).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.points import Wallet
from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Merge, Order, Store


class TierChange(models.Model):
    """One step up or down, or a period renewed, with its reason and the numbers behind it. Forever."""

    class Reason(models.TextChoices):
        QUALIFIED = "qualified", _("Qualified")
        LAPSED = "lapsed", _("Did not keep the tier")
        RENEWED = "renewed", _("Kept the tier")
        REFUND = "refund", _("A refund undid the qualification")
        PROGRAMME = "programme", _("The programme changed")
        BY_HAND = "by_hand", _("Given by hand")
        INVITED = "invited", _("Invited")
        GIVEN = "given", _("Given by a rule")
        CUT = "cut", _("Among the top of all members")
        FLOOR_ENDED = "floor_ended", _("What was given has ended")
        MERGED = "merged", _("Merged with another member")
        UNMERGED = "unmerged", _("A merge was undone")
        LEGACY = "legacy", _("Brought from an old system")

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="tier_changes", db_index=False, verbose_name=_("wallet")
    )
    position = models.PositiveIntegerField(_("step"))
    before = models.CharField(_("from tier"), max_length=50)
    after = models.CharField(_("to tier"), max_length=50)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    why = models.JSONField(_("why"), default=dict)
    programme = models.ForeignKey(
        ProgrammeVersion,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("programme"),
    )
    valid_until = models.DateTimeField(_("valid until"), null=True)
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tier change")
        verbose_name_plural = _("tier changes")
        ordering = ["wallet", "position"]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "position"], name="tier_path_no_gap_no_fork"),
            models.CheckConstraint(
                condition=~Q(before=F("after")) | Q(reason="renewed"), name="tier_change_changes_tier"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before}→{self.after}"


class TierEvent(models.Model):
    """What moves a tier besides purchases: a floor by hand, an invitation, a rule's gift, a cut. Forever.

    While a floor, a cut or the tier of an old system runs, the member's tier is at least the tier it names.
    An invitation and a gift raise the member to the tier once, for as long as the tier lasts. Ending one
    early is another row that names it (`ends`).
    """

    class Kind(models.TextChoices):
        FLOOR = "floor", _("Floor by hand")
        INVITATION = "invitation", _("Invitation")
        GIFT = "gift", _("Given by a rule")
        CUT = "cut", _("Cut of the top members")
        LEGACY = "legacy", _("Tier of an old system")
        END = "end", _("Ended early")

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="tier_events", verbose_name=_("wallet"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    tier = models.CharField(_("tier"), max_length=50)
    cause = models.CharField(_("cause"), max_length=260)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    why = models.JSONField(_("why"), default=dict)
    ends = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="ended_by", verbose_name=_("ends")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tier event")
        verbose_name_plural = _("tier events")
        indexes = [
            # The nightly run asks whose floor has run out.
            models.Index(fields=["ends_at"], condition=Q(ends_at__isnull=False), name="tier_event_ends"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cause"], name="tier_event_once_per_cause"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="tier_event_takes_time"
            ),
            models.CheckConstraint(
                condition=Q(kind="end", ends__isnull=False) | ~Q(kind="end") & Q(ends=None),
                name="tier_event_end_names_what_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.tier}"


class GrowthEntry(models.Model):
    """One change of growth value 成长值, the unit that decides tiers and that nothing spends. Forever."""

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="growth", db_index=False, verbose_name=_("wallet")
    )
    growth = models.IntegerField(_("growth value"))
    cause = models.CharField(_("cause"), max_length=260)
    why = models.JSONField(_("why"), default=dict)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="growth", verbose_name=_("order")
    )
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    # When it counts for a window: a refund counts when the order was paid.
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("growth entry")
        verbose_name_plural = _("growth entries")
        indexes = [models.Index(fields=["wallet", "happened_at"], name="growth_by_wallet")]
        constraints = [
            models.UniqueConstraint(fields=["cause"], name="growth_once_per_cause"),
            models.CheckConstraint(condition=~Q(growth=0), name="growth_entry_moves_growth"),
        ]

    def __str__(self) -> str:
        return f"{self.growth:+d}"


class EarnedTier(models.Model):
    """What a member has earned while something given may hold them higher, and when that next moves.

    Only members to whom something was given have a row; what all others have earned is their wallet's tier.
    """

    wallet = models.OneToOneField(
        Wallet, models.PROTECT, primary_key=True, related_name="earned_tier", verbose_name=_("wallet")
    )
    tier = models.CharField(_("tier"), max_length=50)
    until = models.DateTimeField(_("until"), null=True)
    seen_at = models.DateTimeField(_("what was given was looked at"))
    next_at = models.DateTimeField(_("looked at again"), null=True)

    class Meta:
        verbose_name = _("earned tier")
        verbose_name_plural = _("earned tiers")
        indexes = [
            # The nightly run asks for whom something given begins or ends.
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="earned_tier_due"),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id}: {self.tier}"


class TierLook(models.Model):
    """One look at a member's tier, with what it was made by, in the order in which they were made. Forever.

    An order is looked at whenever what counts of it may have changed; time only when it moved something.
    """

    class Kind(models.TextChoices):
        ORDER = "order", _("An order was heard")
        LEFT = "left", _("An order is another member's")
        TIME = "time", _("Time passed")
        EVENT = "event", _("A tier was given or ended")
        GROWTH = "growth", _("Growth value was given")
        PROGRAMME = "programme", _("The programme changed")
        MERGED = "merged", _("Merged with another member")
        UNMERGED = "unmerged", _("A merge was undone")

    # Whose tier was looked at: of merged members, the survivor's.
    wallet = models.ForeignKey(
        Wallet,
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("wallet"),
    )
    # Whose order, event or growth value it was, where that is another wallet of the same person.
    source = models.ForeignKey(
        Wallet,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("wallet of what was looked at"),
    )
    merge = models.ForeignKey(
        Merge,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("merge"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    # Looked at are rows written in the same transaction, which are never deleted: each index and each
    # check by the database would be paid by every order.
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("order"),
    )
    paid_at = models.DateTimeField(_("paid"), null=True)
    kept = models.DecimalField(_("kept"), max_digits=12, decimal_places=2, null=True)
    fell = models.BooleanField(_("less is kept than before"), default=False)
    growth = models.IntegerField(_("growth value"), default=0)
    event = models.ForeignKey(
        TierEvent,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("event"),
    )
    joined_at = models.DateTimeField(_("joined"), null=True)
    happened_at = models.DateTimeField(_("happened"))
    seen_at = models.DateTimeField(_("by the programme's clock"))
    # The newest version that had been published by then.
    programme = models.ForeignKey(
        ProgrammeVersion,
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("programme"),
    )
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("look at a tier")
        verbose_name_plural = _("looks at tiers")
        indexes = [models.Index(fields=["wallet", "id"], name="tier_looks_in_order")]

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.get_kind_display()}"


class TierBeforeMerge(models.Model):
    """How one of two members stood when merged: from there they go on when it is undone. Forever."""

    merge = models.ForeignKey(Merge, models.PROTECT, related_name="+", verbose_name=_("merge"))
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="+", db_index=False, verbose_name=_("wallet")
    )
    at = models.DateTimeField(_("merged, by the programme's clock"))
    tier = models.CharField(_("tier earned"), max_length=50)
    until = models.DateTimeField(_("until"), null=True)
    seen_at = models.DateTimeField(_("what was given was looked at"), null=True)
    shown = models.CharField(_("tier"), max_length=50)
    shown_since = models.DateTimeField(_("tier since"), null=True)
    shown_until = models.DateTimeField(_("tier until"), null=True)

    class Meta:
        verbose_name = _("tier before a merge")
        verbose_name_plural = _("tiers before merges")
        constraints = [
            models.UniqueConstraint(fields=["merge", "wallet"], name="tier_before_merge_once_each")
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id}: {self.shown}"


class TierWarning(models.Model):
    """A member was told, before its end, that their tier would not be kept. Forever."""

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="tier_warnings", db_index=False, verbose_name=_("wallet")
    )
    tier = models.CharField(_("tier"), max_length=50)
    until = models.DateTimeField(_("until"))
    why = models.JSONField(_("why"), default=dict)
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tier warning")
        verbose_name_plural = _("tier warnings")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "until"], name="tier_warned_once_a_period")]

    def __str__(self) -> str:
        return f"{self.wallet_id}: {self.tier}"


class TierCut(models.Model):
    """Who are the top of all members for a period, as it was decided once at its beginning (B1)."""

    tier = models.CharField(_("tier"), max_length=50)
    cut_at = models.DateTimeField(_("beginning of the period"))
    ends_at = models.DateTimeField(_("until"))
    buyers = models.PositiveIntegerField(_("members who bought"))
    places = models.PositiveIntegerField(_("places"))
    # Member ids, the first first. Spend and orders of each are in the events that the cut makes.
    winners = models.JSONField(_("members chosen"), default=list)
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("cut of the top members")
        verbose_name_plural = _("cuts of the top members")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["tier", "cut_at"], name="tier_cut_once_a_period")]

    def __str__(self) -> str:
        return f"{self.tier} {self.cut_at:%Y-%m-%d}"


class ProgrammeSweep(models.Model):
    """How far members were looked at because a version of the programme began; once a version."""

    programme = models.OneToOneField(
        ProgrammeVersion, models.PROTECT, primary_key=True, related_name="+", verbose_name=_("programme")
    )
    after = models.BigIntegerField(_("up to member"), default=0)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("sweep of a version")
        verbose_name_plural = _("sweeps of versions")

    def __str__(self) -> str:
        return f"{self.programme_id}"


class BenefitUse(models.Model):
    """A counted benefit that a member has had in a period: this month's 10 % off (B2).

    `number` is which of the period's times it is, and the key on it is what no two can have at once. What
    was given back, because its order was cancelled, leaves its number free.
    """

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="benefit_uses", db_index=False, verbose_name=_("wallet")
    )
    code = models.CharField(_("benefit"), max_length=50)
    tier = models.CharField(_("tier"), max_length=50)
    period = models.CharField(_("period"), max_length=10)
    number = models.PositiveSmallIntegerField(_("time"))
    cause = models.CharField(_("cause"), max_length=260)
    why = models.JSONField(_("why"), default=dict)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    used_at = models.DateTimeField(_("used"))
    given_back_at = models.DateTimeField(_("given back"), null=True)
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("use of a benefit")
        verbose_name_plural = _("uses of benefits")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["cause"], name="benefit_used_once_per_cause"),
            models.UniqueConstraint(
                fields=["wallet", "code", "period", "number"],
                condition=Q(given_back_at=None),
                name="benefit_used_once_a_time",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="benefit_use_is_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.period} {self.number}"
