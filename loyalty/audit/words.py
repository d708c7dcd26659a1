"""The laws in words, as the console's page says them; their numbers are those of ledger.md."""

from django.utils.translation import gettext_lazy as _

LAWS = {
    "1": _("A balance is the sum of its entries, without gap or fork."),
    "2": _("Debts are as they were last written, and points that can be spent pay them first."),
    "3": _("Lots are the sum of their moves, and lots less debt are the balance."),
    "4": _("What an order earned stands in proportion; nothing is reversed beyond what it was."),
    "5": _("Points set aside agree with the lots and wallets they are of."),
    "6": _("Everything issued less everything used is everything outstanding."),
    "8": _("Every tier is the one that history makes, step by step."),
    "9": _("A coupon is used once, and no campaign issues more than its quota."),
    "10": _("Every change was told to the channels exactly once."),
    "11": _("Entries are chained by hash, and the chains pass through every anchor."),
    "12": _("Shelves hold what was put on them, and claims cost what they say."),
    "13": _("Every grant is what it says, and is given once."),
    "14": _("Friends count once, in their order, for a purchase that was kept."),
    "15": _("What needs two people was approved by two, and carried out once."),
}
