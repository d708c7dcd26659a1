"""The console's frame: its menu by role, the badge of the environment, the way in (E2, D6).

Unfold calls these by the dotted names in settings.UNFOLD.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import home
from loyalty.models import Referral
from privacy import approvals, roles

Person = User | AnonymousUser
Text = str | Promise


@dataclass(frozen=True)
class Item:
    """One line of the menu. `allowed` decides who sees it; the page itself decides who may open it."""

    title: Text
    icon: str
    url_name: str
    allowed: Callable[[Person], bool]
    waiting: Callable[[Person], int] | None = None  # how much there waits for this person


def _does(verb: str) -> Callable[[Person], bool]:
    return lambda user: roles.can(user, verb)


def _list(title: Text, icon: str, model: str) -> Item:
    """The admin list of a model, as `app.model`, for those who may view its rows."""
    app, name = model.split(".")
    return Item(title, icon, f"admin:{app}_{name}_changelist", lambda user: _may_view(user, app, name))


def _may_view(user: Person, app: str, name: str) -> bool:
    allowed: bool = user.has_perm(f"{app}.view_{name}")
    return allowed


MENU: list[tuple[Text, list[Item]]] = [
    (
        "",
        [
            Item(_("Home"), "home", "admin:index", lambda user: True),
            Item(_("Desk"), "point_of_sale", "desk:counter", _does("desk.open")),
            Item(
                _("Approvals"),
                "rule",
                "approvals:inbox",
                _does("approvals.view"),
                lambda user: approvals.for_decision(user).count(),
            ),
            Item(_("Imports"), "upload_file", "imports:list", _does("imports.view")),
            Item(_("Migrations"), "move_to_inbox", "packages:list", _does("migrations.view")),
        ],
    ),
    (
        _("Members"),
        [
            _list(_("Members"), "group", "members.member"),
            _list(_("Accounts"), "link", "members.account"),
            Item(_("Matches to review"), "compare", "reviews:queue", _does("reviews.view")),
            _list(_("Tags"), "sell", "members.tag"),
            Item(_("Joining"), "person_add", "enrolments:overview", _does("enrolments.view")),
            Item(_("Tags by rule"), "new_label", "tag-rules:list", _does("members.list")),
        ],
    ),
    (
        _("Orders"),
        [
            _list(_("Orders"), "receipt_long", "members.order"),
            _list(_("Refunds"), "undo", "members.refund"),
            _list(_("Cases"), "support_agent", "members.case"),
            Item(_("Behaviour events"), "ads_click", "admin:members_event_changelist", _does("events.view")),
            Item(_("Reconciliation"), "balance", "reconciliation:days", _does("reconciliation.view")),
            Item(
                _("Refunds without their order"),
                "hourglass_empty",
                "reconciliation:parked",
                _does("reconciliation.view"),
            ),
        ],
    ),
    (
        _("Loyalty"),
        [
            _list(_("Points entries"), "toll", "loyalty.entry"),
            _list(_("Wallets"), "account_balance_wallet", "loyalty.wallet"),
            _list(_("Points set aside"), "lock_clock", "loyalty.hold"),
            _list(_("Tier changes"), "stairs", "loyalty.tierchange"),
            _list(_("Tiers given"), "social_leaderboard", "loyalty.tierevent"),
            _list(_("Tiers about to end"), "hourglass_bottom", "loyalty.tierwarning"),
            _list(_("Benefits used"), "local_activity", "loyalty.benefituse"),
            _list(_("Coupons"), "confirmation_number", "loyalty.coupon"),
            Item(_("Coupon codes"), "qr_code", "coupons:batches", _does("coupons.view")),
            _list(_("Coupon history"), "history", "loyalty.couponmove"),
            Item(_("Rewards"), "redeem", "rewards:overview", _does("rewards.view")),
            Item(_("Rewards to hand out"), "package_2", "rewards:to-do", _does("rewards.view")),
            _list(_("Claims"), "shopping_bag", "loyalty.claim"),
            _list(_("Stock changes"), "inventory", "loyalty.shelfmove"),
            _list(_("Grants"), "redeem", "loyalty.grant"),
            _list(_("Activities"), "directions_run", "loyalty.activity"),
            _list(_("Check-ins"), "event_available", "loyalty.checkin"),
            Item(
                _("Friends"),
                "group_add",
                "referrals:overview",
                _does("referrals.view"),
                lambda user: Referral.objects.filter(state=Referral.State.REVIEW).count(),
            ),
            Item(
                _("Programme"),
                "tune",
                "admin:loyalty_programmeversion_changelist",
                _does("programme.view"),
            ),
            Item(_("Earning rules"), "rule_settings", "rules:list", _does("programme.view")),
        ],
    ),
    (
        _("Channels"),
        [
            _list(_("Channels"), "hub", "members.channel"),
            Item(_("Channel health"), "monitor_heart", "channels:health", _does("channels.view")),
            Item(_("Dead letters"), "unsubscribe", "channels:dead-letters", _does("channels.view")),
            _list(_("Stores"), "storefront", "members.store"),
            _list(_("API keys"), "key", "members.apikey"),
            Item(_("Messages of platforms"), "move_to_inbox", "inbox:overview", _does("inbox.view")),
        ],
    ),
    (
        _("Privacy"),
        [
            Item(_("Audit of the ledger"), "verified", "audit:overview", _does("audit.view")),
            _list(_("Access trail"), "visibility", "privacy.accessrecord"),
            _list(_("Consents"), "how_to_reg", "privacy.consentevent"),
            _list(_("Notices"), "article", "privacy.notice"),
        ],
    ),
    (
        _("System"),
        [
            _list(_("Staff"), "badge", "auth.user"),
            _list(_("Jobs"), "schedule", "procrastinate.procrastinatejob"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu of this person, group by group; a group without lines is left out."""
    links = [
        (title, [(item, _link(item)) for item in items if item.allowed(request.user)])
        for title, items in MENU
    ]
    here = _here([link for _title, items in links for _item, link in items], request.path)
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [_line(item, link, request.user) | {"active": link == here} for item, link in items],
        }
        for title, items in links
        if items
    ]


