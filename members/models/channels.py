"""Channels and stores: where we meet people (A1)."""

import pghistory
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Platform(models.TextChoices):
    """The kinds of channel there are; the words are fixed (docs/api.md)."""

    TMALL = "tmall", _("Tmall")
    TAOBAO = "taobao", _("Taobao")
    JD = "jd", _("JD")
    PINDUODUO = "pinduoduo", _("Pinduoduo")
    DOUYIN = "douyin", _("Douyin")
    YOUZAN = "youzan", _("Youzan")
    SHOPIFY = "shopify", _("Shopify")
    WOOCOMMERCE = "woocommerce", _("WooCommerce")
    WECHAT = "wechat", _("WeChat")
    WEB = "web", _("Website")
    APP = "app", _("App")
    POS = "pos", _("Point of sale")
    OTHER = "other", _("Other")


@pghistory.track()
class Channel(models.Model):
    """One shop on one platform. Codes are chosen by the brand: `tmall`, `tmall-outlet`, `jingan`."""

    code = models.SlugField(_("code"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100)
    platform = models.CharField(_("platform"), max_length=20, choices=Platform.choices)
    brand = models.SlugField(
        _("brand"),
        max_length=50,
        default="main",
        help_text=_("Channels of one brand share the platform's brand-wide buyer ids."),
    )
    vouches_for = models.JSONField(
        _("vouches for"),
        default=list,
        blank=True,
        help_text=_("Identifiers this channel has verified itself, such as phone."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    owner = models.CharField(_("data owner"), max_length=100, blank=True)
    way_in = models.CharField(_("way in"), max_length=100, blank=True, help_text=_("File, API or webhook."))
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Store(models.Model):
    """A shop with a counter, or a warehouse an order is served from."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="stores", verbose_name=_("channel"))
    code = models.SlugField(_("code"), max_length=50)
    name = models.CharField(_("name"), max_length=100)
    province = models.CharField(_("province"), max_length=50, blank=True)
    city = models.CharField(_("city"), max_length=50, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["channel", "code"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "code"], name="store_code_once_per_channel")
        ]

    def __str__(self) -> str:
        return self.name
