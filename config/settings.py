"""Every setting, in one file, from the environment. docs/settings.md lists the variables.

Development needs none of them. `BACKLINE_ENV=production` asks for what must not be guessed and refuses what is unsafe.
"""

import base64
import secrets
from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import environment, logs
from config.postgres.server import DATABASE, PORT, ROLE, Server

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Which installation is this? -------------------------------------------------------------------------------------

BACKLINE_ENV = environment.choice("BACKLINE_ENV", "development", ("development", "production"))
PRODUCTION = BACKLINE_ENV == "production"
BACKLINE_VAR = (BASE_DIR / environment.text("BACKLINE_VAR", "var")).resolve()
BACKLINE_DEMO = environment.flag("BACKLINE_DEMO", default=False)
DEBUG = environment.flag("BACKLINE_DEBUG", default=False)

if PRODUCTION and BACKLINE_DEMO:
    raise ImproperlyConfigured("BACKLINE_DEMO must not be set in production: its people have a public password.")
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("BACKLINE_DEBUG must not be set in production: its error pages show secrets.")

if PRODUCTION:
    SECRET_KEY = environment.required("SECRET_KEY", "sessions and links are signed with it; keep it secret.")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5:
        raise ImproperlyConfigured("SECRET_KEY is too weak; it needs at least 50 characters, chosen at random.")
    environment.required("ALLOWED_HOSTS", "the names under which this installation is reached, separated by commas.")
else:
    SECRET_KEY = environment.text("SECRET_KEY") or environment.generated_secret(BACKLINE_VAR / "secret_key")

# Signs the ledger's daily anchors and its exports (docs/ledger.md).
if PRODUCTION:
    _key = environment.required("LEDGER_SIGNING_KEY", "the ledger's anchors are signed with it; keep it secret.")
else:
    _key = environment.text("LEDGER_SIGNING_KEY") or environment.generated_secret(
        BACKLINE_VAR / "ledger_signing_key", lambda: secrets.token_hex(32)
    )
LEDGER_SIGNING_KEY = environment.signing_key("LEDGER_SIGNING_KEY", _key)
LEDGER_FORMER_KEYS = environment.public_keys("LEDGER_FORMER_KEYS")

# Seals what must be readable again, such as the secrets that webhooks are signed with. The first key seals, all open.
_keys = environment.text("SEALING_KEYS")
if not _keys and not PRODUCTION:
    _keys = environment.generated_secret(
        BACKLINE_VAR / "sealing_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    )
SEALING_KEYS = environment.sealing_keys("SEALING_KEYS", _keys)

ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if PRODUCTION and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts in production: * lets anybody forge links.")
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")

# --- What it is made of ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "notifications",
    "reports",
    "integrations",
    "backorders",
    "orders",
    "parts",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "simple_history",
    "rest_framework",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "django_q",
    "csp",
    "whitenoise.runserver_nostatic",
    "config.office.apps.OfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.request_id.RequestIdMiddleware",
    "config.tracking.privacy.PrivateLinkMiddleware",
    "config.content_policy.ContentPolicyMiddleware",
    "config.content_policy.NotKeptMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.plain_text.NoNulMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.guessing.SlowGuessingMiddleware",
    "config.keeping.KeptFormMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.faces.zone.ReaderZoneMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "config.faces.context.frame",
            ],
        },
    },
]

# --- Database: PostgreSQL, always (docs/adr/0001-postgresql-only.md) -------------------------------------------------

EMBEDDED_POSTGRESQL = not environment.text("DATABASE_URL")
if EMBEDDED_POSTGRESQL:
    database: dict[str, Any] = {
        "ENGINE": "config.postgres",
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(Server(BACKLINE_VAR).socket_directory),
        "PORT": str(PORT),
    }
else:
    database = environment.database("DATABASE_URL")

DATABASES = {
    "default": {
        **database,
        "ATOMIC_REQUESTS": False,  # an action opens its own transaction, as short as can be
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **database.get("OPTIONS", {}),
            "server_side_binding": True,
            # Prepared after the fifth use. A pooler that shares sessions between transactions needs 0: never.
            "prepare_threshold": environment.number("DATABASE_PREPARE_THRESHOLD", 5, minimum=0, maximum=1000) or None,
        },
    }
}

# --- People, places, languages ---------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("es", _("Spanish"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]

#: The money that the costs of parts are kept in (ISO 4217).
CURRENCY = environment.text("CURRENCY", "EUR")