def _line(item: Item, link: str, user: Person) -> dict[str, Any]:
    count = item.waiting(user) if item.waiting else 0
    line = {"title": item.title, "icon": item.icon, "link": link}
    return line | ({"badge": count, "badge_variant": "warning"} if count else {})


def _link(item: Item) -> str:
    try:
        return reverse(item.url_name)
    except NoReverseMatch as missing:
        raise NoReverseMatch(f"The menu names {item.url_name}, which is no page.") from missing


def _here(links: list[str], path: str) -> str:
    """The one link that the page belongs to: the longest that its path begins with, home only for itself."""
    index = reverse("admin:index")
    if path == index:
        return index
    return max((link for link in links if link != index and path.startswith(link)), key=len, default="")


def environment(request: HttpRequest) -> list[Any] | None:
    """A badge that says when nothing here is real."""
    return [_("Demo"), "warning"] if settings.IS_DEMO else None


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the console's first page shows (E2)."""
    return {**context, "title": _("Home"), **home.context(request.user)}


class SignInForm(AdminAuthenticationForm):
    """The one way in for all staff; clerks too, who go on to the desk and not to the console."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "sk-input desk-input"

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Refuse whoever is inactive or has no role. Raises ValidationError."""
        if not user.is_active or (roles.role_of(user) is None and not getattr(user, "is_superuser", False)):
            raise ValidationError(
                self.error_messages["invalid_login"],
                code="invalid_login",
                params={"username": self.username_field.verbose_name},
            )


def entrance(request: HttpRequest) -> HttpResponse:
    """`/`: the console for those who have one, the desk for clerks, the way in for everybody else."""
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("entrance"))
    return HttpResponseRedirect(reverse("admin:index" if request.user.is_staff else "desk:counter"))
