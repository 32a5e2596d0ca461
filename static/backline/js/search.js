// The box of the bar: results while one types, chosen with the arrow keys. Without scripts the form opens a page.
(() => {
  "use strict";
  const box = document.getElementById("bar-search");
  const results = document.getElementById("bar-results");
  if (!box || !results || !window.htmx) return;
  const options = () => [...results.querySelectorAll("[role=option]")];
  let active = -1;

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", "bar-results");
  box.setAttribute("aria-expanded", "false");

  const choose = (index) => {
    const found = options();
    found.forEach((option, position) => option.setAttribute("aria-selected", String(position === index)));
    active = index;
    if (index < 0) box.removeAttribute("aria-activedescendant");
    else {
      box.setAttribute("aria-activedescendant", found[index].id);
      found[index].scrollIntoView({ block: "nearest" });
    }
  };
  const close = () => {
    results.hidden = true;
    box.setAttribute("aria-expanded", "false");
    choose(-1);
  };
  const open = () => {
    if (!results.childElementCount) return close();
    results.hidden = false;
    box.setAttribute("aria-expanded", "true");
  };

  results.addEventListener("htmx:afterSwap", () => {
    active = -1;
    if (document.activeElement !== box || !box.value.trim()) return close();
    open();
    const said = results.querySelector("[data-announce]");
    const announcer = document.getElementById("announcer");
    if (said && announcer) announcer.textContent = said.dataset.announce;
  });
  box.addEventListener("input", () => {
    if (!box.value.trim()) {
      results.replaceChildren();
      close();
    }
  });
  box.addEventListener("focus", open);
  box.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!count) return;
      event.preventDefault();
      open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(active < 0 && step < 0 ? count - 1 : (active + step + count) % count);
    } else if (event.key === "Enter" && active >= 0 && !results.hidden) {
      event.preventDefault();
      options()[active].click();
    } else if (event.key === "Escape") {
      if (results.hidden) return box.blur();
      event.preventDefault();
      close();
    } else if (event.key === "Tab") close();
  });
  document.addEventListener("click", (event) => {
    if (!results.hidden && !box.form.contains(event.target)) close();
  });
})();