# --- Files and mail --------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BACKLINE_VAR / "static"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
MEDIA_ROOT = BACKLINE_VAR / "media"
WHITENOISE_USE_FINDERS = not PRODUCTION
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # collected in production only; whitenoise warns where it is missing
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Files that people add to jobs. They lie under MEDIA_ROOT, which no web server serves: config/desk/attachments.py does.
_kinds = ["jpeg", "png", "webp", "pdf", "txt", "csv", "xlsx", "docx"]
ATTACHMENT_KINDS = environment.words("ATTACHMENT_KINDS") or _kinds
ATTACHMENT_MOST_BYTES = environment.number("ATTACHMENT_MOST_MEGABYTES", 15, minimum=1, maximum=60) * 1024 * 1024
ATTACHMENT_MOST_MEGAPIXELS = environment.number("ATTACHMENT_MOST_MEGAPIXELS", 64, minimum=1, maximum=200)
ATTACHMENT_MOST = environment.number("ATTACHMENT_MOST", 100, minimum=1, maximum=1000)  # files on one job

EXPORT_KEEP_DAYS = environment.number("EXPORT_KEEP_DAYS", 7, minimum=1, maximum=90)  # under MEDIA_ROOT, served likewise

# The largest file of stock that a system may send, in bytes, and for how many days it is kept once it was compared.
SNAPSHOT_MAX_BYTES = environment.number("SNAPSHOT_MAX_BYTES", 1024**3, minimum=1024, maximum=10 * 1024**3)
SNAPSHOT_KEEP_DAYS = environment.number("SNAPSHOT_KEEP_DAYS", 14, minimum=1, maximum=365)

vars().update(environment.email("EMAIL_URL", "consolemail://"))
# A provider with an API of its own instead of a mail server: one of django-anymail's, by its name there. Its settings
# are django-anymail's (https://anymail.dev), each as an environment variable with ANYMAIL_ before its name.
EMAIL_PROVIDER = environment.text("EMAIL_PROVIDER")
vars().update(environment.email_provider("EMAIL_PROVIDER"))
ANYMAIL = {"REQUESTS_TIMEOUT": (5, 15), **environment.anymail_settings()}
EMAIL_TIMEOUT = 15  # seconds; a mail server that does not answer must not hold up the others
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "backline@localhost")
# Answers to messages come to this address with a token of the message after a plus sign, and to manage.py receive_mail.
REPLY_ADDRESS = environment.reply_address("REPLY_ADDRESS")

# What people are told (docs/messages.md). Nothing leaves the house unless MESSAGES_LEAVE says so: until then everything
# ends in the mailbox at /messages/mailbox/.
SITE_URL = environment.text(
    "SITE_URL", f"http://127.0.0.1:{environment.number('PORT', 8000, minimum=1, maximum=65535)}"
)
HOUSE_NAME = environment.text("HOUSE_NAME", "Backline")  # how messages call the house that sends them
MESSAGES_LEAVE = environment.flag("MESSAGES_LEAVE", default=False)
MESSAGES_SMS_URL = environment.text("MESSAGES_SMS_URL")  # of apprise, with {address} where the number goes
SMS_WEBHOOK_TOKEN = environment.secret("SMS_WEBHOOK_TOKEN")  # with which the provider of SMS signs its calls
# By which push services know this installation (manage.py make_push_keys); without one no phone is told.
VAPID_PRIVATE_KEY = environment.vapid_key("VAPID_PRIVATE_KEY")
PUSH_TO_PRIVATE_HOSTS = environment.flag("PUSH_TO_PRIVATE_HOSTS", default=False)  # a push service in one's own network
MESSAGES_CHAT_URL = environment.text("MESSAGES_CHAT_URL")

# --- What other systems are told (docs/integrations/webhooks.md) ------------------------------------------------------

WEBHOOKS_TO_PRIVATE_HOSTS = environment.flag("WEBHOOKS_TO_PRIVATE_HOSTS", default=False)  # in one's own network
OUTBOUND_KEEP_DAYS = environment.number("OUTBOUND_KEEP_DAYS", 30, minimum=7, maximum=3650)

# --- Cache and background work ---------------------------------------------------------------------------------------

REDIS_URL = environment.redis("REDIS_URL")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "backline"}}

