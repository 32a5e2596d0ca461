// The email in its frame follows what is typed: with every preview, the words go to the frame as its button sends them.
(() => {
  "use strict";
  const show = document.getElementById("show-email");
  document.addEventListener("htmx:afterSwap", (event) => {
    if (show && event.detail.target.id === "preview") show.form.requestSubmit(show);
  });
})();
