// Every <time data-local> is shown in the reader's own zone; without scripts it stays in UTC, and says so.
(function () {
  const dated = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "medium" });
  const timed = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  function localize(root) {
    for (const element of root.querySelectorAll("time[data-local]")) {
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      element.title = element.textContent;
      element.textContent = (element.dataset.local === "date" ? dated : timed).format(moment);
      element.removeAttribute("data-local");
    }
  }
  document.addEventListener("DOMContentLoaded", function () {
    localize(document);
    const errors = document.getElementById("desk-errors");
    if (errors) errors.focus();
  });
  document.addEventListener("htmx:afterSwap", (event) => localize(event.target));
})();
