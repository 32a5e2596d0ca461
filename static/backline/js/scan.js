// A scanner types a number and Enter. Enter leads from the number to its line, and from the line back to the number;
// without this script, the button beside the number does the first by way of the server. Enter never books.
(() => {
  "use strict";
  const separators = /[ \-./_#:()+,*]/g;
  const key = (text) => text.toUpperCase().replace(separators, "");

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-scan]");
    if (!box) return;
    const said = document.getElementById("scan-said");
    const hint = said.textContent;
    // The theme takes the focus that the page gives; errors have it where there are any.
    if (!document.getElementById("desk-errors")) (document.querySelector("[data-line][autofocus]") ?? box).focus();
    const find = (text) => [...document.querySelectorAll("[data-line]")].find((line) => line.dataset.codes.split(" ").includes(key(text)));
    const look = () => {
      const text = box.value.trim();
      if (!text) return;
      const line = find(text);
      said.textContent = line ? hint : `${text} ${said.dataset.none}`;
      box.value = "";
      if (line) {
        line.focus();
        line.select();
      }
    };
    box.form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      if (event.target === box) look();
      else box.focus();
    });
    box.form.querySelector("[name=find]").addEventListener("click", (event) => {
      event.preventDefault();
      look();
    });
  });
})();
