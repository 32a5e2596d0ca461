"""Which pages `make screenshots` takes: every page that somebody sees, also those on which there is nothing, and those
on which something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from config.demo.ways import NOTE, SHORT

#: Who takes a picture without signing in.
STRANGER = "nobody"


@dataclass(frozen=True)
class Picture:
    """A page: from the first address on, the first link that matches each selector is followed.

    `typed`: what is typed there into which field; `press`: what is pressed there then (a form that is sent, a menu that
    opens). `by_link`: there a customer's link is made, and what it opens is taken. `too_late`: the session ends before
    it is pressed; then the person signs in again. `person` is whose page it is, where that is not for the one who takes
    the pictures to say; `size` is the screen it is made for, and `shown` says that the README shows it so.
    """

    name: str
    address: str
    follow: tuple[str, ...] = ()
    typed: tuple[tuple[str, str], ...] = ()
    press: str = ""
    full: bool = False
    by_link: bool = False
    too_late: bool = False
    person: str = ""
    size: str = "wide"
    shown: bool = False


CONSENTS = "/admin/orders/overriderequest/"
LIST_LINK = "#result_list tbody th a"
PICTURES = (
    Picture("home", "/"),
    Picture("inbox", "/messages/", full=True),
    Picture("inbox-why", "/messages/", ("a[href*='/messages/notices/']:not([href$='/go/'])",), full=True),
    Picture("preferences", "/messages/preferences/", full=True),
    Picture("digests", "/messages/digests/", full=True, person="dispatcher"),
    Picture("digest", "/messages/digests/", ("table a[href*='/digests/']",), full=True, person="dispatcher"),
    Picture(
        "digest-orders",
        "/messages/digests/",
        ("table a[href*='/digests/']", "a[href$='/orders/']"),
        full=True,
        person="dispatcher",
    ),
    Picture("digest-new", "/messages/digests/new/", full=True, person="dispatcher"),
    Picture("mailbox", "/messages/mailbox/", full=True, person="dispatcher"),
    Picture("mailbox-email", "/messages/mailbox/?channel=email", (".mailbox a",), full=True, person="dispatcher"),
    Picture("mailbox-sms", "/messages/mailbox/?channel=sms", (".mailbox a",), full=True, person="dispatcher"),
    Picture("back-order-desk", "/admin/desk/", full=True, shown=True),
    Picture("ways-out", f"/admin/backorders/backorder/?q={SHORT}", (LIST_LINK, "a[href$='/ways/']"), full=True),
    Picture("back-orders", "/admin/backorders/backorder/?view=waiting"),
    Picture("back-order", "/admin/backorders/backorder/?view=waiting&o=-7", (LIST_LINK,), full=True),
    Picture("service-order", "/admin/orders/serviceorder/?status__exact=awaiting_parts", (LIST_LINK,), full=True),
    Picture("parts-order", "/admin/orders/partsorder/?status__exact=back_ordered", (LIST_LINK,), full=True),
    Picture("desk-job", "/desk/search/?q=Engine+overheats", ("a[href^='/desk/orders/']",), full=True),
    Picture(
        "desk-order",
        "/desk/search/?q=Engine+overheats",
        ("a[href^='/desk/orders/']", "a[href^='/desk/parts-orders/']"),
        full=True,
        shown=True,
    ),
    Picture(
        "desk-place",
        "/desk/place/?whom=C-001&part=S-4100&quantity=1&part=S-4107&quantity=2&part=4711-4114&quantity=1",
        full=True,
    ),
    Picture("parts", "/admin/parts/part/"),
    Picture("delivery", "/admin/parts/purchaseorder/?status__exact=ordered", (LIST_LINK, "a[href$='/deliver/']")),
    Picture("delivery-due", "/admin/parts/delivery/book/", full=True),
    Picture("delivery-freed", f"/admin/parts/delivery/?q={NOTE}", (LIST_LINK,), full=True),
    Picture("overrides", "/admin/orders/override/", full=True),
    Picture("cases", "/admin/integrations/discrepancy/", full=True),
    Picture("case", "/admin/integrations/discrepancy/", (LIST_LINK,), full=True),
    Picture("consent", f"{CONSENTS}?status__exact=waiting", (LIST_LINK,), full=True, person="deputy"),
    Picture("change", "/admin/parts/partchange/?status__exact=waiting", (LIST_LINK,), full=True, person="deputy"),
    Picture(
        "customers-link",
        "/admin/orders/serviceorder/?status__exact=awaiting_parts",
        (LIST_LINK, "a[href^='/links/']"),
        full=True,
        by_link=True,
        size="phone",
        shown=True,
    ),
    Picture("board", "/desk/board/", person="dispatcher", shown=True),
    Picture("alerts", "/messages/alerts/", full=True),
    Picture("windows", "/messages/windows/", full=True),
    Picture("window-new", "/messages/windows/new/", full=True),
    Picture("undelivered", "/messages/dead/", full=True),
    Picture("undelivered-again", "/messages/dead/replay/?cause=no_address", full=True),
    Picture("message-rules", "/admin/notifications/rule/", full=True),
    Picture("message-rule", "/admin/notifications/rule/?q=waits-a", (LIST_LINK,), full=True),
    Picture("figures", "/figures/?period=365", full=True),
    Picture("figure", "/figures/line_fill_rate/?period=365"),
    Picture("timeliness", "/figures/notification_timeliness/", full=True),
    Picture("board-table", "/desk/board/?as=table", full=True, person="dispatcher"),
    Picture("when", "/desk/when/?q=Frankfurt+Haulage", full=True, person="dispatcher", shown=True),
    Picture("search", "/desk/search/?q=pump", person="dispatcher"),
    Picture("audit", "/audit/?overrides=on", person="auditor"),
    Picture("audit-order", "/audit/?order=so+1", full=True, person="auditor"),
    Picture("audit-rights", "/audit/rights/", person="auditor"),
    Picture("phone-day", "/t/", person="technician", size="phone", shown=True),
    Picture("phone-job", "/t/", (".stops a[href*='/jobs/']",), full=True, person="technician", size="phone"),
    Picture("phone-parts", "/t/deliveries/", person="technician", size="phone"),
    Picture("phone-van", "/t/van/", person="technician", size="phone"),
    # --- Doors, and what is seen when something is wrong ---
    Picture("home-stranger", "/", person=STRANGER),
    Picture("login", "/accounts/login/", person=STRANGER),
    Picture(
        "login-refused",
        "/accounts/login/",
        typed=(("input[name=username]", "manager"), ("input[name=password]", "wrong")),
        press="main button[type=submit]",
        person=STRANGER,
    ),
    Picture("login-office", "/admin/login/", person=STRANGER),
    Picture("home-partner", "/", person="partner"),
    Picture("account-menu", "/", press=".bar-menu:not(.bar-narrow) > summary"),
    Picture("password", "/admin/password_change/"),
    Picture(
        "not-sent",
        "/admin/parts/supplier/add/",
        typed=(("input[name=code]", "SUP-90"), ("input[name=name]", "Castor Works 90")),
        press="button[name=_save]",
        too_late=True,
    ),
    Picture("not-found", "/no/such/page/"),
    Picture("not-for-you", "/desk/board/", person="partner"),
    Picture("error-400", "/styleguide/?error=400"),
    Picture("error-open-too-long", "/styleguide/?error=403_csrf"),
    Picture("error-ours", "/styleguide/?error=500"),
    Picture("link-closed", "/track/0123456789abcdef0123456789abcdef/", person=STRANGER, size="phone"),
    Picture("style-guide", "/styleguide/?errors=1", full=True),
    Picture("api", "/api/v1/docs/"),
    # --- The desk: forms that are open or refused, and lists on which there is nothing ---
    Picture("search-nothing", "/desk/search/?q=flux+capacitor", person="dispatcher"),
    Picture("search-empty", "/desk/search/", person="dispatcher"),
    Picture("when-empty", "/desk/when/", person="dispatcher"),
    Picture("when-nothing", "/desk/when/?q=flux+capacitor", person="dispatcher"),
    Picture("board-nothing", "/desk/board/?search=flux+capacitor", person="dispatcher"),
    Picture("board-table-nothing", "/desk/board/?as=table&search=flux+capacitor", person="dispatcher"),
    Picture(
        "desk-job-panel",
        "/desk/search/?q=Engine+overheats",
        ("a[href^='/desk/orders/']", "a[href*='do=reschedule']"),
        press="#deed button[type=submit]",
        person="dispatcher",
    ),
    Picture(
        "desk-job-menu",
        "/desk/search/?q=Engine+overheats",
        ("a[href^='/desk/orders/']",),
        press=".steps .more > summary",
    ),
    Picture(
        "desk-ship",
        "/desk/when/?q=Frankfurt+Haulage",
        ("section > header:has(.status[data-meaning='moving']) a[href^='/desk/parts-orders/']", "a[href*='do=ship']"),
        full=True,
    ),
    Picture("desk-place-empty", "/desk/place/", full=True),
    Picture(
        "desk-place-refused",
        "/desk/place/?whom=C-001&part=S-4100&quantity=many&part=nonsense&quantity=1",
        press=".place-end button[value=preview]",
        full=True,
    ),
    Picture(
        "desk-place-preview",
        "/desk/place/?whom=C-001&part=S-4100&quantity=1&part=S-4107&quantity=2&least=1",
        press=".place-end button[value=preview]",
        full=True,
    ),
    Picture("customers-links", "/admin/orders/serviceorder/", (LIST_LINK, "a[href^='/links/']")),
    # --- Audit and figures ---
    Picture("audit-nothing", "/audit/?order=SO-999999", person="auditor"),
    Picture("audit-chain", "/audit/?order=so+1", ("a[href^='/audit/chains/']",), full=True, person="auditor"),
    Picture("audit-exports", "/audit/exports/", person="auditor"),
    Picture("audit-export-new", "/audit/exports/new/", person="auditor"),
    Picture("figures-nothing", "/figures/?since=2001-01-01&until=2001-02-01", full=True),
    Picture("figure-standing", "/figures/open_back_orders/", full=True),
    # --- The phone ---
    Picture("phone-nobody", "/t/", person="manager", size="phone"),
    Picture("phone-van-nobody", "/t/van/", person="manager", size="phone"),
    Picture("phone-waiting", "/t/waiting/", person="technician", size="phone"),
    Picture("phone-offline", "/t/offline/", person="technician", size="phone"),
    Picture(
        "phone-note",
        "/t/",
        (".stops a[href*='/jobs/']",),
        press="details.panel > summary",
        full=True,
        person="technician",
        size="phone",
    ),
    # --- The back office ---
    Picture("back-orders-nothing", "/admin/backorders/backorder/?q=flux+capacitor"),
    Picture(
        "way-taken", "/admin/desk/?list=nearest", (".desk-worklist a[href$='/ways/']", "a[href*='take=']"), full=True
    ),
    Picture("runs", "/admin/backorders/allocationrun/"),
    Picture("run", "/admin/backorders/allocationrun/", (LIST_LINK,), full=True),
    Picture("decisions", "/admin/backorders/allocationdecision/"),
    Picture("policies", "/admin/backorders/allocationpolicy/"),
    Picture("policy", "/admin/backorders/allocationpolicy/", (LIST_LINK,), full=True),
    Picture(
        "weights",
        "/admin/backorders/allocationpolicy/",
        (LIST_LINK, "a[href$='/weights/']"),
        full=True,
    ),
    Picture("service-orders", "/admin/orders/serviceorder/"),
    Picture("override", "/admin/orders/serviceorder/", (LIST_LINK, "#content a[href$='/override/']"), full=True),
    Picture("parts-orders", "/admin/orders/partsorder/"),
    Picture("order-lines", "/admin/orders/orderline/"),
    Picture("order-line", "/admin/orders/orderline/", (LIST_LINK,), full=True),
    Picture("shipments", "/admin/orders/shipment/"),
    Picture("shipment", "/admin/orders/shipment/", (LIST_LINK,), full=True),
    Picture("customers", "/admin/orders/customer/"),
    Picture("customer", "/admin/orders/customer/", (LIST_LINK,), full=True),
    Picture("words-for-customers", "/admin/orders/customerword/"),
    Picture("consent-waiting", "/admin/orders/overriderequest/"),
    Picture("ledger", "/admin/orders/orderevent/"),
    Picture("visibility", "/admin/orders/stockvisibilityrule/"),
    Picture("part", "/admin/parts/part/?q=S-4100", (LIST_LINK,), full=True),
    Picture("part-refused", "/admin/parts/part/add/", press="button[name=_save]", full=True),
    Picture("import", "/admin/parts/part/import/", full=True),
    Picture("changes", "/admin/parts/partchange/"),
    Picture("stock", "/admin/parts/stocklevel/"),
    Picture("stock-level", "/admin/parts/stocklevel/", (LIST_LINK,), full=True),
    Picture("movements", "/admin/parts/stockmovement/"),
    Picture("counts", "/admin/parts/stockcount/"),
    Picture("purchase-orders", "/admin/parts/purchaseorder/"),
    Picture("purchase-order", "/admin/parts/purchaseorder/", (LIST_LINK,), full=True),
    Picture("purchase", "/admin/parts/purchaseorder/place/", full=True),
    Picture("deliveries", "/admin/parts/delivery/"),
    Picture("suppliers", "/admin/parts/supplier/"),
    Picture("people", "/admin/auth/user/", person="admin"),
    Picture("clarity", "/messages/clarity/"),
    Picture("proposals", "/messages/proposals/?state=all", full=True),
    Picture(
        "propose",
        "/desk/search/?q=Engine+overheats",
        ("a[href^='/desk/orders/']", "a[href^='/messages/proposals/']"),
        full=True,
    ),
    Picture("channel", "/admin/notifications/channelsetting/email/change/", full=True),
    Picture("systems", "/admin/integrations/externalsystem/"),
    Picture("system", "/admin/integrations/externalsystem/", (LIST_LINK,), full=True),
    Picture("interfaces", "/admin/integrations/interface/"),
    Picture("interface", "/admin/integrations/interface/", (LIST_LINK,), full=True),
    Picture("system-messages", "/admin/integrations/inboundmessage/"),
    Picture("system-message", "/admin/integrations/inboundmessage/", (LIST_LINK,), full=True),
    Picture("status-codes", "/admin/integrations/statuscode/"),
    Picture("status-code", "/admin/integrations/statuscode/", (LIST_LINK,), full=True),
    Picture("stopped-numbers", "/admin/notifications/stoppednumber/"),
    Picture("stopped-number", "/admin/notifications/stoppednumber/", (LIST_LINK,), full=True),
    Picture(
        "stopped-lift", "/admin/notifications/stoppednumber/", (LIST_LINK, "#content a[href$='/lift/']"), full=True
    ),
    Picture("contacts", "/admin/notifications/recipient/"),
    Picture("contact", "/admin/notifications/recipient/", (LIST_LINK,), full=True),
    Picture("status-words", "/messages/words/", full=True),
    Picture("status-word", "/messages/words/service_order-awaiting_parts/", full=True),
    Picture("wordings", "/messages/wordings/"),
    Picture("wording", "/messages/wordings/customer_news/?language=en", full=True),
    Picture("wording-versions", "/messages/wordings/customer_news/versions/?language=de"),
    Picture("person", "/admin/auth/user/", (LIST_LINK,), full=True, person="admin"),
    Picture("roles", "/admin/auth/group/", person="admin"),
    Picture("failed-tasks", "/admin/django_q/failure/", person="admin"),
)
