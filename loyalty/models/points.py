"""The points ledger's tables. `loyalty.ledger` alone writes them; `docs/ledger.md` says what they promise.

A wallet is a member's purse. Every change of points is an entry; entries chain by version and by hash.
What can be spent lies in lots, each with its own expiry; a lot's moves say which entry moved it.

Channels, stores and published versions of the programme are never deleted, and an entry takes their ids
from rows just read. To look each of them up again for every entry, and to lock the one row that all
orders of a channel share, took a sixth of a batch's commit: for those keys the database holds no
constraint (`db_constraint=False`). Nor for the wallet of an order's earning, which its own transaction has
locked and which is never deleted (`wallet_is_never_deleted`). For members, orders, and everything that
points are made of, it does.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Member, Order, Store


class Wallet(models.Model):
    """One member's points and tier. `balance` = points in lots - debt = the sum of the entries."""

    member = models.OneToOneField(Member, models.PROTECT, related_name="wallet", verbose_name=_("member"))
    # The surviving member, on every wallet of a person whose members were merged; read with the wallet's
    # lock, so that no merge is missed. NULL on all others.
    person = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("person")
    )
    balance = models.BigIntegerField(_("balance"), default=0)
    held = models.BigIntegerField(_("held"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)
    version = models.IntegerField(_("version"), default=0)
    head = models.BinaryField(_("hash of the last entry"), max_length=32, default=b"")
    tier = models.CharField(_("tier"), max_length=50)
    tier_since = models.DateTimeField(_("tier since"), null=True)
    tier_until = models.DateTimeField(_("tier until"), null=True)
    tier_steps = models.IntegerField(_("tier steps"), default=0)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        indexes = [
            # The nightly run asks whose tier has run out.
            models.Index(
                fields=["tier_until"], condition=Q(tier_until__isnull=False), name="wallet_tier_ends"
            ),
            models.Index(fields=["tier"], name="wallet_by_tier"),
            models.Index(
                fields=["person"], condition=Q(person__isnull=False), name="wallet_of_merged_person"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(debt__gte=0), name="wallet_debt_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="wallet_held_not_negative"),
            models.CheckConstraint(
                condition=Q(balance__gte=F("held") - F("debt")), name="wallet_not_overdrawn"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.balance}"


class Entry(models.Model):
    """One change of one wallet. Forever; a correction is another entry."""

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned")
        REDEEM = "redeem", _("Redeemed")
        TAKE_BACK = "take_back", _("Taken back after a refund")
        GIVE_BACK = "give_back", _("Given back after a refund")
        EXPIRE = "expire", _("Expired")
        SETTLE = "settle", _("Debt settled")
        ADJUST = "adjust", _("Adjusted by hand")
        MOVE_OUT = "move_out", _("To another wallet of the person")
        MOVE_IN = "move_in", _("From another wallet of the person")
        OPEN = "open", _("Brought from an old system")

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="entries", db_index=False, verbose_name=_("wallet")
    )
    version = models.IntegerField(_("version"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    points = models.BigIntegerField(_("points"))
    balance_after = models.BigIntegerField(_("balance after"))
    debt_after = models.BigIntegerField(_("debt after"))
    # What made it, for ever unique: `order:17`, `tmall:redeem-42`, `lot:9`.
    cause = models.CharField(_("cause"), max_length=260)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    why = models.JSONField(_("why"), default=dict)
    channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("channel"),
    )
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("store"),
    )
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="entries", verbose_name=_("order")
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
        ProgrammeVersion,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("programme"),
    )
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    hash = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("points entry")
        verbose_name_plural = _("points entries")
        indexes = [
            models.Index(fields=["-recorded_at", "-id"], name="points_entry_latest_first"),
            # What one person gave or took by hand of late; few entries are by hand.
            models.Index(fields=["actor", "recorded_at"], condition=Q(kind="adjust"), name="entry_by_hand"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "cause"], name="points_entry_once_per_cause"),
            models.UniqueConstraint(fields=["wallet", "version"], name="points_entry_no_gap_no_fork"),
            models.CheckConstraint(
                condition=~Q(points=0) | Q(kind="settle"), name="points_entry_moves_points"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["earn", "give_back", "move_in", "open"], points__gt=0)
                | Q(kind__in=["redeem", "take_back", "expire", "move_out"], points__lt=0)
                | Q(kind="settle", points=0)
                | Q(kind="adjust"),
                name="points_entry_sign_fits_kind",
            ),
            models.CheckConstraint(condition=Q(debt_after__gte=0), name="points_entry_debt_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.points:+d}"


class Lot(models.Model):
    """Points that were earned together and expire together. Its expiry is fixed when it is made."""

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="lots", db_index=False, verbose_name=_("wallet")
    )
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="lots", verbose_name=_("order"))
    earned = models.BigIntegerField(_("earned"))
    remaining = models.BigIntegerField(_("remaining"))
    held = models.BigIntegerField(_("held"), default=0)
    expired = models.BigIntegerField(_("expired"), default=0)
    earned_at = models.DateTimeField(_("earned at"))
    available_from = models.DateTimeField(_("available from"))
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        indexes = [
            # Spending takes the nearest expiry first; only lots with points in them matter.
            models.Index(
                fields=["wallet", "expires_at", "earned_at", "id"],
                condition=Q(remaining__gt=0),
                name="lot_spend_order",
            ),
            models.Index(fields=["expires_at"], condition=Q(remaining__gt=0), name="lot_to_expire"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(held__gte=0, held__lte=F("remaining"), remaining__lte=F("earned")),
                name="lot_holds_what_it_has",
            ),
            models.CheckConstraint(
                condition=Q(expired__gte=0) & Q(expired__lte=F("earned") - F("remaining")),
                name="lot_expired_is_gone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.earned}"


class LotMove(models.Model):
    """How an entry moved a lot. A lot's remaining points are the sum of its moves. Forever."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="moves", verbose_name=_("entry"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="moves", verbose_name=_("lot"))
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("lot move")
        verbose_name_plural = _("lot moves")
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="lot_move_moves_points")]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.points:+d}"


class Hold(models.Model):
    """Points set aside for a while. It ends once: captured, released or timed out."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CAPTURED = "captured", _("Captured")
        RELEASED = "released", _("Released")
        TIMED_OUT = "timed_out", _("Timed out")

    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="holds", verbose_name=_("wallet"))
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    cause = models.CharField(_("cause"), max_length=260)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    points = models.BigIntegerField(_("points"))
    captured = models.BigIntegerField(_("captured"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    expires_at = models.DateTimeField(_("expires"))
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    entry = models.OneToOneField(
        Entry, models.PROTECT, null=True, related_name="hold", verbose_name=_("entry")
    )

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="open"), name="hold_to_time_out")]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0, captured__gte=0, captured__lte=F("points")),
                name="hold_captures_no_more_than_held",
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None, captured=0)
                | Q(state="captured", ended_at__isnull=False, captured__gt=0)
                | Q(state__in=["released", "timed_out"], ended_at__isnull=False, captured=0),
                name="hold_ends_once",
            ),
            models.UniqueConstraint(fields=["cause"], name="points_hold_once_per_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.points}"


class HoldLot(models.Model):
    """Which lots a hold has set aside."""

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="parts", verbose_name=_("hold"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="hold_parts", verbose_name=_("lot"))
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("held part of a lot")
        verbose_name_plural = _("held parts of lots")
        constraints = [
            models.UniqueConstraint(fields=["hold", "lot"], name="hold_part_once_per_lot"),
            models.CheckConstraint(condition=Q(points__gt=0), name="hold_part_holds_points"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id}: {self.points}"


class OrderEarning(models.Model):
    """What an order earned, decided once when it was first heard as paid, and how much of it stands.

    The snapshot (`why`) is the rule of the day; refunds and newer versions of the order are priced by it.
    """

    order = models.OneToOneField(
        Order, models.PROTECT, primary_key=True, related_name="earning", verbose_name=_("order")
    )
    wallet = models.ForeignKey(
        Wallet,
        models.PROTECT,
        related_name="earnings",
        db_index=False,
        db_constraint=False,
        verbose_name=_("wallet"),
    )
    programme = models.ForeignKey(
        ProgrammeVersion,
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("programme"),
    )
    net_bought = models.DecimalField(_("net bought"), max_digits=12, decimal_places=2)
    earned = models.BigIntegerField(_("earned"))
    stays = models.BigIntegerField(_("stays"))
    # Points the order had earned that expired unused: they need not be taken back a second time.
    forgiven = models.BigIntegerField(_("expired before the refund"), default=0)
    given_back = models.BigIntegerField(_("given back"), default=0)
    why = models.JSONField(_("why"), default=dict)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("order's earning")
        verbose_name_plural = _("orders' earnings")
        constraints = [
            models.CheckConstraint(
                condition=Q(earned__gte=0, stays__gte=0, forgiven__gte=0, given_back__gte=0),
                name="earning_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.stays}/{self.earned}"


class RuleUse(models.Model):
    """How many points a limited earning rule has added for whom: limits are read off these rows."""

    rule = models.CharField(_("rule"), max_length=50)
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="+", db_index=False, verbose_name=_("wallet")
    )
    entry = models.ForeignKey(
        Entry, models.PROTECT, related_name="+", db_index=False, verbose_name=_("entry")
    )
    day = models.DateField(_("day"))
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("use of a rule")
        verbose_name_plural = _("uses of rules")
        indexes = [models.Index(fields=["rule", "wallet", "day"], name="rule_use_by_member")]
        constraints = [
            models.UniqueConstraint(fields=["rule", "entry"], name="rule_use_once_per_entry"),
            models.CheckConstraint(condition=Q(points__gt=0), name="rule_use_adds_points"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.points}"