Q_CLUSTER: dict[str, Any] = {
    "name": "backline",
    "label": _("Background tasks"),
    "workers": environment.number("TASK_WORKERS", 2, minimum=1, maximum=64),
    "timeout": 300,
    "retry": 360,  # longer than the timeout, or a slow task would be started a second time beside the first
    "max_attempts": 5,
    "recycle": 500,
    "save_limit": -1,  # keep failures only: trimming successes is what makes acknowledging slow
    "catch_up": False,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default", "poll": 0.5}),
}

# --- Security: what is strict in production stays off where there is no TLS ------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = PRODUCTION and environment.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # probes come from inside, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0  # a year
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = environment.flag("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    # Only for a proxy that sets this header itself and drops the client's: otherwise anybody could claim to use TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- API -------------------------------------------------------------------------------------------------------------

API_TOKEN_CACHE_SECONDS = environment.number("API_TOKEN_CACHE_SECONDS", 30, minimum=0, maximum=600)
API_READS_PER_MINUTE = environment.number("API_READS_PER_MINUTE", 60_000, minimum=1, maximum=100_000_000)
API_WRITES_PER_MINUTE = environment.number("API_WRITES_PER_MINUTE", 60_000, minimum=1, maximum=100_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes; a thousand status updates with notes fit
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3_000  # an order of 500 lines is typed into three fields each

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api.authentication.TokenAuthentication",
        "config.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.throttling.PerClient"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.formats.OneFormat",
    "DEFAULT_PARSER_CLASSES": ["config.api.formats.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.formats.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["config.api.filtering.Filters"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "config.api.openapi.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "config.api.problems.answer",
    "DATETIME_FORMAT": None,  # the renderer writes times, as PostgreSQL does where it writes the document
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Backline",
    "DESCRIPTION": "Service parts orders, back orders and their status. docs/api.md tells how calls are made.",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ServiceOrderStatus": "orders.statuses.ServiceOrderStatus",
        "LineStatus": "orders.statuses.LineStatus",
        "BackOrderStatus": "backorders.statuses.BackOrderStatus",
        "PurchaseOrderStatus": "parts.statuses.PurchaseOrderStatus",
        "Purpose": "parts.statuses.Purpose",
        "MovementKind": "parts.statuses.MovementKind",
        "SubscriberState": "integrations.statuses.SubscriberState",
        "OutboundDeliveryState": "integrations.statuses.DeliveryState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.openapi.close_bodies",
        "config.api.openapi.add_problems",
    ],
}
OAUTH2_PROVIDER: dict[str, Any] = {
    "SCOPES_BACKEND_CLASS": "config.api.scopes.RoleScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # The current security practice (RFC 9700): no implicit or password grant, no token in an address or in plain text
    # in the database, and a refresh token used twice ends its whole family.
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
}

# --- Customers' links (docs/tracking.md) ------------------------------------------------------------------------------

TRACKING_LINK_DAYS = environment.number("TRACKING_LINK_DAYS", 90, minimum=1, maximum=730)
TRACKING_RESCHEDULE_DAYS = environment.number("TRACKING_RESCHEDULE_DAYS", 60, minimum=1, maximum=365)
TRACKING_WRONG_PER_MINUTE = environment.number("TRACKING_WRONG_PER_MINUTE", 6, minimum=1, maximum=600)
TRACKING_DEEDS_PER_DAY = environment.number("TRACKING_DEEDS_PER_DAY", 30, minimum=1, maximum=1000)

# --- Admin -----------------------------------------------------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Backline",
    "SITE_HEADER": "Backline",
    "SITE_SUBHEADER": _("Service parts orders"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "conveyor_belt",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.navigation.icon"}],
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": ["config.navigation.styles"],
    "SCRIPTS": ["config.navigation.scripts"],
    "SIDEBAR": {"show_search": True, "navigation": "config.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "#eff6ff",
            "100": "#dbeafe",
            "200": "#bfdbfe",
            "300": "#93c5fd",
            "400": "#60a5fa",
            "500": "#3b82f6",
            "600": "#2563eb",
            "700": "#1d4ed8",
            "800": "#1e40af",
            "900": "#1e3a8a",
            "950": "#172554",
        }
    },
}
SIMPLE_HISTORY_HISTORY_ID_USE_UUID = False
SIMPLE_HISTORY_REVERT_DISABLED = True  # old versions are looked at; only actions write what actions own

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING = logs.configuration(
    as_json=PRODUCTION,
    level=environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
)
