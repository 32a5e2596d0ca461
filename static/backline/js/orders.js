// The page of an order is shown anew with every answer. What somebody is typing in another of its forms stays: each
// form is known by its deed and what it is about, and gets back what it held, and the cursor.
(() => {
  "use strict";
  const nameOf = (form) => ["deed", "about"].map((name) => form.querySelector(`:scope > input[name=${name}]`)?.value ?? "").join(" ");
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.type !== "submit");
  // Several fields of one name (choices) are told apart by their place.
  const keyed = (form) => {
    const seen = {};
    return fieldsOf(form).map((field) => {
      seen[field.name] = (seen[field.name] ?? -1) + 1;
      return [`${field.name} ${seen[field.name]}`, field];
    });
  };

  const hold = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return { checked: field.checked };
    if (field.type === "file") return { files: field.files };
    return { value: field.value };
  };
  const caret = (field) => {
    try {
      return [field.selectionStart, field.selectionEnd];
    } catch {
      return null; // fields of dates and numbers have none
    }
  };

  let kept = null; // what stood in the forms right before an answer took their place
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "order" || !event.detail.shouldSwap) return;
    const sent = event.detail.requestConfig.elt.closest("form");
    const at = document.activeElement;
    kept = { forms: new Map(), focus: null };
    for (const form of event.detail.target.querySelectorAll("form[hx-post]")) {
      const fields = keyed(form);
      if (form === sent || !fields.length) continue;
      kept.forms.set(nameOf(form), new Map(fields.map(([key, field]) => [key, hold(field)])));
      const here = fields.find(([, field]) => field === at);
      if (here) kept.focus = { form: nameOf(form), field: here[0], caret: caret(at) };
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "order" || !kept) return;
    const { forms, focus } = kept;
    kept = null;
    for (const form of event.target.querySelectorAll("form[hx-post]")) {
      const held = forms.get(nameOf(form));
      if (!held) continue;
      for (const [key, field] of keyed(form)) {
        if (held.has(key)) Object.assign(field, held.get(key));
        if (focus?.form !== nameOf(form) || focus.field !== key) continue;
        field.focus({ preventScroll: true }); // whoever types is not torn away; the answer is announced all the same
        if (typeof focus.caret?.[0] === "number") field.setSelectionRange(...focus.caret);
      }
    }
  });
})();
