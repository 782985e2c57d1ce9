// After a page was swapped in, the reader hears its heading, as after a navigation.
document.body.addEventListener("htmx:afterSettle", () => {
  const place = document.querySelector("[role=alert]") ?? document.getElementById("main");
  place?.focus({ preventScroll: true });
});

// A button that was pressed twice by a bouncing screen sends one form.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.sent === "yes") event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 1500);
});
