// The phone's pages: forms go into the queue, the queue is shown, and what was read stays readable.
(() => {
  "use strict";
  const told = document.getElementById("phone-words");
  if (!told || !self.indexedDB) return;
  const words = told.dataset;
  const { base, person } = words;
  const { store, queue, photo, camera } = self.Phone;
  const PAGES = "backline-phone-pages-";
  const SAID = "backline-phone-said";
  const RENEWED = "backline-phone-renewed";
  const INTERACTIVE = 6000;
  const EVERY = 30000;
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("backline-phone") : null;
  const one = (selector, root = document) => root.querySelector(selector);
  const each = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isKept = document.documentElement.hasAttribute("data-kept");
  let sending = null;
  let waiting = 0;
  let leaving = false;
  const sure = new Set(); // entries whose discarding was asked for once

  // --- Saying things ------------------------------------------------------------------------------------------------------
  const say = (text, meaning = "waiting") => {
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.dataset.meaning = meaning;
    notice.append(text);
    one("#phone-said").replaceChildren(notice);
  };
  const sayAfterLoading = (texts) => {
    try {
      sessionStorage.setItem(SAID, JSON.stringify(texts));
    } catch {
      // said nowhere: the page shows it anyway
    }
  };
  const sayWhatWasDone = () => {
    const texts = JSON.parse(sessionStorage.getItem(SAID) || "[]");
    sessionStorage.removeItem(SAID);
    if (texts.length) say(texts.join(" "), "done");
  };

  // --- What waits, shown ----------------------------------------------------------------------------------------------------
  // As the server writes times: 22 Nov 2026, 10:53.
  const language = document.documentElement.lang;
  const when = new Intl.DateTimeFormat(!language || language === "en" ? "en-GB" : language, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });

  const stateOf = (entry, held) => {
    if (entry.key === sending) return [words.sending, "waiting"];
    if (entry.state === "refused") return [words.refused, "late"];
    if (entry.state === "uncertain") return [words.uncertain, "late"];
    if (queue.isFailing(entry)) return [words.failing, "late"];
    return [held ? words.behind : words.waiting, "waiting"];
  };

  const shown = (entry, held) => {
    const item = one("#phone-entry").content.firstElementChild.cloneNode(true);
    const [word, meaning] = stateOf(entry, held);
    item.dataset.key = entry.key;
    item.dataset.meaning = meaning;
    one("[data-says]", item).textContent = entry.says;
    one("[data-summary]", item).textContent = entry.summary;
    one("[data-at]", item).textContent = when.format(entry.done_at);
    one("[data-at]", item).dateTime = new Date(entry.done_at).toISOString();
    one("[data-state]", item).dataset.meaning = meaning;
    one("[data-word]", item).textContent = word;
    const why = one("[data-why]", item);
    const problem = entry.state === "uncertain" ? { says: words.uncertainSays, changes: [] } : entry.problem;
    if (problem && meaning === "late") {
      const ours = { too_large: words.tooLarge, not_taken: words.notTaken };
      why.hidden = false;
      for (const text of [problem.says || ours[problem.code] || problem.code, ...(problem.changes || [])]) {
        const line = document.createElement("p");
        line.textContent = text;
        why.append(line);
      }
    }
    const decided = entry.state !== "waiting";
    const isJobs = entry.address.startsWith(`${base}jobs/`);
    one("[data-choices]", item).hidden = entry.key === sending;
    one('[data-do="again"]', item).hidden = !decided;
    one('[data-do="note"]', item).hidden = !decided || !isJobs || Boolean(entry.file);
    if (sure.has(entry.key)) one("[data-discard]", item).textContent = words.sure;
    for (const button of each("[data-do]", item)) button.addEventListener("click", () => decide(entry, button));
    return item;
  };

  const decide = async (entry, button) => {
    const verb = button.dataset.do;
    if (verb === "discard" && !sure.has(entry.key)) {
      sure.add(entry.key);
      one("[data-discard]", button).textContent = words.sure;
      return;
    }
    sure.delete(entry.key);
    const list = button.closest("ul");
    await queue.alone(async () => {
      const now = (await store.all()).find((other) => other.key === entry.key);
      if (!now) return;
      if (verb === "again") await queue.again(now);
      if (verb === "note") await queue.asNote(now, words.note);
      if (verb === "discard") await store.remove(now.number);
    });
    await changed();
    (one("li", list) || one("h1")).focus();
    if (verb !== "discard" || waiting) await flush();
  };

  const render = async () => {
    const entries = await store.all();
    const mine = entries.filter((entry) => entry.person === person);
    const here = location.pathname;
    waiting = mine.length;
    for (const badge of each("[data-count]")) {
      badge.hidden = !mine.length;
      badge.textContent = String(mine.length);
    }
    const held = new Set();
    const heldNumbers = new Set();
    for (const entry of mine) {
      if (held.has(entry.subject)) heldNumbers.add(entry.number);
      if (entry.state !== "waiting" || queue.isFailing(entry)) held.add(entry.subject);
    }
    for (const list of each("[data-entries]")) {
      const rows = list.dataset.entries === "here" ? mine.filter((entry) => entry.address === here) : mine;
      const focused = list.contains(document.activeElement) ? document.activeElement.closest("li").dataset.key : null;
      list.replaceChildren(...rows.map((entry) => shown(entry, heldNumbers.has(entry.number))));
      if (focused) one(`[data-key="${focused}"]`, list)?.focus();
    }
    for (const part of each("[data-no-entries]")) part.hidden = Boolean(mine.length);
    for (const part of each("[data-with-entries], [data-send-now]")) part.hidden = !mine.length;
    if (one("[data-send-now]") && entries.length > mine.length) say(words.others);
    ahead(mine.filter((entry) => entry.address === here));
  };

  // The page as it will be once what waits has been sent: the next steps, what is claimed, what is confirmed.
  const ahead = (entries) => {
    const going = entries.filter((entry) => entry.state === "waiting");
    const steps = one("form[data-steps]");
    if (steps) {
      const isRefused = entries.some((entry) => entry.then && entry.state !== "waiting");
      const step = going.filter((entry) => entry.then && entry.then !== "claimed").at(-1);
      const status = step && !isRefused ? step.then : steps.dataset.status;
      for (const set of each("fieldset[data-when]", steps)) set.hidden = set.disabled = set.dataset.when !== status;
      const claim = one("form[data-claim]");
      if (claim) {
        const isClaimed = going.some((entry) => entry.then === "claimed");
        claim.hidden = isClaimed;
        for (const part of [steps, ...each("[data-mine]")]) part.hidden = !isClaimed;
      }
    }
    const subjects = new Set(entries.map((entry) => entry.subject));
    for (const form of each('form[data-subject^="line:"]')) form.hidden = subjects.has(form.dataset.subject);
  };

  const changed = async () => {
    await render();
    channel?.postMessage({ changed: true });
  };

  // --- Doing ----------------------------------------------------------------------------------------------------------------
  const summaryOf = (form) => each("input, textarea, select", form)
    .filter((field) => field.type !== "hidden" && field.type !== "file" && field.name && !field.disabled)
    .map((field) => {
      if (field.type === "checkbox") return field.checked ? field.closest("label")?.textContent.trim() : "";
      if (!field.value.trim()) return "";
      const label = field.name.startsWith("counted-") ? one(`label[for="${field.id}"] strong`)?.textContent : "";
      return label ? `${label}: ${field.value}` : field.value.trim();
    })
    .filter(Boolean)
    .join(" · ")
    .slice(0, 400);

  const entryOf = async (form, button) => {
    const data = new FormData(form);
    if (button?.name) data.append(button.name, button.value);
    const fields = [];
    let file = null;
    for (const [name, value] of data) {
      if (value instanceof File) {
        if (value.size) file = { field: name, ...(await photo.smaller(value)) };
      } else if (name !== "csrfmiddlewaretoken" && name !== "key") fields.push([name, value]);
    }
    form.dataset.key ||= queue.newKey();
    const { subject, version, key } = form.dataset;
    return {
      key,
      person,
      subject: subject === "code" ? `code:${key}` : subject,
      address: new URL(form.action, location.href).pathname,
      fields,
      file,
      says: button?.dataset.says || form.dataset.says,
      summary: summaryOf(form),
      version: version ? Number(version) : null,
      then: button?.dataset.then || (form.hasAttribute("data-claim") ? "claimed" : null),
      done_at: Date.now(),
      state: "waiting",
      tried_at: null,
      failures: 0,
      problem: null,
    };
  };

  // What was typed is in the queue now; the form is ready for the next.
  const renew = (form) => {
    delete form.dataset.key;
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
    form.reset();
    const folded = form.closest("details.panel");
    if (folded) folded.open = false;
  };

  const enqueue = async (form, button) => {
    form.setAttribute("aria-busy", "true");
    let entry;
    try {
      entry = await entryOf(form, button);
      await store.add(entry);
    } catch (error) {
      form.removeAttribute("aria-busy");
      delete form.dataset.sent;
      if (error && error.name === "QuotaExceededError") say(words.full, "late");
      else sendPlainly(form, button);
      return;
    }
    renew(form);
    await changed();
    const result = await Promise.race([flush(true), new Promise((resolve) => { setTimeout(resolve, INTERACTIVE, null); })]);
    const done = result?.done.find((other) => other.key === entry.key);
    if (done) return leave(result.done.map((other) => other.says), done.location);
    if (result?.refused.includes(entry.key)) {
      const item = one(`[data-key="${entry.key}"]`);
      item?.scrollIntoView({ block: "center" });
      item?.focus();
      return;
    }
    navigator.storage?.persist?.().catch(() => {});
    if (result?.state !== "signed-out") say(words.kept);
    navigator.serviceWorker?.ready.then((worker) => worker.sync?.register("backline-phone-queue")).catch(() => {});
  };

  const sendPlainly = (form, button) => {
    if (button?.name) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: button.name, value: button.value });
      form.append(field);
    }
    HTMLFormElement.prototype.submit.call(form);
  };

  const leave = (texts, address) => {
    leaving = true;
    sayAfterLoading(texts);
    location.assign(address || location.pathname);
  };

  const isClean = () => !each("form[data-queue]").some((form) =>
    [...form.elements].some((field) => field.type !== "hidden" && field.value !== undefined && field.tagName !== "BUTTON"
      && field.tagName !== "FIELDSET" && (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== (field.defaultValue ?? field.value))));

  const flush = async (isAwaited = false) => {
    const result = await queue.flush(base, ({ sending: key }) => { sending = key || null; render(); });
    sending = null;
    if (result.state !== "empty") {
      for (const word of each("[data-net-word]")) word.hidden = result.state !== "offline";
      await changed();
    }
    if (result.state === "signed-out" && waiting) say(words.signIn);
    if (!isAwaited) tellDone(result.done, result.refused);
    if (isKept && ["sent", "signed-out"].includes(result.state)) renewPage();
    return result;
  };

  // There is a network again: show what is now instead of what was kept, unless somebody is typing. Where pages come so
  // slowly that they are taken from what was kept, not again and again.
  const renewPage = () => {
    const last = Number(sessionStorage.getItem(RENEWED) || 0);
    if (leaving || !isClean() || Date.now() - last < EVERY) return;
    sessionStorage.setItem(RENEWED, String(Date.now()));
    leaving = true;
    location.reload();
  };

  // Sent in the background: the page shows what is now, unless somebody is typing in it.
  const tellDone = (done, refused = []) => {
    if (!done.length || leaving) return;
    const texts = done.map((other) => other.says);
    if (isClean() && !refused.length) leave(texts, location.pathname + location.search);
    else say(texts.join(" "), "done");
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.matches("form[data-queue]") && person) {
      event.preventDefault();
      enqueue(form, event.submitter);
    } else if (new URL(form.action, location.href).pathname.endsWith("/logout/")) {
      if (waiting && !form.dataset.told) {
        event.preventDefault();
        form.dataset.told = "yes";
        delete form.dataset.sent;
        say(words.stays);
        one("#phone-said").scrollIntoView({ block: "center" });
      } else self.caches?.delete(PAGES + person);
    }
  });

  // --- The camera -------------------------------------------------------------------------------------------------------------
  const scan = async (form) => {
    const box = one("[data-camera]", form);
    const field = one('input[name="code"]', form);
    let stopped = false;
    box.hidden = false;
    one("[data-camera-stop]", box).onclick = () => { stopped = true; };
    let code = null;
    try {
      code = await camera.read(one("video", box), () => stopped);
    } catch {
      say(words.noCamera);
    }
    box.hidden = true;
    if (!code) return field.focus();
    field.value = code;
    navigator.vibrate?.(60);
    one("#announcer").textContent = `${words.read} ${code}`;
    const same = (text) => text.toUpperCase().replace(/[^0-9A-Z]/g, "");
    for (const need of each(".need")) {
      need.classList.toggle("found", need.dataset.codes.split("|").some((other) => other && same(other) === same(code)));
    }
    one('button[type="submit"]', form).focus();
  };
  if (camera.canRead()) {
    for (const button of each("[data-camera-start]")) {
      button.hidden = false;
      button.addEventListener("click", () => scan(button.closest("form")));
    }
  }

  // --- Without a network --------------------------------------------------------------------------------------------------------
  const keepForLater = async () => {
    if (!("serviceWorker" in navigator)) return;
    const wasControlled = Boolean(navigator.serviceWorker.controller);
    await navigator.serviceWorker.register(words.worker, { scope: base });
    const worker = await navigator.serviceWorker.ready;
    if (isKept || !person) return;
    const links = each("[data-keep] a[href]").map((link) => link.getAttribute("href"));
    const isList = links.length || one("[data-keep]");
    // First what waits to be sent: without a network it is what one looks for.
    const first = isList ? [`${base}waiting/`] : [];
    const around = isList ? [`${base}deliveries/`, `${base}van/`] : [];
    // Jobs that nobody has are taken in a cellar, too.
    const free = each("[data-keep-last] a[href]").map((link) => link.getAttribute("href"));
    const keep = [...first, ...(wasControlled ? [] : [location.href]), ...links, ...around, ...free];
    if (keep.length) worker.active.postMessage({ keep });
  };

  const listKeptPages = async () => {
    const list = one("[data-kept-pages]");
    if (!list || !self.caches) return;
    const name = (await caches.keys()).find((key) => key.startsWith(PAGES));
    if (!name) return;
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const answer = await cache.match(request);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.className = "panel stop";
      link.href = request.url;
      link.textContent = page.title.replace(" · Backline", "");
      item.append(link);
      list.append(item);
    }
  };

  const start = async () => {
    sayWhatWasDone();
    await render();
    keepForLater().catch(() => {});
    listKeptPages().catch(() => {});
    await flush();
  };
  channel?.addEventListener("message", async (event) => {
    await render();
    if (!document.hidden) tellDone(event.data.done || []);
  });
  self.addEventListener("online", async () => {
    for (const word of each("[data-net-word]")) word.hidden = true;
    await flush();
    if (isKept) renewPage();
  });
  self.addEventListener("offline", () => { for (const word of each("[data-net-word]")) word.hidden = false; });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting) flush(); });
  setInterval(() => { if (waiting && !document.hidden) flush(); }, EVERY);
  one("[data-send-now]")?.addEventListener("click", () => flush());
  start();
})();
