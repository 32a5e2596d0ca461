// Copies a text. Without scripts it is marked and copied by hand.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    if (!text) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      text.focus();
      text.select();
      try {
        await navigator.clipboard.writeText(text.value);
      } catch {
        if (!document.execCommand("copy")) return;
      }
      const word = button.querySelector("span");
      const before = word.textContent;
      word.textContent = button.dataset.copied;
      const announcer = document.getElementById("announcer");
      if (announcer) announcer.textContent = button.dataset.copied;
      setTimeout(() => { word.textContent = before; }, 2500);
    });
  }
})();
