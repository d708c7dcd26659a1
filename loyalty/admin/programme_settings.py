"""What the programme's form shows: every setting with its label, its place in the document and its type."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.comparison import CHOICES, PERIODS

Choices = tuple[tuple[str, Promise], ...]
Kind = Literal["text", "whole", "flag", "choice", "list"]
CHECKED, UNCHECKED = "true", "false"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the document: its label, where it stands, its type, and what holds without it."""

    label: Promise
    path: str
    kind: Kind = "text"
    default: str = ""
    choices: Choices = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that people read together."""

    label: Promise
    settings: tuple[Setting, ...]
    # The lowest tier is everybody's: it asks for nothing and cannot be lost.
    above_lowest: bool = False


EXPIRY_FORMS: Choices = (
    ("never", _("never")),
    ("months", _("months after earning")),
    ("days", _("days after earning")),
    ("years", _("at the end of a later year")),
)
ROUNDINGS: Choices = (
    ("", _("to the day")),
    ("month_end", _("to the end of the month")),
    ("year_end", _("to the end of the year")),
)
SHORTAGES: Choices = tuple(CHOICES["refund_shortage"].items())
# A file may still say `free` for nationwide; nobody has to choose between the two.
SHIPPING: Choices = tuple(
    (word, label) for word, label in CHOICES["benefits.shipping"].items() if word != "free"
)
SERVICE: Choices = tuple(CHOICES["benefits.service"].items())

NEEDED: Choices = tuple(CHOICES["qualify.mode"].items())
EACH: Choices = tuple(PERIODS.items())
WINDOWS: Choices = (
    ("months", _("the months before")),
    ("calendar", _("the calendar year")),
    ("anniversary", _("the year since the anniversary of joining")),
)
LENGTHS: Choices = (
    ("months", _("months")),
    ("years", _("calendar years after")),
    ("anniversaries", _("anniversaries of joining")),
)
CUTS: Choices = tuple(each for each in EACH if each[0] != "week")

BEGINNING = Setting(_("Holds from (empty: from when it is published)"), "effective_from")

POINTS = (
    Setting(_("Points per yuan"), "base_per_yuan", default="1"),
    Setting(_("Days until points ripen"), "pending_days", "whole", "0"),
    Setting(_("Points expire"), "expiry.form", "choice", "never", EXPIRY_FORMS),
    Setting(_("After how many"), "expiry.count", "whole"),
    Setting(_("Rounded up"), "expiry.round_up_to", "choice", "", ROUNDINGS),
    Setting(_("Refund of points already spent"), "refund_shortage", "choice", "debt", SHORTAGES),
    Setting(_("Days of grace for re-issued points"), "reissue_grace_days", "whole", "30"),
    Setting(_("Receipt is assumed after days"), "assume_received_after_days", "whole", "15"),
    Setting(_("A second person approves adjustments above"), "adjust_limit", "whole", "1000"),
    Setting(_("A second person approves refunds above, yuan"), "refund_limit", default="1000"),
    Setting(_("How often one person may use up a limit in a day"), "adjust_day_factor", "whole", "10"),
    Setting(_("What is paid with points earns points"), "points_paid_earns", "flag", UNCHECKED),
)

TIERS = (
    Group(
        _("Names"),
        (
            Setting(_("Chinese name"), "name.zh-hans"),
            Setting(_("English name"), "name.en"),
        ),
    ),
    Group(
        _("What it asks"),
        (
            Setting(_("Spend, yuan"), "qualify.asked.spend"),
            Setting(_("Number of orders"), "qualify.asked.orders", "whole"),
            Setting(_("Growth value"), "qualify.asked.growth", "whole"),
            Setting(_("Needed"), "qualify.mode", "choice", "all", NEEDED),
            Setting(_("Counted over"), "qualify.window.form", "choice", "months", WINDOWS),
            Setting(_("So many months"), "qualify.window.count", "whole", "12"),
            Setting(_("By invitation only"), "qualify.by_invitation", "flag", UNCHECKED),
            Setting(_("Only for the top, per cent"), "qualify.top_percent"),
            Setting(_("The top is chosen each"), "qualify.cut", "choice", "month", CUTS),
        ),
        above_lowest=True,
    ),
    Group(
        _("How it lasts"),
        (
            Setting(_("It lasts so many"), "keep.length.count", "whole", "12"),
            Setting(_("… of these"), "keep.length.form", "choice", "months", LENGTHS),
            Setting(_("Spend to keep it, yuan"), "keep.needs.spend"),
            Setting(_("Orders to keep it"), "keep.needs.orders", "whole"),
            Setting(_("Growth value to keep it"), "keep.needs.growth", "whole"),
            Setting(_("Needed to keep it"), "keep.needs.mode", "choice", "all", NEEDED),
            Setting(_("Days of grace"), "keep.grace_days", "whole", "0"),
            Setting(_("Warn so many days before"), "keep.warn_days", "whole", "0"),
            Setting(
                _("Then down"),
                "keep.down",
                "choice",
                "one",
                tuple(CHOICES["keep.down"].items()),
            ),
            Setting(
                _("On a refund"),
                "keep.on_refund",
                "choice",
                "keep",
                tuple(CHOICES["keep.on_refund"].items()),
            ),
        ),
        above_lowest=True,
    ),
    Group(
        _("What it gives"),
        (
            Setting(_("Share of the price paid"), "benefits.discount", default="1"),
            Setting(_("Points coefficient"), "benefits.coefficient", default="1"),
            Setting(_("Points for one yuan"), "benefits.points_per_yuan", "whole", "100"),
            Setting(_("Shipping"), "benefits.shipping", "choice", "none", SHIPPING),
            Setting(_("Provinces, when regional"), "benefits.provinces", "list"),
            Setting(_("Service"), "benefits.service", "choice", "standard", SERVICE),
            Setting(_("Birthday factor"), "benefits.birthday.factor"),
            Setting(_("Birthday points"), "benefits.birthday.points", "whole"),
            Setting(_("Birthday coupon"), "benefits.birthday.coupon"),
            Setting(_("Birthday gift"), "benefits.birthday.gift"),
            Setting(_("Badge"), "benefits.badge"),
            Setting(_("In your own words, Chinese"), "benefits.extra.words.zh-hans"),
            Setting(_("In your own words, English"), "benefits.extra.words.en"),
        ),
    ),
    *(
        Group(
            label,
            (
                Setting(_("Code"), f"benefits.{slot}.code"),
                Setting(_("Chinese name"), f"benefits.{slot}.name.zh-hans"),
                Setting(_("English name"), f"benefits.{slot}.name.en"),
                Setting(_("Share of one order paid"), f"benefits.{slot}.discount"),
                Setting(_("Yuan off one order"), f"benefits.{slot}.amount"),
                Setting(_("Times"), f"benefits.{slot}.times", "whole", "1"),
                Setting(_("In each"), f"benefits.{slot}.per", "choice", "month", EACH),
            ),
        )
        for slot, label in (
            ("use1", _("A benefit counted by period")),
            ("use2", _("Another benefit counted by period")),
        )
    ),
)

GROWTH = (Setting(_("Growth value for one yuan kept"), "per_yuan", default="1"),)

VALUATION = (
    Setting(_("A buyer spends in a year, yuan"), "spend", default="10000"),
    Setting(_("In so many orders"), "orders", "whole", "10"),
    Setting(_("Postage of an order, yuan"), "postage", default="10"),
    Setting(_("Priority service, yuan a year"), "service.priority"),
    Setting(_("A named adviser, yuan a year"), "service.adviser"),
    Setting(_("Weight of the discount"), "weights.discount", default="1"),
    Setting(_("Weight of points"), "weights.points", default="1"),
    Setting(_("Weight of shipping"), "weights.shipping", default="1"),
    Setting(_("Weight of service"), "weights.service", default="1"),
    Setting(_("Weight of the birthday"), "weights.birthday", default="1"),
    Setting(_("Weight of counted benefits"), "weights.uses", default="1"),
    Setting(_("Weight of the badge"), "weights.badge", default="1"),
    Setting(_("Weight of your own words"), "weights.extra", default="1"),
)

QUOTES = (
    Setting(_("Minutes that a quote holds"), "valid_minutes", "whole", "15"),
    Setting(_("Weight of what a coupon saves"), "weights.saving", default="1"),
    Setting(_("Weight of how soon it ends"), "weights.urgency", default="0.5"),
    Setting(_("Weight of how few orders it fits"), "weights.narrowness", default="0.25"),
)

# Sections of the document that are one group of settings each.
SECTIONS = {"points": POINTS, "growth": GROWTH, "benefit_value": VALUATION, "quotes": QUOTES}
