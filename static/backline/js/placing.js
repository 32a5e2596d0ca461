// Placing an order, quicker: choices as one types, a new row where the last one is reached, keys. All of it works without.
(() => {
  "use strict";
  const pause = 140;
  let open = null; // the list of choices that is shown: {input, list, index, asked}

  const form = () => document.getElementById("place-form");

  // --- Choices as one types (a combobox as the ARIA practices describe it) --------------------------------------------
  const close = () => {
    if (!open) return;
    open.input.setAttribute("aria-expanded", "false");
    open.input.removeAttribute("aria-activedescendant");
    open.list.remove();
    open = null;
  };

  const options = () => (open ? [...open.list.querySelectorAll("[role=option]")] : []);

  const mark = (index) => {
    const all = options();
    if (!all.length) return;
    open.index = (index + all.length) % all.length;
    all.forEach((option, number) => {
      option.id = `option-${number}`;
      option.setAttribute("aria-selected", String(number === open.index));
    });
    open.input.setAttribute("aria-activedescendant", all[open.index].id);
    all[open.index].scrollIntoView({ block: "nearest" });
  };

  const take = (option) => {
    const { input } = open;
    input.value = option.dataset.value;
    if (option.dataset.key) {
      const whose = document.getElementById("whose");
      whose.replaceChildren();
      for (const [name, value] of [["chosen", option.dataset.key], ["chosen_text", option.dataset.value]]) {
        const kept = document.createElement("input");
        kept.type = "hidden";
        kept.name = name;
        kept.value = value;
        whose.append(kept);
      }
    }
    input.dataset.taken = input.value;
    close();
    input.dispatchEvent(new Event("chosen", { bubbles: true }));
  };

  const show = async (input) => {
    const text = input.value.trim();
    if (text.length < 2) return close();
    const address = form().dataset[input.dataset.find === "part" ? "findPart" : "findWhom"];
    const answer = await fetch(`${address}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    document.dispatchEvent(new CustomEvent("fetched", { detail: answer }));
    if (!answer?.ok || answer.redirected || document.activeElement !== input || input.value.trim() !== text) return undefined;
    const html = await answer.text();
    if (input.dataset.taken === input.value) return undefined;
    close();
    const list = document.createElement("ul");
    list.className = "options";
    list.id = "options";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
    list.innerHTML = html;
    input.after(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "options");
    input.setAttribute("aria-expanded", "true");
    open = { input, list, index: -1 };
    return undefined;
  };

  let waiting = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-find]")) return;
    delete event.target.dataset.taken;
    clearTimeout(waiting);
    waiting = setTimeout(() => show(event.target), pause);
  });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.(".options [role=option]");
    if (option) {
      event.preventDefault();
      take(option);
    } else if (!event.target.closest?.(".options")) close();
  });
  document.addEventListener("focusout", (event) => {
    if (open && event.target === open.input) setTimeout(() => { if (open && document.activeElement !== open.input) close(); }, 100);
  });

  // --- Rows ----------------------------------------------------------------------------------------------------------
  const addRow = () => {
    const rows = document.getElementById("rows");
    const number = 1 + Math.max(-1, ...[...rows.children].map((row) => Number(row.dataset.row)));
    const most = 500;
    if (number >= most) return null;
    const template = document.getElementById("row-template");
    const holder = document.createElement("tbody");
    holder.innerHTML = template.innerHTML.replaceAll("10001", String(number + 1)).replaceAll("10000", String(number));
    const row = holder.firstElementChild;
    rows.append(row);
    window.htmx?.process(row);
    return row;
  };

  const nextRow = (row) => row.nextElementSibling || addRow();

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("#rows tr");
    if (row && !row.nextElementSibling && event.target.name?.startsWith("part-")) addRow();
  });

  // --- Keys ----------------------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (!form()?.contains(event.target)) return;
    if (open && event.target === open.input) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        mark(event.key === "ArrowDown" ? open.index + 1 : open.index < 0 ? -1 : open.index - 1);
        return;
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        close();
        return;
      }
      if ((event.key === "Enter" || event.key === "Tab") && open.index >= 0) {
        if (event.key === "Enter") event.preventDefault();
        take(options()[open.index]);
        if (event.key === "Enter") moveOn(event.target);
        return;
      }
    }
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      if (event.target.matches("input, textarea, select")) event.target.blur();
      const button = form().querySelector(".place-end button[value=preview]");
      setTimeout(() => button.click(), 0);
    } else if (event.target.matches("input:not([type=checkbox])")) {
      event.preventDefault();
      moveOn(event.target);
    }
  });

  // Enter goes to the next field: from the part to its quantity, from there to the next part.
  const moveOn = (input) => {
    close();
    const row = input.closest("#rows tr");
    if (!row) {
      document.querySelector("#rows input")?.focus();
      return;
    }
    const target = input.name.startsWith("part-") ? row.querySelector("[name^=quantity-]") : nextRow(row)?.querySelector("[name^=part-]");
    target?.focus();
    target?.select();
  };

  // A table that is pasted into a part goes where tables are taken over.
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!event.target.matches?.("[name^=part-]") || !/[\n\t]/.test(text.trim())) return;
    event.preventDefault();
    document.getElementById("table").value = text;
    form().querySelector("button[value=paste]").click();
  });
})();
