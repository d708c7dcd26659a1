"""Every address of Shuke."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config import console, health
from loyalty.console import member_page, pictures

urlpatterns = [
    path("api/", include("config.api_urls")),  # first, as most requests are for it
    path("", console.entrance, name="entrance"),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("i18n/", include("django.conf.urls.i18n")),
    path("desk/", include("loyalty.desk.urls")),
    path("join/", include("loyalty.pages.join_urls")),
    path("card/", include("loyalty.pages.card_urls")),
    path("members/find/", admin.site.admin_view(member_page.find), name="member-find"),
    path("members/<str:number>/", include("loyalty.console.urls")),
    path("rules/", include("loyalty.console.rule_urls")),
    path("tags/", include("members.console.tag_urls")),
    path("cases/", include("members.console.case_urls")),
    path("imports/", include("members.console.urls")),
    path("channels/", include("members.console.channel_urls")),
    path("reconciliation/", include("members.console.reconciliation_urls")),
    path("messages/", include("members.console.inbox_urls")),
    path("reviews/", include("members.console.review_urls")),
    path("merges/", include("members.console.merge_urls")),
    path("migrations/", include("members.console.package_urls")),
    path("coupons/", include("loyalty.console.coupon_urls")),
    path("rewards/", include("loyalty.console.reward_urls")),
    path("referrals/", include("loyalty.console.referral_urls")),
    path("enrolments/", include("loyalty.console.enrolment_urls")),
    path("audit/", include("loyalty.console.audit_urls")),
    path("media/rewards/<str:name>", pictures.show, name="reward-picture"),
    path("approvals/", include("privacy.console.urls")),
    path("admin/", admin.site.urls),
    path("docs/api/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
