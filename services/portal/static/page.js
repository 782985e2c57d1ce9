// What a page does more with script than without.

/** On a phone each row of a table is a list, with the headings beside the cells. */
function labelTables() {
  for (const place of document.querySelectorAll(".table:not(.labelled)")) {
    const headings = [...place.querySelectorAll("thead th")].map((cell) =>
      // A button says by itself what a hidden heading says.
      cell.querySelector(".visually-hidden") ? "" : capital(cell.textContent ?? ""));
    // Two columns fit.
    if (headings.length < 3) continue;
    for (const row of place.querySelectorAll("tbody tr")) {
      [...row.children].forEach((cell, at) => cell.setAttribute("data-label", headings[at] ?? ""));
    }
    place.classList.add("labelled");
  }
}

/** A heading as it stands in the table, where the stylesheet makes its first letter large. */
function capital(/** @type {string} */ text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The page waits with news while somebody types into its live part, and asks when they leave the field. */
function isTyping() {
  const place = document.getElementById("live");
  const field = document.activeElement;
  return Boolean(place?.contains(field) && field?.matches("input, select, textarea"));
}
let isLate = false;
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target instanceof Element && event.target.id === "live" && isTyping()) {
    event.preventDefault();
    isLate = true;
  }
});
document.addEventListener("focusout", () => setTimeout(() => {
  if (!isLate || isTyping()) return;
  isLate = false;
  document.body.dispatchEvent(new CustomEvent("karya-changed"));
}));

/** A button that only a script can answer is shown where there is one. */
function offerPrint() {
  for (const button of document.querySelectorAll("[data-print][hidden]")) {
    button.removeAttribute("hidden");
    button.addEventListener("click", () => window.print());
  }
}

/** On a phone the festival's pages do not fit beside each other. */
function showTab() {
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

function prepare() {
  showTab();
  labelTables();
  offerPrint();
}

prepare();
document.body.addEventListener("htmx:afterSettle", () => {
  prepare();
  // The reader hears what was swapped in, as after a navigation.
  const place = document.querySelector("[role=alert]") ?? document.getElementById("main");
  if (place instanceof HTMLElement) place.focus({ preventScroll: true });
});

// A button that a bouncing screen presses twice sends one form.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.dataset.sent === "yes") event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 1500);
}, true);
