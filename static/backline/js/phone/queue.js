// Sends what was done, in order, under the name of whoever did it. Runs in the page and in the service worker.
//
// An entry: number (its place), key (its idempotency key), person, subject (entries of one subject wait for each other),
// address, fields, file, says, summary, version (of the job, as the page showed it), done_at, state (waiting, refused,
// uncertain), tried_at (first time it was sent), failures (how often the server broke down over it), problem. It is only
// ever deleted when the server has said that it is done, or when its person discards it.
(() => {
  "use strict";
  const { store } = self.Phone;
  // The server keeps answers for two days. What was sent longer ago without an answer may or may not have been done.
  const CERTAIN = 40 * 3600 * 1000;
  const PATIENCE = 60 * 1000;
  const LATER = new Set(["other_person", "not_authenticated", "throttled"]);
  const BUSY = new Set(["idempotency_in_flight", "busy", "unavailable"]);
  // "Not now", said of the sender and not of what was sent.
  const NOT_NOW = new Set([408, 425, 429]);
  // A server that is down answers everything so and is asked again later. One that breaks down over the same entry so often
  // does it because of the entry: that keeps its own subject waiting, and what is about others is sent.
  const FAILURES = 3;

  const newKey = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  const ask = (address, options) => {
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), PATIENCE);
    return fetch(address, { credentials: "same-origin", cache: "no-store", redirect: "error", signal: ended.signal, ...options })
      .finally(() => clearTimeout(timer));
  };

  // Who is signed in now, with a token that is fresh: the one in a page that was kept may be of an older session.
  const who = async (base) => {
    let answer;
    try {
      answer = await ask(`${base}token/`, { headers: { Accept: "application/json" } });
    } catch {
      return { state: "offline" };
    }
    if (answer.status === 401) return { state: "signed-out" };
    if (!answer.ok) return { state: "trouble" };
    return { state: "ok", ...(await answer.json()) };
  };

  const bodyOf = (entry) => {
    const body = new FormData();
    for (const [name, value] of entry.fields) {
      body.append(name, name === "version" && entry.version !== null ? String(entry.version) : value);
    }
    if (entry.file) body.append(entry.file.field, entry.file.blob, entry.file.name);
    return body;
  };

  const send = async (entry, token) => {
    const headers = {
      Accept: "application/json",
      "Idempotency-Key": entry.key,
      "X-CSRFToken": token,
      "X-Backline-Person": entry.person,
      "X-Backline-Waited": String(Math.max(0, Math.round((Date.now() - entry.done_at) / 1000))),
    };
    let answer;
    try {
      answer = await ask(entry.address, { method: "POST", headers, body: bodyOf(entry) });
    } catch {
      return { state: "offline" };
    }
    const isOurs = (answer.headers.get("Content-Type") || "").includes("json");
    const said = isOurs ? await answer.json().catch(() => ({})) : {};
    if (answer.ok && isOurs) return { state: "done", said };
    if (answer.status === 401) return { state: "signed-out" };
    if (answer.status === 403 && !isOurs) return { state: "token" };
    if (LATER.has(said.code)) return { state: said.code === "other_person" ? "other" : "trouble" };
    if (answer.status >= 500 || BUSY.has(said.code)) return { state: "failed" };
    if (answer.status < 400 || NOT_NOW.has(answer.status)) return { state: "trouble" };
    if (isOurs && said.code) return { state: "refused", problem: said };
    const code = answer.status === 413 ? "too_large" : "not_taken";
    return { state: "refused", problem: { code, says: "", changes: [], version: null } };
  };

  // Only this entry lies between what the page showed and now: what follows on it was meant for the version after it.
  const followOn = async (done, said) => {
    if (said.version === null || said.version === undefined || said.before !== done.version) return;
    for (const later of await store.mine(done.person)) {
      if (later.subject !== done.subject || later.version !== said.before || later.tried_at) continue;
      await store.put({ ...later, version: said.version });
    }
  };

  const next = (entries, failed) => {
    const held = new Set(failed);
    for (const entry of entries) {
      if (entry.state === "waiting" && !held.has(entry.subject)) return entry;
      held.add(entry.subject);
    }
    return undefined;
  };

  const run = async (base, tell) => {
    const result = { state: "empty", done: [], refused: [] };
    const failed = new Set();
    if (!(await store.all()).length) return result;
    let now = await who(base);
    let renewed = false;
    if (now.state !== "ok") return { ...result, state: now.state };
    for (;;) {
      const entry = next(await store.mine(now.person), failed);
      if (!entry) return { ...result, state: result.done.length || result.refused.length ? "sent" : failed.size ? "trouble" : "empty" };
      if (entry.tried_at && Date.now() - entry.tried_at > CERTAIN) {
        await store.put({ ...entry, state: "uncertain" });
        continue;
      }
      entry.tried_at ||= Date.now();
      await store.put(entry);
      tell({ sending: entry.key });
      const outcome = await send(entry, now.token);
      if (outcome.state === "done") {
        await followOn(entry, outcome.said);
        await store.remove(entry.number);
        result.done.push({ key: entry.key, subject: entry.subject, ...outcome.said });
      } else if (outcome.state === "refused") {
        await store.put({ ...entry, state: "refused", problem: outcome.problem });
        result.refused.push(entry.key);
      } else if (outcome.state === "failed" || outcome.state === "token") {
        const failures = (entry.failures || 0) + 1;
        await store.put({ ...entry, failures });
        if (failures < FAILURES) return { ...result, state: "trouble" };
        failed.add(entry.subject);
      } else if (outcome.state === "token" && !renewed) {
        renewed = true;
        now = await who(base);
        if (now.state !== "ok") return { ...result, state: now.state };
      } else {
        return { ...result, state: outcome.state };
      }
      tell({});
    }
  };

  // One at a time on this phone, in whichever page or worker: what comes while one runs, runs after it.
  const alone = (work) => (navigator.locks ? navigator.locks.request("backline-phone-queue", work) : work());
  const flush = (base, tell = () => {}) => alone(() => run(base, tell));

  // A new try is a new call: it names the version that the person has now been told of.
  const again = (entry) => {
    const fields = entry.fields.map(([name, value]) =>
      name === "anyway" && entry.problem && entry.problem.code === "count_outdated" ? [name, "1"] : [name, value]);
    const told = entry.problem ? entry.problem.version : null;
    const version = told === null || told === undefined ? entry.version : told;
    const key = entry.state === "uncertain" ? entry.key : newKey();
    return store.put({ ...entry, fields, version, key, state: "waiting", tried_at: null, failures: 0, problem: null });
  };

  const asNote = (entry, words) => {
    const text = [entry.says, entry.summary].filter(Boolean).join(": ");
    const fields = [["deed", "note"], ["text", `${words}: ${text}`]];
    return store.put({ ...entry, fields, file: null, summary: text, key: newKey(), state: "waiting", tried_at: null, failures: 0, problem: null });
  };

  const isFailing = (entry) => entry.state === "waiting" && (entry.failures || 0) >= FAILURES;

  self.Phone.queue = { alone, flush, again, asNote, isFailing, newKey };
})();
