// The board by mouse and by keyboard. Without it, the buttons of each card do the same.
(() => {
  "use strict";
  const SECONDS = 15;
  const card = (element) => element.closest("[data-card]");

  // A move is the card's own form, sent with another target: the server decides, and says why not.
  const send = (moved, to) => {
    const form = moved.querySelector("form.move");
    if (!form) return;
    const wanted = document.createElement("button");
    wanted.hidden = true;
    wanted.name = "to";
    wanted.value = to;
    form.append(wanted);
    wanted.click();
    setTimeout(() => wanted.remove(), 0);
  };

  // --- Dragging ------------------------------------------------------------------------------------------------------
  let dragged = null;
  const mark = (value) => {
    for (const column of document.querySelectorAll(".column")) {
      const status = column.dataset.status;
      if (!value || status === dragged.dataset.at) delete column.dataset.target;
      else if (!dragged.dataset.allowed.split(" ").includes(status)) column.dataset.target = "no";
    }
  };
  document.addEventListener("dragstart", (event) => {
    if (!event.target.matches?.("[data-card][draggable]")) return;
    dragged = event.target;
    dragged.dataset.dragged = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.id);
    mark(true);
  });
  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest?.(".column");
    if (!column || column.dataset.status === dragged.dataset.at) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    for (const other of document.querySelectorAll('.column[data-target="yes"]')) {
      if (other !== column) delete other.dataset.target;
    }
    column.dataset.target ||= "yes";
  });
  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest?.(".column");
    if (!column || column.dataset.status === dragged.dataset.at) return;
    event.preventDefault();
    send(dragged, column.dataset.status);
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    for (const column of document.querySelectorAll(".column")) delete column.dataset.target;
    delete dragged.dataset.dragged;
    dragged = null;
  });

  // --- Keys ----------------------------------------------------------------------------------------------------------
  const linkOf = (list) => list?.querySelector(".card-link");
  const beside = (from, step) => {
    const columns = [...document.querySelectorAll(".column")];
    const here = columns.indexOf(from.closest(".column"));
    const row = [...from.parentElement.querySelectorAll("[data-card]")].indexOf(from);
    for (let at = here + step; at >= 0 && at < columns.length; at += step) {
      const cards = columns[at].querySelectorAll("[data-card]");
      if (cards.length) return cards[Math.min(row, cards.length - 1)];
    }
    return null;
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, .menu")) return;
    const here = card(event.target);
    if (!here) return;
    if (event.shiftKey) {
      const way = { ArrowRight: "forward", ArrowLeft: "back" }[event.key];
      const button = way && here.querySelector(`[data-step="${way}"]`);
      if (!button) return;
      event.preventDefault();
      button.click();
      return;
    }
    const next = {
      ArrowDown: () => here.nextElementSibling,
      ArrowUp: () => here.previousElementSibling,
      ArrowRight: () => beside(here, 1),
      ArrowLeft: () => beside(here, -1),
    }[event.key]?.();
    const target = linkOf(next) || next?.querySelector?.("a");
    if (!target) return;
    event.preventDefault();
    target.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  // --- What a move brings --------------------------------------------------------------------------------------------
  const settle = () => {
    const refused = document.querySelector("[data-refusal]:not([data-seen])");
    if (refused) {
      refused.dataset.seen = "";
      refused.focus();
    }
    const fresh = document.querySelector("[data-fresh]:not([data-seen])");
    if (fresh) {
      fresh.dataset.seen = "";
      fresh.querySelector("a")?.focus({ preventScroll: true });
      fresh.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    for (const said of document.querySelectorAll("[data-fades]:not([data-seen])")) {
      said.dataset.seen = "";
      fade(said);
    }
  };
  // The way back stays for some seconds, and as long as somebody is on it.
  const fade = (said) => {
    setTimeout(() => {
      if (said.matches(":hover") || said.contains(document.activeElement)) fade(said);
      else said.remove();
    }, SECONDS * 1000);
  };
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:oobAfterSwap", () => setTimeout(settle, 0));
  document.addEventListener("DOMContentLoaded", settle);
})();
