// What a page does more with script than without.

/** On a phone each row of a table is a list, with the headings beside the cells. */
function labelTables() {
  for (const place of document.querySelectorAll(".table:not(.labelled)")) {
    const headings = [...place.querySelectorAll("thead th")].map((cell) => capital(cell.textContent ?? ""));
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

/** A scanner types a lot number and Enter. Each scan counts one piece of that lot. */
function countScans() {
  for (const place of document.querySelectorAll("[data-scan][hidden]")) {
    const input = place.querySelector("input");
    place.removeAttribute("hidden");
    input?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const typed = letters(input.value);
      const counts = [...document.querySelectorAll("[data-lot]")];
      const count = counts.find((other) => letters(other.getAttribute("data-lot") ?? "") === typed);
      if (count instanceof HTMLInputElement) count.value = String(Number(count.value) + 1);
      input.setAttribute("aria-invalid", String(!count));
      input.value = "";
    });
  }
}

/** A lot number without its dashes, as some scanners leave them out. */
function letters(/** @type {string} */ text) {
  return text.replace(/[^0-9a-z]/gi, "").toUpperCase();
}

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
  countScans();
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
