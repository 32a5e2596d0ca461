// What every page does beyond plain HTML: all of it works without, a little slower.
(() => {
  "use strict";
  const year = 365 * 24 * 3600;
  const keep = (name, value) => {
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `${name}=${value};path=/;max-age=${year};samesite=lax${secure}`;
  };

  // The server renders times in this zone from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`timezone=${zone}`)) keep("timezone", zone);

  // The look changes at once; without scripts the form is sent and the page comes back in it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-look]") || !event.submitter) return;
    event.preventDefault();
    const look = event.submitter.value;
    keep("look", look);
    if (look) document.documentElement.dataset.theme = look;
    else delete document.documentElement.dataset.theme;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
  });

  // Menus close on Escape and on a click elsewhere.
  const openMenus = () => document.querySelectorAll("details.bar-menu[open], details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Keys: an element with data-shortcut is focused (fields) or clicked (links, buttons) by it, outside of fields.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.matches("input, textarea, select")) {
      target.focus();
      if (target.select) target.select();
    } else target.click();
  });

  // A button that changes something is pressed once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 8000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // Who signs out takes along what the phone's pages have kept for reading without a network (those pages do it
  // themselves: they ask first).
  document.addEventListener("submit", (event) => {
    const address = event.target.getAttribute("action") || "";
    if (event.defaultPrevented || !self.caches || !address.endsWith("/logout/")) return;
    if (document.getElementById("phone-words")) return;
    caches.keys().then((names) => {
      for (const name of names) if (name.startsWith("backline-phone-pages-")) caches.delete(name);
    });
  });

  // Of tabs that do not fit, the present one is in sight.
  for (const here of document.querySelectorAll(".tabs [aria-current]")) {
    const tabs = here.parentElement;
    tabs.scrollLeft = Math.max(0, here.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2);
  }

  // What went wrong takes the focus.
  const focusErrors = (root) => root.querySelector("[data-focus]")?.focus();
  document.addEventListener("DOMContentLoaded", () => focusErrors(document));
  document.addEventListener("htmx:afterSwap", (event) => focusErrors(event.target));

  // A request that failed says so where people look, until the next one succeeds. Who only types is not torn away.
  const failed = () => document.getElementById("failed");
  const say = (why, asked) => {
    const notice = failed();
    if (!notice) return;
    notice.querySelector(".said").textContent = notice.dataset[why];
    notice.querySelector("a").hidden = why !== "gone";
    notice.dataset.why = why;
    notice.hidden = false;
    if (asked?.verb !== "get") notice.focus();
  };
  const unreached = (event) => say("unreached", event.detail?.requestConfig);
  document.addEventListener("htmx:sendError", unreached);
  document.addEventListener("htmx:timeout", unreached);

  // Who signed in again, in another tab, goes on here: the forms get the token of the new session, where it is the same
  // person's. What another person's page was filled with is not sent under one's own name.
  const renew = async (asked) => {
    const notice = failed();
    const answer = await fetch(notice.dataset.token, { cache: "no-store", headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer) return say("unreached", asked);
    if (!answer.ok) return say("gone", asked);
    const { person, token } = await answer.json();
    if (person !== notice.dataset.person) return say("other", asked);
    document.body.setAttribute("hx-headers", JSON.stringify({ "x-csrftoken": token }));
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    return say("again", asked);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && failed()?.dataset.why === "gone" && !failed().hidden) renew();
  });
  document.addEventListener("htmx:responseError", ({ detail }) => {
    const { status, responseText } = detail.xhr;
    if (status === 403 && responseText.includes("data-token-is-old")) renew(detail.requestConfig);
    else say({ 401: "gone", 403: "forbidden" }[status] ?? "failed", detail.requestConfig);
  });
  // Whose session is over is answered with the page to sign in: it takes no place in this one, and what was typed stays.
  const isSignIn = (address) => /\/login\/(\?|$)/.test(address);
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!isSignIn(detail.xhr.responseURL)) return;
    detail.shouldSwap = false;
    say("gone", detail.requestConfig);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const notice = failed();
    if (notice && detail.successful && !isSignIn(detail.xhr.responseURL)) notice.hidden = true;
  });
  // What other scripts fetch meets the same.
  document.addEventListener("fetched", ({ detail }) => {
    if (!detail) say("unreached", { verb: "get" });
    else if (isSignIn(detail.url)) say("gone", { verb: "get" });
  });
})();
