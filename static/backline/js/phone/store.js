// What this phone keeps: the queue of what was done, and a few facts. Runs in the page and in the service worker.
(() => {
  "use strict";
  const NAME = "backline-phone";
  let opened;

  const open = () => (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      const entries = request.result.createObjectStore("entries", { keyPath: "number", autoIncrement: true });
      entries.createIndex("key", "key", { unique: true });
      request.result.createObjectStore("facts");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); opened = undefined; };
      resolve(request.result);
    };
    request.onerror = () => { opened = undefined; reject(request.error); };
  }));

  // Run one transaction; it is on the disk when this resolves, so that closing the page loses nothing.
  const within = async (name, mode, work) => {
    const database = await open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(name, mode, { durability: "strict" });
      const request = work(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request && request.result);
      transaction.onabort = () => reject(transaction.error || new DOMException("aborted", "AbortError"));
    });
  };

  const all = () => within("entries", "readonly", (store) => store.getAll());
  const add = async (entry) => {
    try {
      return await within("entries", "readwrite", (store) => store.add(entry));
    } catch (error) {
      if (error && error.name === "ConstraintError") return undefined; // this key is queued already: a second tap
      throw error;
    }
  };

  self.Phone = self.Phone || {};
  self.Phone.store = {
    all,
    add,
    mine: async (person) => (await all()).filter((entry) => entry.person === person),
    put: (entry) => within("entries", "readwrite", (store) => store.put(entry)),
    remove: (number) => within("entries", "readwrite", (store) => store.delete(number)),
    fact: (name) => within("facts", "readonly", (store) => store.get(name)),
    setFact: (name, value) => within("facts", "readwrite", (store) => store.put(value, name)),
  };
})();
