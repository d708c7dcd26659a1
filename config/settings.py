"""Every setting of Shuke, in one place; `.env.example` says what each variable of the environment does."""

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from config import database, keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(os.environ.get("SHUKE_ENV", BASE_DIR / ".env"))  # what the environment has, wins

# -- What this installation is --------------------------------------------------------------------------

ENVIRONMENT = env.str("ENVIRONMENT", default="demo")
if ENVIRONMENT not in {"demo", "production"}:
    raise ImproperlyConfigured("ENVIRONMENT is demo or production.")
IS_DEMO = ENVIRONMENT == "demo"
VAR = (BASE_DIR / env.str("SHUKE_VAR", default="var")).resolve()
DEBUG = env.bool("DEBUG", default=False)

_demo_keys = keys.read_or_make(VAR / "keys.env") if IS_DEMO else {}
SECRET_KEY = env.str("SECRET_KEY", default=_demo_keys.get("SECRET_KEY", ""))
DATA_KEYS = keys.read_ring(env.str("DATA_KEYS", default=_demo_keys.get("DATA_KEYS", "")))
INDEX_KEY = keys.read_key(env.str("INDEX_KEY", default=_demo_keys.get("INDEX_KEY", "")), "INDEX_KEY")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if IS_DEMO else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BRAND_NAME = env.str("BRAND_NAME", default="熟客商店")
BRAND_CONTACT = env.str("BRAND_CONTACT", default="privacy@example.com")
# The declarations of personal fields, one module an app (privacy.register).
PERSONAL_REGISTERS = ["privacy.personal", "members.personal", "loyalty.personal"]

# -- The database ---------------------------------------------------------------------------------------

DATABASE_OWNER = database.configure(env, VAR, role="owner")
DATABASE_WEB = database.configure(env, VAR, role="web")
SERVING_ROLE = DATABASE_WEB["USER"]
# Only tests speak to the database as its owner all the time.
DATABASES = {"default": {**(DATABASE_OWNER if env.bool("SHUKE_AS_OWNER", default=False) else DATABASE_WEB)}}
# The tests' own folder is the only place where a crash of the machine may lose rows.
DATABASE_DURABLE = VAR != BASE_DIR / "var" / "test"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- What it is made of ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "privacy",
    "members",
    "loyalty",
    "segments",
    "config",
]

MIDDLEWARE = [
    "config.logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.security.ContentPolicyMiddleware",
    "config.chain.PageSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.chain.PageCsrfMiddleware",
    "config.chain.PageAuthenticationMiddleware",
    "config.chain.PageMessageMiddleware",
    "config.idle.IdleSignOutMiddleware",
    "config.idle.BackToTheFormMiddleware",
    "config.security.PlainAddressMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.history.ConsoleHistoryMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
            ]
        },
    }
]

# -- Languages and time ---------------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="zh-hans")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
# The second folder holds what other packages left untranslated, so that ours stays ours.
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale_vendor"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")

