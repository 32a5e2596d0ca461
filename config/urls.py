"""Every address, app by app."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from config import health, pages
from config.api.tokens import RevocationDoor, TokenDoor
from config.faces.styleguide import styleguide
from config.keeping import SignIn, kept_form
from config.messages import timeliness
from config.office import desk as office

handler400 = "config.refusals.bad_request"
handler500 = "config.refusals.server_error"

urlpatterns = [
    path("", pages.home, name="home"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/not-sent/", kept_form, name="kept_form"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("look/", pages.choose_look, name="choose_look"),
    path("language/", set_language, name="set_language"),
    path("styleguide/", styleguide, name="styleguide"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("track/", include("config.tracking.urls")),
    path("links/", include("config.tracking.staff_urls")),
    path("desk/", include("config.desk.urls")),
    path("messages/", include("config.messages.urls")),
    path("webhooks/", include("config.webhooks.urls")),
    path("audit/", include("config.audit.urls")),
    path("t/", include("config.phone.urls")),
    path("admin/", admin.site.admin_view(office.landing), name="office"),
    path("admin/desk/", admin.site.admin_view(office.desk), name="office_desk"),
    path("figures/notification_timeliness/", timeliness.timeliness, name="notification-timeliness"),
    path("figures/", include("reports.figures.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(("config.api.urls", "api"))),
    path("oauth/token/", TokenDoor.as_view(), name="oauth-token"),
    path("oauth/revoke-token/", RevocationDoor.as_view(), name="oauth-revoke-token"),
]
