// The service worker of the technician's phone: what was seen can be read without a network, and what waits is sent
// when the browser says that there is one. `TOLD` stands above this script; config/phone/views/shell.py writes it.
"use strict";
importScripts(...self.TOLD.scripts);

const { base, offline, shell, version } = self.TOLD;
const SHELL = `backline-phone-shell-${version}`;
const PAGES = "backline-phone-pages-";
// So long a slow network is waited for where the page is there already, and this is how many pages are kept.
const PATIENCE = 4000;
const MOST_PAGES = 120;

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(SHELL);
    await cache.addAll([...shell, offline].map((address) => new Request(address, { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("backline-phone-shell-") && name !== SHELL) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// --- Pages: one cache per person, and only the present person's is there ------------------------------------------------
const forget = async (except) => {
  for (const name of await caches.keys()) {
    if (name.startsWith(PAGES) && name !== except) await caches.delete(name);
  }
};
const present = async () => (await caches.keys()).find((name) => name.startsWith(PAGES));

const plain = (address) => {
  const url = new URL(address);
  url.hash = "";
  return url.href;
};

const keepPage = async (address, answer) => {
  const person = answer.headers.get("X-Backline-Person");
  const isPage = (answer.headers.get("Content-Type") || "").startsWith("text/html");
  if (!person || !isPage || answer.status !== 200 || answer.redirected) return;
  const name = PAGES + person;
  await forget(name);
  const cache = await caches.open(name);
  await cache.put(plain(address), answer);
  const kept = await cache.keys();
  for (const old of kept.slice(0, Math.max(0, kept.length - MOST_PAGES))) await cache.delete(old);
};

// A page from the cache says so of itself: the style sheet shows from when it is.
const marked = async (answer) => {
  const text = await answer.text();
  const headers = new Headers(answer.headers);
  headers.delete("Content-Length");
  headers.delete("Content-Encoding");
  return new Response(text.replace("<html ", "<html data-kept "), { status: 200, headers });
};

const fromCache = async (address) => {
  const name = await present();
  const kept = name && (await (await caches.open(name)).match(plain(address)));
  return kept && marked(kept);
};

// Nobody is signed in any more: what could be read is no longer for whoever holds the phone. The queue stays.
const checkSignedOut = async () => {
  const answer = await fetch(`${base}token/`, { credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401) await forget();
};

const page = async (event) => {
  const { request } = event;
  const network = fetch(request).then((answer) => {
    const copy = answer.clone();
    event.waitUntil(
      (answer.type === "opaqueredirect" ? checkSignedOut() : keepPage(request.url, copy)).catch(() => {}),
    );
    return answer;
  });
  const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE, "late"); });
  let first;
  try {
    first = await Promise.race([network, late]);
  } catch {
    first = "failed";
  }
  // A gateway without the server behind it is no network either.
  if (first !== "late" && first !== "failed" && ![502, 503, 504].includes(first.status)) return first;
  const kept = await fromCache(request.url);
  if (kept) {
    event.waitUntil(network.catch(() => {}));
    return kept;
  }
  try {
    const answer = await network;
    if (![502, 503, 504].includes(answer.status)) return answer;
  } catch {
    // falls through to the page that says so
  }
  const fallback = await caches.match(offline, { cacheName: SHELL });
  return fallback ? marked(fallback) : Response.error();
};

// --- What pages are drawn with ------------------------------------------------------------------------------------------
const drawn = async (request) => {
  const hasDigest = /\.[0-9a-f]{12}\.\w+$/.test(new URL(request.url).pathname);
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept && hasDigest) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && kept) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
};

const inShell = new Set(shell.map((address) => new URL(address, self.location.href).href));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith(base)) event.respondWith(page(event));
  else if (inShell.has(plain(request.url))) event.respondWith(drawn(request));
});

// --- What the page asks, and what the browser says ------------------------------------------------------------------------
const keepAll = async (addresses) => {
  for (const address of addresses) {
    const url = new URL(address, self.location.href);
    if (url.origin !== self.location.origin || !url.pathname.startsWith(base)) continue;
    try {
      const answer = await fetch(url, { credentials: "same-origin", cache: "no-store", redirect: "error" });
      await keepPage(url.href, answer);
    } catch {
      return; // the network is gone again: what is there stays
    }
  }
};

self.addEventListener("message", (event) => {
  if (event.data && event.data.keep) event.waitUntil(keepAll(event.data.keep));
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "backline-phone-queue") return;
  const channel = new BroadcastChannel("backline-phone");
  const work = self.Phone.queue.flush(base).then((result) => {
    channel.postMessage({ changed: true, done: result.done });
    if (result.state === "offline" || result.state === "trouble") throw new Error(result.state);
  });
  event.waitUntil(work.finally(() => channel.close()));
});

// --- Being told while nobody looks ------------------------------------------------------------------------------------------
self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // a browser has to show something, whatever came
  }
  const shown = self.registration.showNotification(String(told.title || "Backline"), {
    body: String(told.body || ""),
    tag: String(told.tag || ""),
    renotify: Boolean(told.tag),
    lang: String(told.lang || ""),
    icon: self.TOLD.icon,
    data: { url: String(told.url || base) },
  });
  event.waitUntil(shown);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url || base, self.location.origin);
  if (url.origin !== self.location.origin) return;
  const open = async () => {
    for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
      if (plain(page.url) === url.href) return page.focus();
    }
    return self.clients.openWindow(url.href);
  };
  event.waitUntil(open());
});