# -- Files ----------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Pictures of rewards; loyalty.console.pictures serves them, and they belong into the backup.
MEDIA_URL = "media/"
MEDIA_ROOT = VAR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Heads of the wallets' chains, day by day: they belong on another disk, or into another's hands.
ANCHORS_DIR = Path(env.str("ANCHORS_DIR", default=str(VAR / "anchors")))
UPLOADS = VAR / "uploads"  # import files: streamed to disk, erased after their report
WEB_PROCESSES = max(1, env.int("WEB_CONCURRENCY", default=3))  # of the web server, each with a few threads
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT", default=500 * 1024 * 1024)  # bytes
FILE_UPLOAD_HANDLERS = ["members.uploads.LimitedUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
IMPORT_FILE_DAYS = env.int("IMPORT_FILE_DAYS", default=7)  # then an import's file is erased
# Days after which what was delivered to a webhook is forgotten; what the outbox has told is kept.
WEBHOOK_DAYS = env.int("WEBHOOK_DAYS", default=30)
IMPORT_REJECT_DAYS = env.int("IMPORT_REJECT_DAYS", default=90)  # then its rejected rows are
EVENT_MONTHS = env.int("EVENT_MONTHS", default=13)  # whole months before this one that events are kept
# Who takes the facts of a file, by their kind, and whose figures stand in its report.
IMPORT_RECEIVERS = {
    "orders": "loyalty.orders.receive",
    "accounts": "loyalty.accounts.receive",
    "refunds": "loyalty.orders.refund",
    "order-lines": "loyalty.orders.receive_lines",
    "package-accounts": "members.legacy.arrivals.receive",
}
# Who takes back what an import made new, by the kind of file.
IMPORT_UNDOERS = {
    "orders": "loyalty.orders.call_off",
    "accounts": "loyalty.accounts.call_off",
}
# Who takes the rows of an old system's package, by the kind of file (members.legacy.takers).
LEGACY_TAKERS = {
    "tiers": "loyalty.legacy.tiers.Tiers",
    "lots": "loyalty.legacy.points.Openings",
    "balances": "loyalty.legacy.points.Openings",
    "growth": "loyalty.legacy.growth.OpeningGrowth",
    "coupons": "loyalty.legacy.coupons.OldCoupons",
    "consents": "members.legacy.words.OldWords",
    "referrals": "members.legacy.recruits.Recruits",
}
# Who takes what platforms tell by their webhooks.
PLATFORM_RECEIVERS = {
    "accounts": "loyalty.accounts.receive",
    "orders": "loyalty.orders.receive",
    "refunds": "loyalty.orders.refund",
    "points": "loyalty.platform_points.change",
    "standings": "loyalty.platform_points.standings",
}
HOOK_LIMIT = env.int("HOOK_LIMIT", default=2 * 1024 * 1024)  # bytes of one call of a platform
INBOX_BODY_DAYS = env.int("INBOX_BODY_DAYS", default=30)  # then what a platform's message said is forgotten
# Who takes part when two members are merged, and when that is undone, in this order: modules with preview,
# link and unlink (members.merging.Participant).
MERGE_PARTICIPANTS = ["members.merged_profiles", "privacy.merged_consents", "loyalty.merging"]
IMPORT_TOTALS = {"points": "loyalty.statement.totals"}
# What can be exported: each names a class with columns and rows (members.exports.Source).
EXPORT_SOURCES = {
    "members": "members.exports.MembersSource",
    "accounts": "members.exports.AccountsSource",
    "orders": "members.exports.OrdersSource",
    "points": "loyalty.exports.PointsSource",
    "cases": "members.exports.CasesSource",
}
# Lists whose filters a floor above has extended, each with the FilterSet that is used (privacy.lists).
LIST_FILTERS = {"members.Member": "loyalty.filters.MemberFilter"}
# A member's life, in the order of the tabs: who may see what, and who reads it (members.timeline). Of one
# instant, what is read further up comes first.
TIMELINE = {
    "order": {"title": _("Purchases"), "verb": "orders.view", "readers": ["loyalty.happenings.orders"]},
    "points": {"title": _("Points"), "verb": "points.view", "readers": ["loyalty.happenings.entries"]},
    "tier": {"title": _("Tiers"), "verb": "points.view", "readers": ["loyalty.happenings.tier_changes"]},
    "grant": {"title": _("Given"), "verb": "points.view", "readers": ["loyalty.happenings.grants"]},
    "coupon": {
        "title": _("Coupons"),
        "verb": "coupons.view",
        "readers": ["loyalty.happenings.coupon_moves", "loyalty.happenings.coupons_issued"],
    },
    "claim": {"title": _("Rewards"), "verb": "rewards.view", "readers": ["loyalty.happenings.claim_steps"]},
    "case": {"title": _("Service"), "verb": "cases.view", "readers": ["members.happenings.cases"]},
    "event": {"title": _("Visits"), "verb": "events.view", "readers": ["members.happenings.visits"]},
    "account": {"title": _("Accounts"), "verb": "members.list", "readers": ["members.happenings.unbindings"]},
    "consent": {"title": _("Consents"), "verb": "consent.view", "readers": ["members.happenings.consents"]},
    "access": {
        "title": _("Looks at the data"),
        "verb": "trail.view",
        "readers": ["members.happenings.looks"],
    },
}
# What needs a second person: who may decide, what then runs, and what it says (privacy.approvals).
APPROVABLE = {
    "points.adjust": {
        "title": _("Points by hand"),
        "verb": "points.approve",
        "operation": "loyalty.adjustments.carry_out",
        "sentence": "loyalty.approval_words.adjustment",
        "after": "loyalty.approval_words.adjustment_after",
    },
    "orders.refund": {
        "title": _("Refund above the limit"),
        "verb": "refunds.approve",
        "operation": "loyalty.refunds.carry_out",
        "sentence": "loyalty.approval_words.refund",
        "after": "loyalty.approval_words.refund_after",
    },
    "tiers.set": {
        "title": _("Tier by hand"),
        "verb": "tiers.approve",
        "operation": "loyalty.milestone_rounds.carry_out_tier",
        "sentence": "loyalty.tier_requests.sentence",
        "after": "loyalty.tier_requests.after",
    },
    "staff.membership": {
        "title": _("Own membership of staff"),
        "verb": "staff.approve",
        "operation": "members.staff.carry_out",
        "sentence": "members.staff.in_words",
    },
}
# Scored matching: from which score members are linked, and from which a person is asked; unset: as measured
# (docs/matching.md). SURE_MATCH names what links them, merge(survivor_id, other_id, *, actor_id, reason,
# evidence); where nothing is named, a person is asked.
MATCH_LINK_SCORE = env.float("MATCH_LINK_SCORE", default=None)
MATCH_ASK_SCORE = env.float("MATCH_ASK_SCORE", default=None)
MATCH_QUESTIONS = env.int("MATCH_QUESTIONS", default=3)  # that one member may raise at a time
MATCH_MEMORY = env.str("MATCH_MEMORY", default="2GB")  # what does not fit overflows into a private folder
MATCH_THREADS = env.int("MATCH_THREADS", default=2)
SURE_MATCH = env.str("SURE_MATCH", default="members.merging.merge")
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024  # a batch of 1,000 orders with their lines

# -- Who may come in ------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds; nobody stays signed in longer than a shift
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_MINUTES", default=30) * 60  # nor at a screen they have left
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# The demo is served on this machine without a certificate.
_HTTPS = env.bool("HTTPS", default=not IS_DEMO)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # asked by the machine itself, past the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)

# -- The API --------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.error_response",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shuke",
    "DESCRIPTION": (
        "Members, points and consents of a brand that sells on many platforms.\n\n"
        "`manage.py api_key CHANNEL` makes a key and shows it once; send it as "
        "`Authorization: Api-Key <prefix>.<secret>`. Money is a text in yuan, points are whole numbers, "
        "times have their offset, addresses end with a slash. A POST that moves points or coupons wants an "
        "`Idempotency-Key`. Refusals are problems of RFC 9457 with a stable `code`."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "OutcomeEnum": "loyalty.api.shapes.OUTCOMES",
        "RefundOutcomeEnum": "loyalty.api.shapes.REFUND_OUTCOMES",
        "ClaimStateEnum": "loyalty.api.reward_shapes.CLAIM_STATES",
        "RewardKindEnum": "loyalty.api.reward_shapes.REWARD_KINDS",
        "RewardRefusalEnum": "loyalty.api.reward_shapes.REWARD_REFUSALS",
        "RewardWayEnum": "loyalty.api.reward_shapes.REWARD_WAYS",
        "ApprovalStateEnum": "members.api.shapes.APPROVAL_STATES",
        "GrantStateEnum": "loyalty.api.shapes.GRANT_STATES",
        "EventKindEnum": "members.api.event_shapes.EVENT_KINDS",
        "EventOutcomeEnum": "members.api.event_shapes.EVENT_OUTCOMES",
        "CaseKindEnum": "members.api.event_shapes.CASE_KINDS",
        "CaseStateEnum": "members.api.event_shapes.CASE_STATES",
        "ConsentMethodEnum": "members.api.consent_shapes.CONSENT_METHODS",
        "ActivityKindEnum": "loyalty.grant_terms.TOLD",
        "ReviewStateEnum": "members.api.merge_shapes.REVIEW_STATES",
        "WebhookTopicEnum": "members.api.webhook_shapes.TOPICS",
        "WebhookProblemEnum": "members.api.webhook_shapes.PROBLEMS",
        "WebhookStateEnum": "members.api.webhook_shapes.ENDPOINT_STATES",
        "DeliveryStateEnum": "members.api.webhook_shapes.DELIVERY_STATES",
        "DisabledWhyEnum": "members.api.webhook_shapes.DISABLED_WHY",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# -- The console ----------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Shuke 熟客",
    "SITE_HEADER": "Shuke 熟客",
    "SITE_SYMBOL": "loyalty",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("shuke/console.css")],
    "SCRIPTS": [lambda request: static("shuke/once.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("shuke/favicon.svg")}
    ],
    "ENVIRONMENT": "config.console.environment",
    "DASHBOARD_CALLBACK": "config.console.dashboard",
    "LOGIN": {"form": "config.console.SignInForm"},
    # Searching every list at once would read whole tables and keep names in the cache.
    "COMMAND": {"search_models": False},
    "SIDEBAR": {"show_search": False, "navigation": "config.console.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .014 181)",
            "100": "oklch(94.5% .03 181)",
            "200": "oklch(90% .052 181)",
            "300": "oklch(83% .08 181)",
            "400": "oklch(73% .105 181)",
            "500": "oklch(63% .108 181)",
            "600": "oklch(52% .098 181)",
            "700": "oklch(44% .083 181)",
            "800": "oklch(37% .068 181)",
            "900": "oklch(31% .054 181)",
            "950": "oklch(22% .04 181)",
        }
    },
}
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

