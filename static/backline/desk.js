// What the back office does beyond plain HTML: all of it works without, a little less well.
(() => {
  "use strict";
  // The server renders times in this zone from the next page on.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`timezone=${zone}`)) {
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `timezone=${zone};path=/;max-age=31536000;samesite=lax${secure}`;
  }

  // On a phone each row of a table is a block of its own, and says in front of each value what it is. The roles keep
  // it a table for who hears it.
  const label = (table) => {
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
    const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "columnheader", TD: "cell" };
    for (const element of [table, ...table.querySelectorAll("thead, tbody, tr, th, td")]) {
      element.setAttribute("role", roles[element.tagName]);
    }
    for (const row of table.tBodies[0].rows) {
      for (const cell of row.cells) cell.dataset.label = heads[cell.cellIndex] || "";
    }
    table.classList.add("desk-stacks");
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const cell of document.querySelectorAll("#result_list [data-label]")) {
      cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
    }
    for (const table of document.querySelectorAll("table.desk-table")) if (table.tHead && table.tBodies.length) label(table);
    // The theme's script would write the file's name into a field that only its own widget has.
    for (const input of document.querySelectorAll("input.desk-file")) input.hasChangeListener = true;
    document.getElementById("desk-errors")?.focus();
    for (const button of document.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    }
  });

  // The heads of a long list stay in sight where all of its columns are: what scrolls sideways could not let them.
  const fits = new ResizeObserver((tables) => {
    for (const { target } of tables) {
      const box = target.closest(".desk-scroll, [data-simplebar]");
      box?.classList.toggle("desk-fits", target.scrollWidth <= box.clientWidth);
    }
  });
  addEventListener("load", () => {
    for (const table of document.querySelectorAll("#result_list, .desk-worklist")) fits.observe(table);
  });

  // The search fields of select2 are named by their labels, which it does not do itself.
  const name = (container) => {
    const [label] = container.previousElementSibling?.labels ?? [];
    const field = container.querySelector(".select2-selection");
    if (!label || !field) return;
    label.id ||= `label-of-${container.previousElementSibling.id}`;
    const shown = field.querySelector(".select2-selection__rendered");
    field.setAttribute("aria-labelledby", shown?.id ? `${label.id} ${shown.id}` : label.id);
    shown?.setAttribute("aria-labelledby", label.id);
  };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.matches?.(".select2-container")) name(node);
    }
  }).observe(document, { childList: true, subtree: true });
})();
