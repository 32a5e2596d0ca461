// "Tell me on this phone": the browser's push service is asked for an address, and the server is told of it.
(() => {
  "use strict";
  const isAble = "serviceWorker" in navigator && "PushManager" in self && "Notification" in self && self.crypto?.subtle;

  // Whoever signs out is not told on this phone any more, with or without a network: the push service knows at once.
  document.addEventListener("submit", (event) => {
    if (!isAble || event.defaultPrevented) return;
    if (!new URL(event.target.action, location.href).pathname.endsWith("/logout/")) return;
    navigator.serviceWorker.getRegistration()
      .then((worker) => worker?.pushManager.getSubscription())
      .then((found) => found?.unsubscribe())
      .catch(() => {});
  });

  const box = document.getElementById("phone-push");
  if (!box || !isAble) return;
  const words = box.dataset;
  const on = box.querySelector("[data-push-on]");
  const off = box.querySelector("[data-push-off]");
  const said = box.querySelector("[data-push-said]");
  const known = new Set(words.known.split(" ").filter(Boolean));

  const say = (text) => { said.textContent = text; };

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const digest = async (address) => {
    const found = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(address));
    return [...new Uint8Array(found)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  const manager = async () => (await navigator.serviceWorker.ready).pushManager;
  const isOurs = (found) => {
    const key = found.options?.applicationServerKey;
    return !key || text(key) === words.key;
  };

  const show = (isTold) => {
    const focused = box.contains(document.activeElement);
    on.hidden = isTold;
    off.hidden = !isTold;
    if (focused) (isTold ? off : on).focus();
  };

  const post = async (address, fields) => {
    const body = new URLSearchParams({
      ...fields,
      csrfmiddlewaretoken: box.querySelector("[name=csrfmiddlewaretoken]").value,
    });
    const answer = await fetch(address, {
      method: "POST", body, credentials: "same-origin", redirect: "error", headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(String(answer.status));
  };

  const tell = async () => {
    if ((await Notification.requestPermission()) !== "granted") return say(words.blocked);
    const push = await manager();
    let found = await push.getSubscription();
    if (found && !isOurs(found)) {
      await found.unsubscribe();
      found = null;
    }
    found ||= await push.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(words.key) });
    await post(words.tell, {
      endpoint: found.endpoint, p256dh: text(found.getKey("p256dh")), auth: text(found.getKey("auth")),
    });
    known.add(await digest(found.endpoint));
    show(true);
    say(words.on);
  };

  const tellNoMore = async () => {
    const found = await (await manager()).getSubscription();
    if (found) {
      await post(words.noMore, { endpoint: found.endpoint });
      await found.unsubscribe();
    }
    show(false);
    say(words.off);
  };

  // A button that is disabled meanwhile would lose the focus.
  let isBusy = false;
  const doing = (work) => async () => {
    if (isBusy) return;
    isBusy = true;
    say("");
    try {
      await work();
    } catch {
      say(words.failed);
    } finally {
      isBusy = false;
    }
  };
  on.addEventListener("click", doing(tell));
  off.addEventListener("click", doing(tellNoMore));

  const start = async () => {
    const found = await (await manager()).getSubscription();
    show(Boolean(found && isOurs(found) && known.has(await digest(found.endpoint))));
    box.hidden = false;
  };
  start().catch(() => {});
})();