# -- History and jobs -----------------------------------------------------------------------------------

PGHISTORY_APPEND_ONLY = True
PGHISTORY_ADMIN_CLASS = None  # the console has its own time line
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# -- Others we speak to ---------------------------------------------------------------------------------

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
globals().update(env.email_url("EMAIL_URL", default="consolemail://"))
ANALYTICS_URL = env.str("ANALYTICS_URL", default="")
# Who carries one-time codes to phones (members.code_senders); production names its own or sends none.
_SENDERS = {"console": "ConsoleSender", "mail": "MailSender", "http": "HttpSender"}
_sender = env.str("CODE_SENDER", default="console" if IS_DEMO else "")
CODE_SENDER = f"members.code_senders.{_SENDERS[_sender]}" if _sender in _SENDERS else _sender
CODE_MAIL_TO = env.str("CODE_MAIL_TO", default="{digits}@sms.example.com")
CODE_HTTP_URL = env.str("CODE_HTTP_URL", default="")
CODE_HTTP_AUTHORIZATION = env.str("CODE_HTTP_AUTHORIZATION", default="")
CODE_HTTP_BODY = env.str("CODE_HTTP_BODY", default='{"to": "{phone}", "text": "{text}"}')
# How often codes may be asked for, as (times, seconds): by phone, by address, by channel.
ENROLMENT_LIMITS = {
    "phone": (1, 30),
    "phone_per_hour": (5, 3600),
    "phone_per_day": (10, 86400),
    "address_per_hour": (env.int("CODES_PER_ADDRESS", default=60), 3600),
    "channel_per_day": (env.int("CODES_PER_CHANNEL", default=20000), 86400),
    "opened_per_address": (300, 3600),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "config.logs.RequestFilter"}},
    "formatters": {
        "lines": {"()": "config.logs.LineFormatter"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request"],
            "formatter": "lines" if IS_DEMO else "json",
        }
    },
    "root": {
        "handlers": ["console"],
        "level": env.str("LOG_LEVEL", default="WARNING" if IS_DEMO else "INFO"),
    },
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.db.backends": {"level": "WARNING"},  # statements carry personal data
        "procrastinate": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # addresses of platforms carry secrets and codes
        "httpcore": {"level": "WARNING"},
    },
}
